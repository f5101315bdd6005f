/** A command: what a person does from a key, a menu or the palette. All of them stand in table.ts. */

import { lacking, useMe, type Role } from "../me";

export type Area = "workflow" | "run" | "edit" | "select" | "arrange" | "look" | "view" | "add";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly area: Area;
  /** The usual keys, such as "Ctrl+Shift+Z"; people may choose others. */
  readonly keys?: readonly string[];
  /** More words by which it is found. */
  readonly words?: string;
  readonly run: () => void;
  /** Whether there is anything for it to do. */
  readonly isReady?: () => boolean;
  /** The role it takes on the server. */
  readonly needs?: Role;
  /** Whether what it switches is on. */
  readonly isOn?: () => boolean;
  /** Keys that are left to the browser, whose own event leads to the command. */
  readonly byBrowser?: string;
  /** Whether its keys work while a text is written. */
  readonly always?: boolean;
}

/** Why somebody may not do it; "" where nothing speaks against it. */
export const refusalOf = ({ needs }: Command): string => lacking(needs)(useMe.getState());

/** Whether there is something for it to do, and it may be done. */
export const canRun = (command: Command): boolean => command.isReady?.() !== false && !refusalOf(command);
