/** Every command there is. Keys, menus, the palette and the list of shortcuts all read this one table. */

import { ARRANGING } from "./arranging";
import type { Command } from "./command";
import { EDITING } from "./editing";
import { LOOKS } from "./looks";
import { RUNNING } from "./running";
import { SELECTING } from "./selecting";
import { SUBGRAPHS } from "./subgraphs";
import { VIEWING } from "./viewing";
import { WORKFLOWS } from "./workflows";

export const COMMANDS: readonly Command[] = [...RUNNING, ...EDITING, ...SELECTING, ...SUBGRAPHS, ...ARRANGING, ...LOOKS, ...VIEWING, ...WORKFLOWS];

const BY_ID: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.id, command]));

export const commandOf = (id: string): Command | undefined => BY_ID.get(id);
