import { lazy, Suspense } from "react";
import { T } from "../texts";
import { R } from "../texts-runs";
import { Icon } from "./Icon";
import { Problems } from "./Problems";
import { Queue } from "./Queue";
import { togglePanel, useViewing, type Panel } from "./viewing";
import "./side.css";

const Log = lazy(() => import("./Log").then((module) => ({ default: module.Log })));

const TITLES: Readonly<Record<Panel, string>> = { problems: T.panel.problems, runs: T.panel.queue, log: R.log.title };

/** The panel at the right: what is wrong, what runs and ran, or the server's log. */
export function Side() {
  const panel = useViewing((state) => state.panel);
  if (!panel) return null;
  return (
    <aside className={`side side-${panel}`} aria-label={TITLES[panel]}>
      <header>
        <h2>{TITLES[panel]}</h2>
        <button
          type="button"
          className="icon-button"
          aria-label={T.panel.close}
          onClick={() => {
            togglePanel(panel);
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <Suspense>{panel === "problems" ? <Problems /> : panel === "runs" ? <Queue /> : <Log />}</Suspense>
    </aside>
  );
}
