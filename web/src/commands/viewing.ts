import { fit, fitSelected, focusCanvas, zoomBy, zoomTo } from "../canvas/view";
import { readTypes, trying } from "../actions";
import { selectedNodes, showDialog, tell, workflow } from "../editor";
import { toggleForm, useFiles } from "../files";
import { showGallery, togglePanel as toggleSide, useViewing, type Panel } from "../panels/viewing";
import { changeSettings, toggleTheme, useSettings, type Values } from "../settings";
import { C } from "../texts-canvas";
import { openMenuHere } from "./menus";
import type { Command } from "./command";
import { showHelp, showPalette, toggleFocus, togglePanel, useOpen } from "./open";

const area = "view";
const STEP = 1.25;
const isPanel = (panel: string) => (): boolean => useOpen.getState().panel === panel;
const isSide = (panel: Panel) => (): boolean => useViewing.getState().panel === panel;
const settings = (): Values => useSettings.getState().values;

function help(): void {
  const [id] = selectedNodes();
  const node = id === undefined ? undefined : workflow().nodes.get(id);
  if (node) showHelp(node.type);
}

function fullScreen(): void {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(() => undefined);
}

async function refresh(): Promise<void> {
  await readTypes();
  tell(C.refreshed);
}

export const VIEWING: readonly Command[] = [
  { id: "view.palette", title: C.commands.palette, area, keys: ["Ctrl+K", "F1"], words: C.words["palette"] ?? "", always: true, run: () => showPalette(true) },
  { id: "view.menu", title: C.commands.menu, area, keys: ["Shift+F10", "ContextMenu"], run: openMenuHere },
  { id: "view.fit", title: C.commands.fit, area, keys: ["F", "."], words: C.words["fit"] ?? "", run: fit },
  { id: "view.fitSelection", title: C.commands.fitSelection, area, keys: ["Shift+F"], isReady: () => selectedNodes().length > 0, run: fitSelected },
  { id: "view.zoomIn", title: C.commands.zoomIn, area, keys: ["+", "="], run: () => zoomBy(STEP) },
  { id: "view.zoomOut", title: C.commands.zoomOut, area, keys: ["-"], run: () => zoomBy(1 / STEP) },
  { id: "view.zoomFull", title: C.commands.zoomFull, area, keys: ["0", "1"], run: () => zoomTo(1) },
  {
    id: "view.minimap",
    title: C.commands.minimap,
    area,
    words: C.words["minimap"] ?? "",
    isOn: () => settings().minimap,
    run: () => trying(() => changeSettings({ minimap: !settings().minimap })),
  },
  {
    id: "view.shapes",
    title: C.commands.shapes,
    area,
    keys: ["S"],
    words: C.words["shapes"] ?? "",
    isOn: () => settings().shapes,
    run: () => trying(() => changeSettings({ shapes: !settings().shapes })),
  },
  { id: "view.theme", title: C.commands.theme, area, words: C.words["theme"] ?? "", run: () => trying(toggleTheme) },
  {
    id: "view.focus",
    title: C.commands.focusMode,
    area,
    keys: ["Ctrl+\\"],
    words: C.words["focusMode"] ?? "",
    isOn: () => useOpen.getState().isFocused,
    run: toggleFocus,
  },
  { id: "view.fullScreen", title: C.commands.fullScreen, area, run: fullScreen },
  { id: "view.library", title: C.commands.library, area, keys: ["L"], words: C.words["library"] ?? "", isOn: isPanel("library"), run: () => togglePanel("library") },
  { id: "view.outline", title: C.commands.outline, area, keys: ["O"], isOn: isPanel("outline"), run: () => togglePanel("outline") },
  { id: "view.problems", title: C.commands.problems, area, keys: ["Alt+P"], always: true, isOn: isSide("problems"), run: () => toggleSide("problems") },
  { id: "view.runs", title: C.commands.runs, area, keys: ["Alt+Q"], words: C.words["runs"] ?? "", always: true, isOn: isSide("runs"), run: () => toggleSide("runs") },
  { id: "view.log", title: C.commands.log, area, words: C.words["log"] ?? "", isOn: isSide("log"), run: () => toggleSide("log") },
  { id: "view.gallery", title: C.commands.gallery, area, keys: ["Alt+G"], words: C.words["gallery"] ?? "", always: true, run: () => showGallery(true) },
  { id: "view.form", title: C.commands.form, area, isOn: () => useFiles.getState().isForm, run: toggleForm },
  { id: "view.refresh", title: C.commands.refresh, area, keys: ["Alt+R"], words: C.words["refresh"] ?? "", run: () => trying(refresh) },
  { id: "view.settings", title: C.commands.settings, area, keys: ["Ctrl+,"], run: () => showDialog("settings") },
  { id: "view.about", title: C.commands.about, area, run: () => showDialog("about") },
  { id: "view.canvas", title: C.commands.goToCanvas, area, keys: ["F6"], run: focusCanvas },
  { id: "view.shortcuts", title: C.commands.shortcuts, area, keys: ["?"], run: () => showDialog("shortcuts") },
  { id: "view.help", title: C.commands.help, area, keys: ["H"], isReady: () => selectedNodes().length === 1, run: help },
];
