import * as actions from "../actions";
import { activate, currentTab, openEmpty, reopenTab, showDialog, useEditor, workflow } from "../editor";
import * as files from "../files";
import { C } from "../texts-canvas";
import type { Command } from "./command";

const area = "workflow";
const hasNodes = (): boolean => workflow().nodes.size > 0;
const hasTabs = (): boolean => useEditor.getState().tabs.length > 1;

function step(by: number): void {
  const { tabs, active } = useEditor.getState();
  const next = tabs.at((tabs.findIndex((tab) => tab.key === active) + by) % tabs.length);
  if (next) activate(next.key);
}

function chooseFile(): void {
  const field = Object.assign(document.createElement("input"), { type: "file", accept: ".json,image/*", multiple: true });
  field.addEventListener("change", () => {
    const chosen = [...(field.files ?? [])];
    actions.trying(() => files.openFiles(chosen));
  });
  field.click();
}

export const WORKFLOWS: readonly Command[] = [
  { id: "workflow.new", title: C.commands.new, area, keys: ["Ctrl+Alt+N"], run: openEmpty },
  { id: "workflow.open", title: C.commands.open, area, keys: ["Ctrl+O"], always: true, run: () => showDialog("open") },
  { id: "workflow.templates", title: C.commands.templates, area, keys: ["T"], run: () => showDialog("templates") },
  { id: "workflow.save", title: C.commands.save, area, needs: "editor", keys: ["Ctrl+S"], always: true, run: () => actions.trying(files.save) },
  { id: "workflow.saveAs", title: C.commands.saveAs, area, needs: "editor", keys: ["Ctrl+Shift+S"], always: true, run: () => showDialog("saveAs") },
  { id: "workflow.versions", title: C.commands.versions, area, isReady: () => currentTab().name !== "", run: files.showVersions },
  { id: "workflow.import", title: C.commands.import, area, run: chooseFile },
  { id: "workflow.export", title: C.commands.exportOurs, area, run: () => actions.trying(() => files.exportAs("darkroom")) },
  { id: "workflow.exportApi", title: C.commands.exportApi, area, run: () => actions.trying(() => files.exportAs("api")) },
  { id: "workflow.exportEditor", title: C.commands.exportEditor, area, run: () => actions.trying(() => files.exportAs("editor")) },
  { id: "workflow.call", title: C.commands.call, area, needs: "runner", run: () => showDialog("call") },
  { id: "workflow.missing", title: C.commands.missing, area, isReady: hasNodes, run: () => actions.trying(files.lookForMissing) },
  { id: "workflow.clear", title: C.commands.clear, area, isReady: hasNodes, run: actions.clearAll },
  { id: "tab.next", title: C.commands.nextTab, area, keys: ["Alt+PageDown"], isReady: hasTabs, run: () => step(1) },
  { id: "tab.previous", title: C.commands.previousTab, area, keys: ["Alt+PageUp"], isReady: hasTabs, run: () => step(-1) },
  { id: "tab.close", title: C.commands.closeTab, area, keys: ["Alt+W"], always: true, run: () => files.closeTab(useEditor.getState().active) },
  { id: "tab.reopen", title: C.commands.reopenTab, area, keys: ["Ctrl+Shift+T", "Alt+Shift+T"], always: true, run: reopenTab },
];
