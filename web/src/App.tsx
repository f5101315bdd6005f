import { ReactFlowProvider } from "@xyflow/react";
import { lazy, Suspense, useEffect } from "react";
import { readTypes, trying } from "./actions";
import { validate } from "./api/client";
import { Canvas } from "./canvas/Canvas";
import { guardFocus } from "./canvas/focus";
import { onKeyOf } from "./commands/keys";
import { useOpen } from "./commands/open";
import { COMMANDS, commandOf } from "./commands/table";
import { pasteClipText } from "./clips";
import { writeWorkflow } from "./document/document";
import { keepDrafts, keepLate, mayLose } from "./drafts";
import { isChanged, setFacts, setProblems, tell, useEditor, useWhole } from "./editor";
import { autosave, pasteText, refresh } from "./files";
import { readMe } from "./me";
import { readPlugins } from "./plugins";
import { BesidePanel } from "./panels/BesidePanel";
import { ContextMenu } from "./panels/ContextMenu";
import { Dialogs } from "./panels/Dialogs";
import { Form } from "./panels/Form";
import { LinkPicker } from "./panels/LinkPicker";
import { NodeHelp } from "./panels/NodeHelp";
import { Notice } from "./panels/Notice";
import { Palette } from "./panels/Palette";
import { ResultStrip } from "./panels/Strip";
import { PageState } from "./panels/PageState";
import { Search } from "./panels/Search";
import { Side } from "./panels/Side";
import { TopBar } from "./panels/TopBar";
import { useViewing } from "./panels/viewing";
import { Welcome } from "./panels/Welcome";
import { followRuns, useRuns } from "./runs";
import { followSettings, readSettings, useSettings, useTheme } from "./settings";
import { followSystem } from "./system";
import { isWriting, pastePicture } from "./widgets/dropping";
import { MaskPainter } from "./widgets/mask/MaskPainter";

const FullView = lazy(() => import("./panels/FullView").then((module) => ({ default: module.FullView })));
const Gallery = lazy(() => import("./panels/Gallery").then((module) => ({ default: module.Gallery })));

const onKey = onKeyOf(COMMANDS);
const DRAFT_AFTER = 300;
const VALIDATE_AFTER = 400;

export function App() {
  const isViewing = useViewing((state) => state.picture !== null);
  const isGalleryOpen = useViewing((state) => state.isGalleryOpen);
  useEffect(() => {
    trying(readTypes);
    trying(readMe);
    trying(readSettings);
    trying(readPlugins);
    document.addEventListener("keydown", onKey);
    const unfollow = followSettings();
    const stopSystem = followSystem();
    const stopGuard = guardFocus();
    const stop = followRuns({ returned: () => trying(readTypes), changed: pluginsChanged, failed: tell });
    return () => {
      document.removeEventListener("keydown", onKey);
      stopGuard();
      stop();
      unfollow();
      stopSystem();
    };
  }, []);
  useLook();
  const isFocused = useOpen((state) => state.isFocused);
  useEffect(() => {
    document.documentElement.toggleAttribute("data-focused", isFocused);
  }, [isFocused]);
  return (
    <ReactFlowProvider>
      <PageState />
      <TopBar />
      <Canvas />
      <Welcome />
      <Form />
      <ResultStrip />
      <Side />
      <Search />
      <BesidePanel />
      <ContextMenu />
      <LinkPicker />
      <Palette />
      <NodeHelp />
      <Dialogs />
      <Suspense>
        {isGalleryOpen && <Gallery />}
        {isViewing && <FullView />}
      </Suspense>
      <MaskPainter />
      <Notice />
      <Following />
    </ReactFlowProvider>
  );
}

/** A worker has loaded plugins. */
function pluginsChanged(): void {
  trying(readTypes);
  trying(readPlugins);
}

/** Puts the chosen look on the page. */
function useLook(): void {
  const theme = useTheme();
  const { motion, previews } = useSettings((state) => state.values);
  useEffect(() => {
    Object.assign(document.documentElement.dataset, { theme, motion, previews: previews ? "on" : "off" });
  }, [theme, motion, previews]);
}

/** What follows every change, apart from what is drawn: a key that is typed draws no more than its node. */
function Following() {
  useDraft();
  useSaving();
  usePaste();
  useValidation();
  return null;
}

/** Keeps what is open for after a crash, and asks before a page is left that could not. */
function useDraft(): void {
  const tabs = useEditor((state) => state.tabs);
  const active = useEditor((state) => state.active);
  useEffect(() => {
    const timer = setTimeout(() => void keepDrafts(), DRAFT_AFTER);
    return () => {
      clearTimeout(timer);
    };
  }, [tabs, active]);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (mayLose()) event.preventDefault();
    };
    addEventListener("pagehide", keepLate);
    addEventListener("beforeunload", ask);
    return () => {
      removeEventListener("pagehide", keepLate);
      removeEventListener("beforeunload", ask);
    };
  }, []);
}

/** Saves named workflows a moment after a change, and reads again what another window saved. */
function useSaving(): void {
  const tabs = useEditor((state) => state.tabs);
  const seconds = useSettings((state) => state.values.autosave);
  const isConnected = useRuns((state) => state.isConnected);
  useEffect(() => {
    if (!seconds || !isConnected || !tabs.some((tab) => tab.etag !== null && isChanged(tab))) return;
    const timer = setTimeout(() => trying(autosave), seconds * 1000);
    return () => {
      clearTimeout(timer);
    };
  }, [tabs, seconds, isConnected]);
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible") trying(refresh);
    };
    document.addEventListener("visibilitychange", look);
    addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("focus", look);
    };
  }, []);
}

/** Pasted outside of a field, the text of a workflow is opened; else nodes that were copied come. */
function usePaste(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const data = event.clipboardData;
      if (!data || isWriting(event.target) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const command = commandOf("edit.paste");
      const text = data.getData("text/plain");
      if (pastePicture(data, event.target) || pasteClipText(text) || pasteText(text)) event.preventDefault();
      else if (command?.isReady?.() !== false) command?.run();
    };
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("paste", paste);
    };
  }, []);
}

/** Asks the server for every problem, shortly after each change, of what there is to use too; places and titles do not count. */
function useValidation(): void {
  const { nodes, subgraphs } = useWhole();
  const known = useEditor((state) => state.known);
  const active = useEditor((state) => state.active);
  const isConnected = useRuns((state) => state.isConnected);
  const isWanted = useSettings((state) => state.values.check);
  useEffect(() => {
    let isOld = false;
    const timer = setTimeout(() => {
      const now = useEditor.getState().tabs.find((tab) => tab.key === active)?.history.now;
      if (!now || !isConnected || !isWanted) return;
      if (!now.nodes.size) {
        setProblems([]);
        return;
      }
      trying(async () => {
        const { problems, facts } = await validate(writeWorkflow(now));
        if (isOld) return;
        setProblems(problems);
        setFacts(facts);
      });
    }, VALIDATE_AFTER);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [nodes, subgraphs, known, active, isConnected, isWanted]);
}
