import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Job, JobEvent } from "../api/jobs";
import { afterEvents, bare, newRun, picturesIn, textsIn, type JobRun } from "./state";

const JOB: Job = { id: "j", state: "queued", title: "", client_id: "", priority: 0, created: 0, started: null, ended: null, error: null };

let number = 0;
const event = (kind: string, data: Record<string, unknown> = {}, at = 0): JobEvent => ({ job: "j", number: (number += 1), kind, data, at });

function story(): JobEvent[] {
  number = 0;
  return [
    event("queued"),
    event("started", { nodes: ["a", "b", "c"], cached: ["a"] }, 1000),
    event("node_started", { node: "b", display_node: "b", reason: "seed 4 → 5" }, 1000),
    event("progress", { node: "b", display_node: "b", done: 1, total: 4 }, 2000),
    event("progress", { node: "b", display_node: "b", done: 2, total: 4 }, 3000),
    event("node_finished", { node: "b", display_node: "b", verdict: "ran", reason: "seed 4 → 5", seconds: 4, ui: { text: ["hello"] } }),
    event("node_failed", { node: "c", display_node: "c", message: "It broke.", trace: ["line 1", "line 2"] }),
    event("finished", { state: "failed", error: { message: "It broke.", node: "c" } }, 9000),
  ];
}

const plain = (run: JobRun): unknown => ({ ...run, nodes: [...run.nodes], ended: [...run.ended] });

describe("the events of a job", () => {
  it("tell the state of each node and of the job", () => {
    const run = afterEvents(newRun(JOB), story());
    expect(run.job).toMatchObject({ state: "failed", started: 1000, ended: 9000, error: { node: "c" } });
    expect(run.nodes.get("a")).toMatchObject({ state: "done", verdict: "cached" });
    expect(run.nodes.get("b")).toMatchObject({ state: "done", verdict: "ran", reason: "seed 4 → 5", seconds: 4, texts: ["hello"], pace: 1 });
    expect(run.nodes.get("c")).toMatchObject({ state: "failed", error: { message: "It broke.", trace: "line 1\nline 2" } });
  });

  it("give the same however they are cut into pieces, repeated and shuffled within a piece", () => {
    const all = story();
    fc.assert(
      fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), fc.array(fc.nat(all.length - 1)), fc.nat(), (cuts, repeats, seed) => {
        const ends = [0, ...cuts, all.length].sort((a, b) => a - b);
        let run = newRun(JOB);
        for (const [place, end] of ends.entries()) {
          const piece = all.slice(ends[place - 1] ?? 0, end);
          const again = repeats.map((index) => all[index] as JobEvent).filter((item) => item.number <= end);
          run = afterEvents(run, shuffled([...piece, ...again], seed));
        }
        expect(plain(run)).toEqual(plain(afterEvents(newRun(JOB), all)));
      }),
    );
  });

  it("change nothing when they are known already", () => {
    const run = afterEvents(newRun(JOB), story());
    expect(afterEvents(run, story())).toBe(run);
  });

  it("may leave a gap, as after a crash of the server", () => {
    const [queued, started, ...rest] = story();
    const late = rest.map((item) => ({ ...item, number: item.number + 1000 }));
    const run = afterEvents(newRun(JOB), [queued, started, ...late] as JobEvent[]);
    expect(run.job.state).toBe("failed");
    expect(run.last).toBe(1008);
  });

  it("start from nothing when the job is tried again", () => {
    const again = { ...event("started", { nodes: ["a", "b"], cached: [] }, 5000), number: 100 };
    const run = afterEvents(afterEvents(newRun(JOB), story().slice(0, 5)), [again]);
    expect([...run.nodes.values()].map(({ state }) => state)).toEqual(["waiting", "waiting"]);
    expect(run.ended.size).toBe(0);
  });

  it("leave no node running when the job was cancelled or its worker went", () => {
    const running = afterEvents(newRun(JOB), story().slice(0, 4));
    expect(running.nodes.get("b")?.state).toBe("running");
    const cancelled = afterEvents(running, [{ ...event("finished", { state: "cancelled", error: null }), number: 50 }]);
    expect(cancelled.nodes.get("b")).toMatchObject({ state: "done", verdict: "cancelled" });
    const waiting = afterEvents(running, [{ ...event("interrupted", { reason: "killed" }), number: 50 }]);
    expect(waiting.nodes.get("b")?.state).toBe("waiting");
  });

  it("count a node inside another one for the job, and show it on the outer one", () => {
    number = 0;
    const run = afterEvents(newRun(JOB), [
      event("started", { nodes: ["sub:1"], cached: [] }),
      event("node_started", { node: "sub:1", display_node: "sub", reason: "" }),
      event("node_finished", { node: "sub:1", display_node: "sub", verdict: "ran", reason: "", seconds: 1, ui: {} }),
    ]);
    expect(run.ended.has("sub:1")).toBe(true);
    expect(run.nodes.get("sub")?.state).toBe("done");
  });

  it("are rolled up for the subgraph that nodes lie in", () => {
    number = 0;
    const begun = afterEvents(newRun(JOB), [
      event("started", { nodes: ["5:1", "5:2:3", "out"], cached: ["5:1"] }, 0),
      event("node_started", { node: "5:2:3", display_node: "5:2:3", reason: "seed 4 → 5" }, 0),
      event("progress", { node: "5:2:3", display_node: "5:2:3", done: 3, total: 10 }, 6000),
    ]);
    for (const id of ["5", "5:2"]) expect(begun.nodes.get(id)).toMatchObject({ state: "running", done: 3, total: 10 });
    const ui = { images: [{ filename: "a.png", type: "temp" }] };
    const done = afterEvents(begun, [event("node_finished", { node: "5:2:3", display_node: "5:2:3", verdict: "ran", reason: "seed 4 → 5", seconds: 2, ui })]);
    expect(done.nodes.get("5")).toMatchObject({ state: "done", verdict: "ran", reason: "seed 4 → 5", seconds: 2, pictures: [{ name: "a.png" }] });
    const failed = afterEvents(begun, [event("node_failed", { node: "5:2:3", display_node: "5:2:3", message: "No.", trace: "" })]);
    expect(failed.nodes.get("5")).toMatchObject({ state: "failed", error: { message: "No." } });
    const cached = afterEvents(newRun(JOB), [event("started", { nodes: ["5:1"], cached: ["5:1"] })]);
    expect(cached.nodes.get("5")).toMatchObject({ state: "done", verdict: "cached" });
  });

  it("are forgotten with the states of the nodes when memory is saved", () => {
    expect(bare(afterEvents(newRun(JOB), story()))).toMatchObject({ last: 0, isBare: true, job: { state: "failed" } });
  });
});

describe("what a node showed", () => {
  it("is every file, whatever it is called, and every text", () => {
    const ui = { images: [{ filename: "a.png", subfolder: "s", type: "output" }], audio: [{ filename: "b.flac", type: "temp" }], animated: [true], text: ["one", ["two"]] };
    expect(picturesIn(ui).map(({ name, kind }) => `${kind} ${name}`)).toEqual(["output s/a.png", "temp b.flac"]);
    expect(textsIn(ui)).toEqual(["one", "two"]);
  });

  it("may be anything and never breaks the page", () => {
    fc.assert(
      fc.property(fc.anything(), (ui) => {
        expect(Array.isArray(picturesIn(ui)) && Array.isArray(textsIn(ui))).toBe(true);
      }),
    );
  });
});

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  return items.map((item, place) => ({ item, rank: Math.sin(seed + place * 7.3) })).sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}
