import { ReactFlowProvider } from "@xyflow/react";
import { useEffect } from "react";
import { readTypes, trying } from "./actions";
import { validate } from "./api/client";
import { Canvas } from "./canvas/Canvas";
import { writeWorkflow } from "./document/document";
import { currentTab, keepDraft, labelOf, setProblems, showDialog, tell, useEditor, useWorkflow } from "./editor";
import { Dialogs } from "./panels/Dialogs";
import { FullView, ResultStrip } from "./panels/Results";
import { Search } from "./panels/Search";
import { Side } from "./panels/Side";
import { TopBar } from "./panels/TopBar";
import { useViewing } from "./panels/viewing";
import { followRuns, useRuns } from "./runs";
import { onKey } from "./shortcuts";
import { T } from "./texts";

const DRAFT_AFTER = 300;
const VALIDATE_AFTER = 400;
const NOTICE_FOR = 5000;

export function App() {
  const theme = useViewing((state) => state.theme);
  useEffect(() => {
    trying(readTypes);
    document.addEventListener("keydown", onKey);
    const stop = followRuns({ returned: () => trying(readTypes), failed: tell });
    return () => {
      document.removeEventListener("keydown", onKey);
      stop();
    };
  }, []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const title = useEditor((state) => labelOf(currentTab(state)));
  useEffect(() => {
    document.title = `${title} · ${T.product}`;
  }, [title]);
  useDraft();
  useValidation();
  return (
    <ReactFlowProvider>
      <TopBar />
      <Canvas />
      <Welcome />
      <ResultStrip />
      <Side />
      <Search />
      <Dialogs />
      <FullView />
      <Notice />
    </ReactFlowProvider>
  );
}

/** Keeps what is open for after a crash. */
function useDraft(): void {
  const tabs = useEditor((state) => state.tabs);
  const active = useEditor((state) => state.active);
  useEffect(() => {
    const timer = setTimeout(keepDraft, DRAFT_AFTER);
    return () => {
      clearTimeout(timer);
    };
  }, [tabs, active]);
  useEffect(() => {
    addEventListener("pagehide", keepDraft);
    return () => {
      removeEventListener("pagehide", keepDraft);
    };
  }, []);
}

/** Asks the server for every problem, shortly after each change; places and titles do not count. */
function useValidation(): void {
  const { nodes } = useWorkflow();
  const active = useEditor((state) => state.active);
  const isConnected = useRuns((state) => state.isConnected);
  useEffect(() => {
    let isOld = false;
    const timer = setTimeout(() => {
      const now = useEditor.getState().tabs.find((tab) => tab.key === active)?.history.now;
      if (!now || !isConnected) return;
      if (!now.nodes.size) {
        setProblems([]);
        return;
      }
      trying(async () => {
        const problems = await validate(writeWorkflow(now));
        if (!isOld) setProblems(problems);
      });
    }, VALIDATE_AFTER);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [nodes, active, isConnected]);
}

function Welcome() {
  const now = useWorkflow();
  const isSearching = useEditor((state) => state.searching !== null);
  if (now.nodes.size || now.notes.length || now.groups.length || isSearching) return null;
  return (
    <section className="welcome">
      <h1>{T.canvas.emptyTitle}</h1>
      <p>{T.canvas.emptyText}</p>
      <button
        type="button"
        className="run"
        onClick={() => {
          showDialog("templates");
        }}
      >
        {T.dialog.templates}
      </button>
      <p>
        <small>{T.canvas.emptyHint}</small>
      </p>
    </section>
  );
}

function Notice() {
  const notice = useEditor((state) => state.notice);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => {
      useEditor.setState({ notice: null });
    }, NOTICE_FOR);
    return () => {
      clearTimeout(timer);
    };
  }, [notice]);
  return (
    <div className="notice" role="status" aria-live="polite">
      {notice && <p key={notice.key}>{notice.text}</p>}
    </div>
  );
}
