import { describe, expect, it } from "vitest";
import type { Job } from "../api/jobs";
import { nodeLeft, progressOf, withTimings } from "./estimate";
import { newRun, WAITING, type JobRun, type NodeRun } from "./state";

const JOB: Job = { id: "j", state: "running", title: "", client_id: "", priority: 0, created: 0, started: 0, ended: null, error: null };
const node = (changes: Partial<NodeRun>): NodeRun => ({ ...WAITING, ...changes });

function runOf(nodes: Record<string, NodeRun>, ended: readonly string[] = []): JobRun {
  return { ...newRun(JOB), plan: Object.keys(nodes), nodes: new Map(Object.entries(nodes)), ended: new Set(ended) };
}

describe("the progress of a job", () => {
  it("is nothing and unknown before anything is known", () => {
    expect(progressOf(newRun(JOB), new Map())).toEqual({ done: 0, total: 0, share: 0, current: null, left: null });
  });

  it("weighs nodes by the time they took before", () => {
    const run = runOf({ quick: node({ state: "done", verdict: "cached" }), slow: node({ state: "running" }) }, ["quick"]);
    expect(progressOf(run, new Map([["slow", 9.95]])).share).toBeCloseTo(0.005);
    expect(progressOf(run, new Map([["slow", 9.95]])).left).toBeCloseTo(9.95);
    expect(progressOf(run, new Map())).toMatchObject({ done: 1, total: 2, share: 0.5, current: "slow", left: null });
  });

  it("takes the steps of the running node before what it took last time", () => {
    const run = runOf({ sample: node({ state: "running", done: 15, total: 20, pace: 2 }), decode: node({}) });
    expect(progressOf(run, new Map([["sample", 1], ["decode", 3]])).left).toBe(13);
    expect(progressOf(run, new Map([["decode", 10]])).share).toBeCloseTo(30 / 50);
  });

  it("names the node that shows steps when several run", () => {
    const run = runOf({ a: node({ state: "running", done: 1, total: 2 }), b: node({ state: "running" }) });
    expect(progressOf(run, new Map()).current).toBe("a");
  });

  it("never exceeds the whole", () => {
    const run = runOf({ a: node({ state: "running", done: 9, total: 4, pace: 1 }) });
    expect(progressOf(run, new Map()).share).toBe(1);
    expect(nodeLeft(node({ state: "running", done: 9, total: 4, pace: 1 }))).toBe(0);
  });
});

describe("what nodes took", () => {
  it("is kept of those that ran, the newest first to stay", () => {
    const nodes = new Map([["a", node({ verdict: "ran", seconds: 2 })], ["b", node({ verdict: "cached", seconds: 0 })]]);
    expect([...withTimings(new Map([["b", 5], ["c", 1]]), nodes, 2)]).toEqual([["c", 1], ["a", 2]]);
  });
});
