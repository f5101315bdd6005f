import { selectedItems } from "../canvas/chosen";
import { all } from "../document/commands";
import { COLOURS, setColour, setItemColour, type Colour } from "../document/looks";
import { run, selectedNodes, useEditor } from "../editor";
import { C } from "../texts-canvas";
import type { Command } from "./command";

const area = "look";
const hasAny = (): boolean => useEditor.getState().selection.size > 0;

function colour(chosen: Colour | null): void {
  const items = (["groups", "notes"] as const).flatMap((list) => selectedItems(list).map((index) => setItemColour(list, index, chosen)));
  run(all(setColour(selectedNodes(), chosen), ...items));
}

const titled = (name: string): string => `${C.menu.colour}: ${C.colours[name] ?? name}`;

export const LOOKS: readonly Command[] = [
  ...COLOURS.map((item) => ({ id: `colour.${item.name}`, title: titled(item.name), area, isReady: hasAny, run: () => colour(item) }) as const),
  { id: "colour.none", title: C.commands.noColour, area, isReady: hasAny, run: () => colour(null) },
];
