import { selectAll } from "../actions";
import { contentsOf, selectedItems } from "../canvas/chosen";
import { reached, type Direction } from "../document/neighbours";
import { flowId, select, selectedNodes, useEditor, workflow } from "../editor";
import { C } from "../texts-canvas";
import type { Command } from "./command";

const area = "select";
const hasNodes = (): boolean => selectedNodes().length > 0;

function grow(direction: Direction): void {
  select([...reached(workflow(), selectedNodes(), direction)].map(flowId));
}

function selectContents(): void {
  select(selectedItems("groups").flatMap(contentsOf).map(flowId));
}

export const SELECTING: readonly Command[] = [
  { id: "select.all", title: C.commands.selectAll, area, keys: ["Ctrl+A"], run: selectAll },
  { id: "select.none", title: C.commands.selectNone, area, keys: ["Ctrl+Shift+A"], isReady: () => useEditor.getState().selection.size > 0, run: () => select([]) },
  { id: "select.before", title: C.commands.selectBefore, area, keys: ["["], isReady: hasNodes, run: () => grow("before") },
  { id: "select.after", title: C.commands.selectAfter, area, keys: ["]"], isReady: hasNodes, run: () => grow("after") },
  { id: "select.connected", title: C.commands.selectConnected, area, keys: ["Ctrl+Alt+A"], isReady: hasNodes, run: () => grow("both") },
  { id: "select.contents", title: C.commands.selectContents, area, isReady: () => selectedItems("groups").length > 0, run: selectContents },
];
