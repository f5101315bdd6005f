/** How the Run button runs: how often, and whether by itself whenever something changes. */

import { useEffect, useRef } from "react";
import { create } from "zustand";
import { runWorkflow, trying } from "../actions";
import type { Workflow } from "../document/document";
import { useEditor, workflowIn } from "../editor";
import { activeJobs, useRuns } from "../runs";

interface Running {
  readonly times: number;
  readonly isOnChange: boolean;
  /** Whether the browser tells when the last job ended and the page is not seen. */
  readonly tells: boolean;
}

const TELLS = "darkroom.tells";
const CHANGED_AFTER = 700;
export const MOST_TIMES = 100;

export const useRunning = create<Running>(() => ({ times: 1, isOnChange: false, tells: localStorage.getItem(TELLS) === "yes" }));

export function setTimes(times: number): void {
  useRunning.setState({ times: Math.min(Math.max(Math.round(times) || 1, 1), MOST_TIMES) });
}

export function toggleOnChange(): void {
  useRunning.setState((state) => ({ isOnChange: !state.isOnChange }));
}

/** Lets the browser tell of ends, once it allows that. Gives whether it does now. */
export async function toggleTells(): Promise<boolean> {
  const wanted = !useRunning.getState().tells;
  const tells = wanted && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(TELLS, tells ? "yes" : "no");
  useRunning.setState({ tells });
  return tells === wanted;
}

/** Runs the workflow, with its seeds as they are, after each change that is left standing; one run at a time. */
export function useRunOnChange(): void {
  const isOn = useRunning((state) => state.isOnChange);
  const nodes = useEditor((state) => workflowIn(state).nodes);
  const isWrong = useEditor((state) => state.problems.some((problem) => (problem.told ?? problem.severity) === "error"));
  const isBusy = useRuns((state) => activeJobs(state).some((run) => run.job.state !== "paused"));
  const ran = useRef<Workflow["nodes"] | null>(null);
  useEffect(() => {
    if (!isOn) ran.current = null;
    if (!isOn || isBusy || isWrong || !nodes.size || nodes === ran.current) return;
    const timer = setTimeout(() => {
      ran.current = nodes;
      trying(() => runWorkflow(1, undefined, true));
    }, CHANGED_AFTER);
    return () => {
      clearTimeout(timer);
    };
  }, [isOn, nodes, isWrong, isBusy]);
}
