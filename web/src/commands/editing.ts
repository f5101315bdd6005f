import * as actions from "../actions";
import * as clips from "../clips";
import { frameAround, selectedItems } from "../canvas/chosen";
import { insertInLink, cutAimedLink, aimedLink, bendAimedLink } from "../canvas/aimed";
import { pointerOnCanvas, searchAt } from "../canvas/view";
import { addGroup, addNote, type Point } from "../document/commands";
import { isCollapsed, isPinned, pinGroup, setFlag } from "../document/looks";
import { all } from "../document/commands";
import { isObject } from "../document/json";
import { portAt, togglePort } from "../document/ports";
import { currentTab, redoNext, run, selectedNodes, undoLast, useEditor, workflow } from "../editor";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { paintMaskOfSelected } from "../widgets/mask/painting";
import { M } from "../widgets/texts";
import type { Command } from "./command";
import { startNaming, useOpen } from "./open";

const hasNodes = (): boolean => selectedNodes().length > 0;
const hasAny = (): boolean => useEditor.getState().selection.size > 0;
const hasClip = (): boolean => useEditor.getState().clip !== null;
const every = (mode: string): boolean => hasNodes() && selectedNodes().every((id) => workflow().nodes.get(id)?.mode === mode);
const one = (): string | undefined => {
  const { selection } = useEditor.getState();
  const [first] = selection;
  return selection.size === 1 && !first?.startsWith("notes/") ? first : undefined;
};

/** Where new things go: where the menu was opened, else the pointer. */
function here(): Point {
  return useOpen.getState().at ?? pointerOnCanvas();
}

function addANote(): void {
  const [x, y] = here();
  run(addNote("", { x, y, width: 280, height: 120 }));
}

function groupSelected(): void {
  const box = frameAround(selectedNodes());
  if (box) run(addGroup(T.canvas.group, box));
}

const collapsed = (): boolean => hasNodes() && selectedNodes().every((id) => isCollapsedId(id));
function isCollapsedId(id: string): boolean {
  const node = workflow().nodes.get(id);
  return node !== undefined && isCollapsed(node);
}

function pinned(): boolean {
  const now = workflow();
  const nodes = selectedNodes().map((id) => isPinned(now.nodes.get(id)?.extra ?? new Map()));
  const groups = selectedItems("groups").map((index) => {
    const group = now.groups[index];
    return isObject(group) && isPinned(group);
  });
  return nodes.length + groups.length > 0 && [...nodes, ...groups].every(Boolean);
}

function togglePinned(): void {
  const isOn = !pinned();
  run(all(setFlag(selectedNodes(), "pinned", isOn), ...selectedItems("groups").map((index) => pinGroup(index, isOn))));
}

function deleteAimed(): void {
  if (useOpen.getState().aim && !hasAny()) cutAimedLink();
  else actions.deleteSelected();
}

function isPort(): boolean {
  const { field } = useOpen.getState();
  return field !== null && portAt(workflow(), field.node, field.input) !== undefined;
}

export const EDITING: readonly Command[] = [
  { id: "edit.undo", title: C.commands.undo, area: "edit", keys: ["Ctrl+Z"], isReady: () => currentTab().history.past.length > 0, run: undoLast },
  {
    id: "edit.redo",
    title: C.commands.redo,
    area: "edit",
    keys: ["Ctrl+Y", "Ctrl+Shift+Z"],
    isReady: () => currentTab().history.future.length > 0,
    run: redoNext,
  },
  { id: "edit.cut", title: C.commands.cut, area: "edit", keys: ["Ctrl+X"], isReady: hasAny, run: clips.cutSelected },
  { id: "edit.copy", title: C.commands.copy, area: "edit", keys: ["Ctrl+C"], isReady: hasAny, run: clips.copySelected },
  { id: "edit.paste", title: C.commands.paste, area: "edit", keys: ["Ctrl+V"], byBrowser: "Ctrl+V", isReady: hasClip, run: () => clips.pasteAt(here(), false) },
  {
    id: "edit.pasteLinked",
    title: C.commands.pasteLinked,
    area: "edit",
    keys: ["Ctrl+Shift+V"],
    isReady: hasClip,
    run: () => clips.pasteAt(here(), true),
  },
  { id: "edit.duplicate", title: C.commands.duplicate, area: "edit", keys: ["Ctrl+D"], isReady: hasAny, run: clips.duplicateSelected },
  { id: "edit.delete", title: C.commands.delete, area: "edit", keys: ["Delete", "Backspace"], isReady: () => hasAny() || aimedLink() !== undefined, run: deleteAimed },
  { id: "edit.mask", title: M.open, area: "edit", keys: ["Shift+M"], isReady: hasNodes, run: paintMaskOfSelected },
  { id: "edit.rename", title: C.commands.rename, area: "edit", keys: ["F2"], isReady: () => one() !== undefined, run: () => startNaming(one() ?? null) },
  {
    id: "edit.port",
    title: C.commands.port,
    area: "edit",
    words: C.words["port"] ?? "",
    isReady: () => useOpen.getState().field !== null,
    isOn: isPort,
    run: () => {
      const { field } = useOpen.getState();
      if (field) run(togglePort(field.node, field.input));
    },
  },
  {
    id: "edit.mute",
    title: C.commands.mute,
    area: "edit",
    keys: ["M", "Ctrl+M"],
    words: C.words["mute"] ?? "",
    isReady: hasNodes,
    isOn: () => every("mute"),
    run: () => actions.toggleMode("mute"),
  },
  {
    id: "edit.bypass",
    title: C.commands.bypass,
    area: "edit",
    keys: ["B", "Ctrl+B"],
    words: C.words["bypass"] ?? "",
    isReady: hasNodes,
    isOn: () => every("bypass"),
    run: () => actions.toggleMode("bypass"),
  },
  {
    id: "edit.collapse",
    title: C.commands.collapse,
    area: "edit",
    keys: ["C", "Alt+C"],
    words: C.words["collapse"] ?? "",
    isReady: hasNodes,
    isOn: collapsed,
    run: () => actions.toggleCollapsed(),
  },
  {
    id: "edit.pin",
    title: C.commands.pin,
    area: "edit",
    keys: ["P"],
    words: C.words["pin"] ?? "",
    isReady: () => hasNodes() || selectedItems("groups").length > 0,
    isOn: pinned,
    run: togglePinned,
  },
  { id: "edit.group", title: C.commands.group, area: "edit", keys: ["G", "Ctrl+G"], isReady: hasNodes, run: groupSelected },
  { id: "add.node", title: C.commands.addNode, area: "add", keys: ["Space"], run: addHere },
  { id: "add.note", title: C.commands.note, area: "add", keys: ["N"], words: C.words["note"] ?? "", run: addANote },
  { id: "link.insert", title: C.commands.insertNode, area: "add", isReady: () => aimedLink() !== undefined, run: insertInLink },
  { id: "link.bend", title: C.commands.bend, area: "edit", isReady: () => aimedLink() !== undefined, run: () => bendAimedLink(useOpen.getState().at ?? pointerOnCanvas()) },
  { id: "link.cut", title: C.commands.cutLink, area: "edit", isReady: () => aimedLink() !== undefined, run: cutAimedLink },
];

function addHere(): void {
  searchAt();
}

