/** What people do with runs that were handed in, and with the problems of those that cannot be. */

import { runWorkflow } from "../actions";
import * as api from "../api/jobs";
import type { Problem } from "../api/client";
import { openJob } from "../files";
import { freePlace } from "../canvas/freePlace";
import { all, type Command } from "../document/commands";
import { repairOf } from "../document/repairs";
import { atSpot, spotOf, type Path } from "../document/subgraphs";
import { typesWithin } from "../document/subgraphTypes";
import * as editor from "../editor";
import { dropJob, readQueue, showJob, useRuns } from "../runs";
import { R } from "../texts-runs";
import { inOrder, type Place } from "./queue";

const FIRST = R.queue.priorities[0][0];

/** Cancels what runs now; where nothing runs, what waits first. */
export async function cancelCurrent(): Promise<void> {
  const { jobs, order } = useRuns.getState();
  const [first] = inOrder(jobs, order);
  if (first) await api.change(first.job.id, "cancel");
}

/** Shows a job's states on the canvas; where another workflow is open, its own is opened. */
export async function showOnCanvas(job: string): Promise<void> {
  await showJob(job);
  const run = useRuns.getState().jobs.get(job);
  const isHere = run && [...run.nodes.keys()].some((id) => spotOf(editor.whole(), id));
  if (isHere || !run?.nodes.size) return;
  await openJob(job);
  await showJob(job);
}

export async function moveJob(job: string, place: Place): Promise<void> {
  await api.move(job, place);
  await readQueue();
}

/** Hands in the workflow before all that waits. */
export async function runFirst(times: number): Promise<void> {
  for (const id of await runWorkflow(times)) await api.move(id, { priority: FIRST });
  await readQueue();
}

export async function setPriority(job: string, priority: number): Promise<void> {
  await api.move(job, { priority });
  await readQueue();
}

export async function forgetJob(job: string): Promise<void> {
  await api.forget(job);
  dropJob(job);
}

// Problems

/** The fix of a problem, made on the canvas where its node lies. */
function repairThere(problem: Problem): Command {
  const { known } = editor.useEditor.getState();
  const made = (node: string | null, path: Path): Command => (view) => {
    const types = typesWithin(known, editor.whole(), path);
    return repairOf({ ...problem, node }, types, (now, near, type) => freePlace(now, types, near, type))(view);
  };
  return problem.node === null ? made(null, []) : atSpot(problem.node, made);
}

/** Makes the fix of one problem; undo takes it back. */
export function fixProblem(problem: Problem): void {
  editor.runWhole(repairThere(problem));
  if (problem.repair?.action === "lora") editor.tell(R.repair.loraDone);
}

export function fixProblems(problems: readonly Problem[]): void {
  editor.runWhole(all(...problems.map(repairThere)));
  editor.tell(R.repair.done(problems.length));
}

export async function copyText(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  editor.tell(R.node.copied);
}
