import { useRef, type ReactNode } from "react";
import * as actions from "../actions";
import { fit, searchAt } from "../canvas/view";
import { currentTab, openEmpty, redoNext, reopenTab, showDialog, undoLast, useEditor } from "../editor";
import * as files from "../files";
import { may, useMe } from "../me";
import { useRuns } from "../runs";
import { toggleTheme } from "../settings";
import { T } from "../texts";
import { Device } from "./Device";
import { Icon } from "./Icon";
import { Tabs } from "./Tabs";
import { RunButton } from "./RunButton";
import { togglePanel } from "./viewing";

export function TopBar() {
  return (
    <nav className="bar" aria-label={T.bar.label}>
      <b className="brand">
        <span className="logo" aria-hidden /> {T.product}
      </b>
      <Menu />
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

function Menu() {
  const details = useRef<HTMLDetailsElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const canEdit = useMe(may("editor"));
  const canRun = useMe(may("runner"));
  const items: readonly (readonly [text: string, run: () => void, isOff?: boolean] | null)[] = [
    [T.menu.new, openEmpty],
    [T.menu.open, () => showDialog("open")],
    [T.menu.templates, () => showDialog("templates")],
    [T.menu.reopen, reopenTab],
    null,
    [T.menu.save, () => actions.trying(files.save), !canEdit],
    [T.menu.saveAs, () => showDialog("saveAs"), !canEdit],
    [T.menu.versions, files.showVersions],
    null,
    [T.menu.import, () => file.current?.click()],
    [T.menu.exportOurs, () => actions.trying(() => files.exportAs("darkroom"))],
    [T.menu.exportApi, () => actions.trying(() => files.exportAs("api"))],
    [T.menu.exportEditor, () => actions.trying(() => files.exportAs("editor"))],
    [T.menu.call, () => showDialog("call"), !canRun],
    null,
    [T.menu.missing, () => actions.trying(files.lookForMissing)],
    [T.menu.form, files.toggleForm],
    [T.menu.settings, () => showDialog("settings")],
    [T.menu.about, () => showDialog("about")],
    null,
    [T.menu.clear, actions.clearAll],
  ];
  return (
    <details
      ref={details}
      className="menu"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
      }}
    >
      <summary aria-label={T.bar.workflow}>
        {T.bar.workflow} <Icon name="down" />
      </summary>
      <div role="menu" aria-label={T.bar.workflow}>
        {items.map((item, index) =>
          item ? (
            <button
              key={index}
              type="button"
              role="menuitem"
              disabled={item[2]}
              title={item[2] ? T.me.needs(canRun ? "editor" : "runner") : undefined}
              onClick={() => {
                if (details.current) details.current.open = false;
                item[1]();
              }}
            >
              {item[0]}
            </button>
          ) : (
            <hr key={index} />
          ),
        )}
      </div>
      <input
        ref={file}
        hidden
        type="file"
        accept=".json,image/*"
        aria-label={T.menu.import}
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) actions.trying(() => files.openFile(chosen));
          event.target.value = "";
        }}
      />
    </details>
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
  const errors = problems.some((problem) => problem.severity === "error");
  return (
    <div className="buttons">
      {isOffline && (
        <span className="offline" role="status">
          {T.bar.offline}
        </span>
      )}
      {!isEmpty && (
        <button type="button" className={`badge${errors ? " error" : problems.length ? " warning" : ""}`} onClick={() => togglePanel("problems")}>
          {T.bar.problems(problems.length)}
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
