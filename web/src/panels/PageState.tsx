import { useEffect, useState } from "react";
import { currentTab, labelOf, useEditor } from "../editor";
import { progressOf } from "../jobs/estimate";
import { useRunning } from "../jobs/running";
import { activeJobs, useRuns, type JobRun } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";

type Mark = "idle" | "running" | "done" | "failed";

/** What the browser's tab says of the runs, for somebody who looks elsewhere: progress, end, failure. */
export function PageState() {
  const label = useEditor((state) => labelOf(currentTab(state)));
  const percent = useRuns((state) => percentOf(activeJobs(state), state.timings));
  const ended = useUnseenEnd();
  const mark: Mark = percent !== null ? "running" : ended ? (ended.job.state === "failed" ? "failed" : "done") : "idle";
  const share = (percent ?? 0) / 100;
  useEffect(() => {
    const title = `${label} · ${T.product}`;
    const marked = { idle: title, running: R.title.running(share, title), done: R.title.done(title), failed: R.title.failed(title) };
    document.title = marked[mark];
  }, [label, mark, share]);
  useEffect(() => {
    drawIcon(mark, share);
  }, [mark, share]);
  return null;
}

/** How far the jobs that are open are, in whole percents; null where none is. */
function percentOf(open: readonly JobRun[], timings: Parameters<typeof progressOf>[1]): number | null {
  const running = open.filter((run) => run.job.state === "running");
  if (!running.length) return null;
  return Math.round((100 * running.reduce((sum, run) => sum + progressOf(run, timings).share, 0)) / running.length);
}

/** The job that ended last while the page was not seen. */
function useUnseenEnd(): JobRun | null {
  const [ended, setEnded] = useState<JobRun | null>(null);
  useEffect(() => {
    const onSeen = (): void => {
      if (!document.hidden) setEnded(null);
    };
    const stop = useRuns.subscribe((state, old) => {
      if (!document.hidden || state.jobs === old.jobs || !activeJobs(old).length || activeJobs(state).length) return;
      const last = activeJobs(old).map((run) => state.jobs.get(run.job.id)).find((run) => run !== undefined);
      if (!last) return;
      setEnded(last);
      tellEnd(last);
    });
    document.addEventListener("visibilitychange", onSeen);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", onSeen);
    };
  }, []);
  return ended;
}

function tellEnd({ job }: JobRun): void {
  if (!useRunning.getState().tells || Notification.permission !== "granted") return;
  const text = R.title.told(job.title || T.untitled, job.error?.message ?? T.run.states[job.state] ?? job.state);
  const note = new Notification(T.product, { body: text, tag: "darkroom" });
  note.onclick = () => {
    window.focus();
    note.close();
  };
}

const ROUND = 2 * Math.PI * 11;

/** A disc, a ring that fills, or a dot of the colour of the end. */
function drawIcon(mark: Mark, share: number): void {
  const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const ring = `<circle cx="16" cy="16" r="11" fill="none" stroke="${colour("--busy")}" stroke-width="5" stroke-dasharray="${share * ROUND} ${ROUND}" transform="rotate(-90 16 16)"/>`;
  const disc = (name: string): string => `<circle cx="16" cy="16" r="11" fill="${colour(name)}"/>`;
  const shapes: Readonly<Record<Mark, string>> = {
    idle: disc("--accent"),
    running: `<circle cx="16" cy="16" r="11" fill="none" stroke="${colour("--strong-line")}" stroke-width="5"/>${ring}`,
    done: disc("--good"),
    failed: disc("--bad"),
  };
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]') ?? document.head.appendChild(Object.assign(document.createElement("link"), { rel: "icon" }));
  link.href = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shapes[mark]}</svg>`)}`;
}
