/** How far a job is and how long it will still take. */

import type { Id } from "../document/document";
import type { JobRun, NodeRun } from "./state";

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** 0 to 1, with what the running node has done of its steps. */
  readonly share: number;
  /** The node that runs and shows the most of itself, if any. */
  readonly current: Id | null;
  /** Seconds, null where nothing tells. */
  readonly left: number | null;
}

/** What nodes took when they last ran, by id. */
export type Timings = ReadonlyMap<Id, number>;

export function progressOf(run: JobRun, timings: Timings): Progress {
  const total = run.plan.length;
  const done = run.plan.reduce((count, id) => count + (run.ended.has(id) ? 1 : 0), 0);
  const running = [...run.nodes].filter(([, node]) => node.state === "running");
  const current = running.findLast(([, node]) => node.total > 0) ?? running.at(-1) ?? null;
  const weights = run.plan.map((id) => weightOf(id, run, timings));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const passed = run.plan.reduce((sum, id, place) => sum + (weights[place] ?? 0) * shareOf(id, run), 0);
  return { done, total, share: whole ? passed / whole : 0, current: current?.[0] ?? null, left: leftOf(run, timings) };
}

/** What a node counts that nothing is known of, in seconds. */
const UNKNOWN = 0.05;

/** The seconds a node took, or will take as its steps tell, or took when it last ran. */
function weightOf(id: Id, run: JobRun, timings: Timings): number {
  const node = run.nodes.get(id);
  if (node && run.ended.has(id)) return Math.max(node.verdict === "ran" ? node.seconds : 0, UNKNOWN);
  if (node?.state === "running" && node.pace > 0) return node.total * node.pace;
  return Math.max(timings.get(id) ?? 0, UNKNOWN);
}

function shareOf(id: Id, run: JobRun): number {
  if (run.ended.has(id)) return 1;
  const node = run.nodes.get(id);
  return node?.state === "running" && node.total > 0 ? Math.min(node.done / node.total, 1) : 0;
}

/** What is known of the nodes still to come, and of the steps of those that run; null when no node tells anything. */
function leftOf(run: JobRun, timings: Timings): number | null {
  let [left, isKnown] = [0, false];
  for (const id of run.plan) {
    if (run.ended.has(id)) continue;
    const node = run.nodes.get(id);
    const seconds = (node && nodeLeft(node)) ?? timings.get(id);
    if (seconds === undefined || seconds === null) continue;
    isKnown = true;
    left += seconds;
  }
  return isKnown ? left : null;
}

/** Seconds until a node that shows steps has done them, null where nothing tells. */
export function nodeLeft(node: NodeRun): number | null {
  if (node.state !== "running" || !node.pace || !node.total) return null;
  return Math.max(node.total - node.done, 0) * node.pace;
}

/** The timings with those of the nodes that a job ran to the end. */
export function withTimings(timings: Timings, nodes: ReadonlyMap<Id, NodeRun>, most: number): Timings {
  const found = new Map(timings);
  for (const [id, node] of nodes) {
    if (node.verdict !== "ran") continue;
    found.delete(id);
    found.set(id, node.seconds);
  }
  return new Map([...found].slice(-most));
}
