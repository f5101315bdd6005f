import { describe, expect, it } from "vitest";
import { stepsBefore, stepsOf, textOf, withSteps } from "./draftHistory";
import { addNode } from "./document/commands";
import { EMPTY, writeWorkflow } from "./document/document";
import { apply, redo, startHistory, undo, type History } from "./document/history";

const grown = (steps: number, type = "Note"): History => {
  let history = startHistory(EMPTY);
  for (let step = 0; step < steps; step += 1) history = apply(history, addNode(`${type.slice(0, 4)}${step}`, type, [0, 0]));
  return history;
};

describe("the steps that a draft keeps", () => {
  it("undo and redo as before, once they are read again", () => {
    const before = undo(undo(grown(5)));
    const after = withSteps(startHistory(before.now), stepsOf(before));
    const texts = (history: History): string[] => [...history.past, history.now, ...history.future].map(writeWorkflow);
    expect(texts(after)).toEqual(texts(before));
    expect(textOf(undo(after).now)).toBe(textOf(undo(before).now));
    expect(textOf(redo(redo(after)).now)).toBe(textOf(grown(5).now));
  });

  it("are the nearest ones where there are many, or large ones", () => {
    const many = stepsOf(grown(150));
    expect(many.past.length).toBe(100);
    expect(many.past.at(-1)).toBe(textOf(grown(149).now));
    const large = stepsOf(grown(20, "X".repeat(100_000)));
    expect(large.past.length).toBe(2);
    expect(large.past.join("").length).toBeLessThanOrEqual(4_000_000);
    expect(stepsOf(grown(2, "X".repeat(5_000_000))).past).toEqual([]);
  });

  it("come before what was done since, and what cannot be read is left out", () => {
    const since = apply(startHistory(grown(2).now), addNode("new", "Note", [0, 0]));
    const after = withSteps(since, { past: ["nonsense", textOf(grown(1).now)], future: [textOf(grown(3).now)] });
    expect(after.past.map((step) => step.nodes.size)).toEqual([1, 2]);
    expect(after.future).toEqual([]);
  });
});

describe("a draft that was written late", () => {
  it("goes on where the one before it was", () => {
    expect(stepsBefore("b", { text: "a", past: ["0"], future: ["z"] })).toEqual({ past: ["0", "a"], future: [] });
    expect(stepsBefore("a", { text: "a", past: ["0"], future: ["z"] })).toEqual({ past: ["0"], future: ["z"] });
    expect(stepsBefore("a", { text: "a" })).toEqual({ past: [], future: [] });
    expect(stepsBefore("a", undefined)).toEqual({ past: [], future: [] });
  });
});
