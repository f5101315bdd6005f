/** The keys and what they do: one table for the page and for the list of shortcuts. */

import * as actions from "./actions";
import { addNote } from "./document/commands";
import { redoNext, reopenTab, run, search, select, selectedNodes, showDialog, undoLast, useEditor } from "./editor";
import { closeTab, save } from "./files";
import { fit, fitSelected, pointerOnCanvas, searchAt } from "./canvas/view";
import { showGallery, togglePanel } from "./panels/viewing";
import { T } from "./texts";
import { R } from "./texts-runs";

interface Shortcut {
  readonly keys: readonly string[];
  readonly text: string;
  readonly run: () => void;
  /** Whether it works while a text is written. */
  readonly always?: boolean;
}

const note = (): void => {
  const [x, y] = pointerOnCanvas();
  run(addNote("", { x, y, width: 280, height: 120 }));
};

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["Space"], text: T.shortcuts.add, run: () => searchAt() },
  { keys: ["Ctrl+Enter"], text: T.shortcuts.run, always: true, run: () => actions.trying(() => actions.runWorkflow()) },
  { keys: ["Ctrl+Shift+Enter"], text: T.shortcuts.runTo, run: () => actions.trying(() => actions.runWorkflow(1, selectedNodes())) },
  { keys: ["Ctrl+Alt+Enter"], text: T.shortcuts.cancel, always: true, run: () => actions.trying(actions.cancelRuns) },
  { keys: ["Ctrl+Z"], text: T.shortcuts.undo, run: undoLast },
  { keys: ["Ctrl+Y", "Ctrl+Shift+Z"], text: T.shortcuts.redo, run: redoNext },
  { keys: ["Ctrl+C"], text: T.shortcuts.copy, run: actions.copySelected },
  { keys: ["Ctrl+X"], text: T.shortcuts.cut, run: actions.cutSelected },
  { keys: ["Ctrl+V"], text: T.shortcuts.paste, run: () => actions.pasteAt(pointerOnCanvas(), false) },
  { keys: ["Ctrl+Shift+V"], text: T.shortcuts.pasteLinked, run: () => actions.pasteAt(pointerOnCanvas(), true) },
  { keys: ["Ctrl+D"], text: T.shortcuts.duplicate, run: actions.duplicateSelected },
  { keys: ["Delete", "Backspace"], text: T.shortcuts.delete, run: actions.deleteSelected },
  { keys: ["Ctrl+A"], text: T.shortcuts.selectAll, run: actions.selectAll },
  { keys: ["M", "Ctrl+M"], text: T.shortcuts.mute, run: () => actions.toggleMode("mute") },
  { keys: ["B", "Ctrl+B"], text: T.shortcuts.bypass, run: () => actions.toggleMode("bypass") },
  { keys: ["C", "Alt+C"], text: T.shortcuts.collapse, run: () => actions.toggleCollapsed() },
  { keys: ["G", "Ctrl+G"], text: T.shortcuts.group, run: actions.groupSelected },
  { keys: ["N"], text: T.shortcuts.note, run: note },
  { keys: ["F"], text: T.shortcuts.fit, run: fit },
  { keys: ["Shift+F"], text: T.shortcuts.fitSelection, run: fitSelected },
  { keys: ["A"], text: T.shortcuts.tidy, run: actions.tidy },
  { keys: ["Ctrl+S"], text: T.shortcuts.save, always: true, run: () => actions.trying(save) },
  { keys: ["Ctrl+Shift+S"], text: T.shortcuts.saveAs, always: true, run: () => showDialog("saveAs") },
  { keys: ["Ctrl+O"], text: T.shortcuts.open, always: true, run: () => showDialog("open") },
  { keys: ["Alt+W"], text: T.shortcuts.closeTab, always: true, run: () => closeTab(useEditor.getState().active) },
  { keys: ["Ctrl+Shift+T", "Alt+Shift+T"], text: T.shortcuts.reopenTab, always: true, run: reopenTab },
  { keys: ["Alt+Enter"], text: R.shortcuts.keepSeeds, always: true, run: () => actions.trying(() => actions.runWorkflow(1, undefined, true)) },
  { keys: ["Alt+G"], text: R.shortcuts.gallery, always: true, run: () => showGallery(true) },
  { keys: ["Alt+Q"], text: R.shortcuts.runs, always: true, run: () => togglePanel("runs") },
  { keys: ["Alt+P"], text: R.shortcuts.problems, always: true, run: () => togglePanel("problems") },
  { keys: ["?"], text: T.shortcuts.help, run: () => showDialog("shortcuts") },
];

/** What the mouse does, for the list. */
export const GESTURES: readonly (readonly [keys: string, text: string])[] = [
  [T.shortcuts.addClickKeys, T.shortcuts.addClick],
  [T.shortcuts.unlinkKeys, T.shortcuts.unlink],
  [T.shortcuts.panKeys, T.shortcuts.pan],
  [T.shortcuts.marqueeKeys, T.shortcuts.marquee],
  [T.shortcuts.zoomKeys, T.shortcuts.zoom],
];

export function onKey(event: KeyboardEvent): void {
  const target = event.target as Element | null;
  const isWriting = Boolean(target?.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));
  const { dialog, searching } = useEditor.getState();
  if (event.key === "Escape" && !isWriting) {
    search(null);
    select([]);
  }
  if (dialog ?? searching) return;
  const pressed = pressedKeys(event);
  const found = SHORTCUTS.find((shortcut) => shortcut.keys.includes(pressed));
  const isOnControl = Boolean(target?.closest("button, a, summary")) && ["Space", "Delete", "Backspace"].includes(pressed);
  if (!found || (isWriting && !found.always) || isOnControl || event.defaultPrevented) return;
  event.preventDefault();
  found.run();
}

function pressedKeys(event: KeyboardEvent): string {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const modifiers = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey && key !== "?" ? "Shift" : ""];
  return [...modifiers.filter(Boolean), key].join("+");
}
