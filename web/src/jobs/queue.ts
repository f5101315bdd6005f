/** Which jobs stand where: what runs, what waits, and where a job that is moved goes. */

import { isOver, type JobRun } from "./state";

/** What runs first, then what waits in the order the server told; jobs it has not told of yet come last. */
export function inOrder(jobs: ReadonlyMap<string, JobRun>, order: readonly string[]): JobRun[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const open = [...jobs.values()].filter((run) => !isOver(run.job));
  const rank = ({ job }: JobRun): number => (job.state === "running" ? -1 : job.state === "paused" ? order.length + 1 : (place.get(job.id) ?? order.length));
  return open.map((run, index) => ({ run, index })).sort((a, b) => rank(a.run) - rank(b.run) || a.index - b.index).map(({ run }) => run);
}

export type Where = "up" | "down" | "top" | "last";
/** What the server is asked: before this job, after it, or before all ({}). */
export type Place = { readonly before?: string; readonly after?: string };

/** The new place of a job among the waiting ones, null where it is there already. */
export function placeFor(waiting: readonly string[], id: string, where: Where): Place | null {
  const at = waiting.indexOf(id);
  const [above, below, last] = [waiting[at - 1], waiting[at + 1], waiting.at(-1)];
  if (at < 0) return null;
  if (where === "up") return above === undefined ? null : { before: above };
  if (where === "down") return below === undefined ? null : { after: below };
  if (where === "top") return above === undefined ? null : {};
  return last === undefined || last === id ? null : { after: last };
}

/** Where a job goes that is dropped on another: before it when it comes from below, after it when from above. */
export function dropPlace(waiting: readonly string[], id: string, target: string): Place | null {
  const [from, to] = [waiting.indexOf(id), waiting.indexOf(target)];
  if (from < 0 || to < 0 || from === to) return null;
  return from > to ? { before: target } : { after: target };
}
