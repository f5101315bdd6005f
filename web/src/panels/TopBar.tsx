import type { ReactNode } from "react";
import * as actions from "../actions";
import { fit, searchAt } from "../canvas/view";
import { currentTab, redoNext, showDialog, undoLast, useEditor } from "../editor";
import { useRuns } from "../runs";
import { toggleTheme } from "../settings";
import { T } from "../texts";
import { Device } from "./Device";
import { Icon } from "./Icon";
import { Tabs } from "./Tabs";
import { RunButton } from "./RunButton";
import { togglePanel } from "./viewing";
import { WorkflowMenu } from "./WorkflowMenu";

export function TopBar() {
  return (
    <nav className="bar" aria-label={T.bar.label}>
      <b className="brand">
        <span className="logo" aria-hidden /> <span className="brand-name">{T.product}</span>
      </b>
      <WorkflowMenu />
      <Tabs />
      <Editing />
      <span className="space" />
      <State />
      <RunButton />
    </nav>
  );
}

function IconButton({ text, onClick, disabled, children }: { text: string; onClick: () => void; disabled?: boolean; children: ReactNode }) {
  return (
    <button type="button" className="icon-button" aria-label={text} title={text} onClick={onClick} disabled={disabled}>
      {children}
    </button>
  );
}

function Editing() {
  const past = useEditor((state) => currentTab(state).history.past.length);
  const future = useEditor((state) => currentTab(state).history.future.length);
  return (
    <div className="buttons">
      <IconButton text={T.bar.undo} onClick={undoLast} disabled={!past}>
        <Icon name="undo" />
      </IconButton>
      <IconButton text={T.bar.redo} onClick={redoNext} disabled={!future}>
        <Icon name="redo" />
      </IconButton>
      <IconButton text={T.bar.addNode} onClick={() => searchAt([innerWidth / 2, innerHeight / 3])}>
        <Icon name="add" />
      </IconButton>
      <IconButton text={T.bar.fit} onClick={fit}>
        <Icon name="fit" />
      </IconButton>
    </div>
  );
}

function State() {
  const problems = useEditor((state) => state.problems);
  const isEmpty = useEditor((state) => currentTab(state).history.now.nodes.size === 0);
  const isOffline = useRuns((state) => state.wasConnected && !state.isConnected);
  const remaining = useRuns((state) => state.remaining);
  const isPaused = useRuns((state) => state.isPaused);
  const wrong = problems.filter((problem) => problem.severity !== "todo");
  const errors = wrong.some((problem) => problem.severity === "error");
  return (
    <div className="buttons">
      {isOffline && (
        <span className="offline" role="status">
          {T.bar.offline}
        </span>
      )}
      {!isEmpty && (
        <button type="button" className={`badge${errors ? " error" : wrong.length ? " warning" : ""}`} onClick={() => togglePanel("problems")}>
          {T.bar.problems(wrong.length, problems.length - wrong.length)}
        </button>
      )}
      <button type="button" className={`badge${isPaused ? " warning" : remaining ? " busy" : ""}`} onClick={() => togglePanel("runs")}>
        {remaining ? T.bar.queued(remaining) : T.panel.queue}
        {isPaused && ` · ${T.run.states["paused"]}`}
      </button>
      <Device />
      <IconButton text={T.bar.theme} onClick={() => actions.trying(toggleTheme)}>
        <Icon name="theme" />
      </IconButton>
      <IconButton text={T.settings.title} onClick={() => showDialog("settings")}>
        <Icon name="gear" />
      </IconButton>
      <IconButton text={T.bar.shortcuts} onClick={() => showDialog("shortcuts")}>
        <Icon name="help" />
      </IconButton>
    </div>
  );
}
