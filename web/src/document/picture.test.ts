import { describe, expect, it } from "vitest";
import { EMPTY, Link, type Node, type Value, type Workflow } from "./document";
import { Numeral } from "./json";
import { pictureFacts, seedsFor, withSeeds } from "./picture";
import type { NodeType } from "./schema";

const node = (type: string, inputs: Record<string, Value>): Node => ({ type, inputs: new Map(Object.entries(inputs)), title: "", mode: "run", extra: new Map() });
const workflow = (nodes: Record<string, Node>): Workflow => ({ ...EMPTY, nodes: new Map(Object.entries(nodes)) });

const SAMPLER: NodeType = {
  id: "KSampler",
  title: "KSampler",
  category: "",
  description: "",
  inputs: [{ name: "seed", label: "seed", types: ["INT"], required: true, tooltip: "", options: {}, widget: { kind: "seed", max: 2n ** 64n - 1n } }],
  outputs: [],
  isGoal: false,
  isDeprecated: false,
};
const TYPES = new Map([["KSampler", SAMPLER]]);
const LARGE = new Numeral("18446744073709551615");

const made = workflow({
  model: node("CheckpointLoaderSimple", { ckpt_name: "tiny.safetensors" }),
  words: node("CLIPTextEncode", { text: "a fox", clip: new Link("model", "CLIP") }),
  area: node("ConditioningSetArea", { conditioning: new Link("words", "CONDITIONING"), width: 64 }),
  not: node("CLIPTextEncode", { text: "blurry", clip: new Link("model", "CLIP") }),
  sampler: node("KSampler", { seed: LARGE, steps: 20, cfg: new Numeral("5.0"), sampler_name: "euler", scheduler: "karras", positive: new Link("area", "CONDITIONING"), negative: new Link("not", "CONDITIONING") }),
});

describe("the facts of a picture", () => {
  it("are found behind the links, its seed digit by digit", () => {
    expect(pictureFacts(made)).toEqual({ prompt: "a fox", negative: "blurry", seed: LARGE.text, model: "tiny.safetensors", steps: "20", cfg: "5.0", sampler: "euler, karras", nodes: 5 });
  });

  it("are few where it has no sampler, and a circle does not matter", () => {
    expect(pictureFacts(EMPTY)).toEqual({ nodes: 0 });
    const circle = workflow({ a: node("X", { in: new Link("b", "X") }), b: node("X", { in: new Link("a", "X") }), s: node("KSampler", { seed: 1, positive: new Link("a", "X") }) });
    expect(pictureFacts(circle)).toEqual({ seed: "1", nodes: 3 });
  });
});

describe("the seeds of a picture", () => {
  it("go to the same node, or, where there is one only, to every one", () => {
    const now = workflow({ sampler: node("KSampler", { seed: 1 }), other: node("KSampler", { seed: 2 }) });
    expect(seedsFor(now, made, TYPES)).toEqual([
      { id: "sampler", input: "seed", seed: LARGE },
      { id: "other", input: "seed", seed: LARGE },
    ]);
    const two = workflow({ sampler: node("KSampler", { seed: 5 }), second: node("KSampler", { seed: 6 }) });
    expect(seedsFor(now, two, TYPES)).toEqual([{ id: "sampler", input: "seed", seed: 5 }]);
  });

  it("stay as they are in the next run", () => {
    const drawn = { ...node("KSampler", { seed: 1 }), extra: new Map([["seed_control", new Map([["seed", "random"]])]]) };
    const now = workflow({ sampler: drawn });
    const after = withSeeds(now, seedsFor(now, made, TYPES), "seed_control")(now).nodes.get("sampler");
    expect(after?.inputs.get("seed")).toBe(LARGE);
    expect(after?.extra.get("seed_control")).toEqual(new Map([["seed", "fixed"]]));
  });
});
