import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobState } from "../api/jobs";
import { dropPlace, inOrder, placeFor, type Place } from "./queue";
import { newRun, type JobRun } from "./state";

const job = (id: string, state: JobState): JobRun =>
  newRun({ id, state, title: "", client_id: "", priority: 0, created: 0, started: null, ended: null, error: null });

/** What the server does with a place. */
function moved(order: readonly string[], id: string, { before, after }: Place): string[] {
  const rest = order.filter((item) => item !== id);
  const at = before !== undefined ? rest.indexOf(before) : after !== undefined ? rest.indexOf(after) + 1 : 0;
  return [...rest.slice(0, at), id, ...rest.slice(at)];
}

describe("the queue", () => {
  it("shows what runs first, then what waits in the server's order, then what is held, and nothing that ended", () => {
    const jobs = [job("late", "queued"), job("held", "paused"), job("b", "queued"), job("over", "done"), job("a", "queued"), job("now", "running")];
    const found = inOrder(new Map(jobs.map((run) => [run.job.id, run])), ["a", "b", "held"]);
    expect(found.map((run) => run.job.id)).toEqual(["now", "a", "b", "late", "held"]);
  });

  const order = ["a", "b", "c"];
  it.each([
    ["b", "up", ["b", "a", "c"]],
    ["b", "down", ["a", "c", "b"]],
    ["c", "top", ["c", "a", "b"]],
    ["a", "last", ["b", "c", "a"]],
  ] as const)("moves %s %s", (id, where, expected) => {
    expect(moved(order, id, placeFor(order, id, where) as Place)).toEqual(expected);
  });

  it("asks nothing where a job stands there already", () => {
    expect([placeFor(order, "a", "up"), placeFor(order, "a", "top"), placeFor(order, "c", "down"), placeFor(order, "c", "last")]).toEqual([null, null, null, null]);
    expect([placeFor(order, "gone", "up"), dropPlace(order, "a", "a"), dropPlace(order, "gone", "a"), dropPlace(order, "a", "gone")]).toEqual([null, null, null, null]);
  });

  it("puts what is dropped where the other one stood", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 }), fc.nat(), fc.nat(), (ids, a, b) => {
        const [id, target] = [ids[a % ids.length] as string, ids[b % ids.length] as string];
        const place = dropPlace(ids, id, target);
        if (place) expect(moved(ids, id, place).indexOf(id)).toBe(ids.indexOf(target));
        else expect(id).toBe(target);
      }),
    );
  });
});
