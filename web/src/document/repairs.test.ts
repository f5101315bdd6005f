import { describe, expect, it } from "vitest";
import type { Problem, Repair } from "../api/client";
import { R } from "../texts-runs";
import { EMPTY, Link, type Workflow } from "./document";
import { Numeral } from "./json";
import { repairOf, repairText, safeRepairs } from "./repairs";

const now: Workflow = {
  ...EMPTY,
  nodes: new Map([
    ["a", { type: "Emtpy", inputs: new Map([["steps", 0], ["stepz", 3]]), title: "", mode: "mute", extra: new Map() }],
    ["b", { type: "Show", inputs: new Map(), title: "", mode: "run", extra: new Map() }],
  ]),
};

const problem = (repair: Repair | null, input: string | null = "steps", node = "a"): Problem => ({ code: "x", message: "", fix: "", node, input, severity: "error", repair });
const repair = (action: Repair["action"], value: unknown = null, safe = false): Repair => ({ action, value, safe });
const after = (given: Problem): Workflow => repairOf(given, new Map(), () => [0, 0])(now);

describe("a repair", () => {
  it("sets a value", () => {
    expect(after(problem(repair("set", 8))).nodes.get("a")?.inputs.get("steps")).toBe(8);
  });

  it("sets the largest seed to its last digit", () => {
    const seed = after(problem(repair("set", 2 ** 64))).nodes.get("a")?.inputs.get("steps");
    expect(seed).toEqual(new Numeral("18446744073709551615"));
  });

  it("links, renames, removes, retypes and unmutes", () => {
    expect(after(problem(repair("link", ["a", "LATENT"]), "value", "b")).nodes.get("b")?.inputs.get("value")).toEqual(new Link("a", "LATENT"));
    expect([...(after(problem(repair("rename", "cfg"), "stepz")).nodes.get("a")?.inputs ?? [])]).toEqual([["steps", 0], ["cfg", 3]]);
    expect([...(after(problem(repair("remove"), "stepz")).nodes.get("a")?.inputs.keys() ?? [])]).toEqual(["steps"]);
    expect(after(problem(repair("retype", "Empty"))).nodes.get("a")?.type).toBe("Empty");
    expect(after(problem(repair("unmute", "a"), null, "b")).nodes.get("a")?.mode).toBe("run");
  });

  it("changes nothing where there is none, or its node is gone", () => {
    expect(after(problem(null))).toBe(now);
    expect(after(problem(repair("set", 1), "steps", "gone"))).toBe(now);
    expect(after(problem(repair("remove"), "gone"))).toBe(now);
  });

  it("says on its button what it does", () => {
    const text = (given: Repair, input: string | null = "steps"): string => repairText(problem(given, input), given, R.repair, (id) => `node ${id}`);
    expect([text(repair("set", "euler")), text(repair("set", 8)), text(repair("link", ["a", "LATENT"])), text(repair("remove")), text(repair("rename", "cfg")), text(repair("retype", "Empty")), text(repair("unmute", "a")), text(repair("lora", [{}])), text(repair("lora", [{}, {}]))]).toEqual([
      "Use euler",
      "Use 8",
      "Link to LATENT of node a",
      "Remove steps",
      "Move it to cfg",
      "Change to Empty",
      "Unmute node a",
      "Make it a Load LoRA node",
      "Make them Load LoRA nodes",
    ]);
  });

  it("is made of all that guess nothing at once", () => {
    const all = [problem(repair("set", 1, true)), problem(repair("remove"), "stepz"), problem(repair("set", 4, true), "stepz")];
    const changed = safeRepairs(all).reduce((workflow, given) => repairOf(given, new Map(), () => [0, 0])(workflow), now).nodes.get("a")?.inputs;
    expect([...(changed ?? [])]).toEqual([["steps", 1], ["stepz", 4]]);
  });
});
