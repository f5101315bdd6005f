import { expect, it } from "vitest";
import type { Job } from "../api/jobs";
import { newRun, WAITING, type JobRun } from "./state";
import { isUnchanged } from "./unchanged";

const run = (state: string, ...verdicts: string[]): JobRun => ({
  ...newRun({ id: "j", state } as Job),
  nodes: new Map(verdicts.map((verdict, index) => [String(index), { ...WAITING, verdict }])),
});

it("a run made nothing new where all of its nodes were kept from before", () => {
  expect(isUnchanged(run("done", "memory", "disk", "cached"))).toBe(true);
  expect(isUnchanged(run("done", "memory", "ran"))).toBe(false);
  expect(isUnchanged(run("cancelled", "memory"))).toBe(false);
  expect(isUnchanged(run("done"))).toBe(false);
});
