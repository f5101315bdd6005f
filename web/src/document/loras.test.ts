import { describe, expect, it } from "vitest";
import { EMPTY, Link, type Node, type Value, type Workflow } from "./document";
import { loraInsertion, lorasOfWords, withoutWord } from "./loras";
import { Numeral } from "./json";
import type { NodeType, NodeTypes } from "./schema";

function type(id: string, inputs: Record<string, string>, outputs: readonly string[]): NodeType {
  return {
    id, title: id, category: "", description: "", isGoal: false, isDeprecated: false,
    inputs: Object.entries(inputs).map(([name, kind]) => ({ name, label: name, types: [kind], required: true, tooltip: "", options: {} })),
    outputs: outputs.map((name) => ({ name, types: [name], tooltip: "" })),
  };
}

const TYPES: NodeTypes = new Map(
  [
    type("Checkpoint", {}, ["MODEL", "CLIP", "VAE"]),
    type("LoraLoader", { model: "MODEL", clip: "CLIP" }, ["MODEL", "CLIP"]),
    type("Skip", { clip: "CLIP" }, ["CLIP"]),
    type("Encode", { clip: "CLIP" }, ["CONDITIONING"]),
    type("Combine", { one: "CONDITIONING" }, ["CONDITIONING"]),
    type("Sampler", { model: "MODEL", positive: "CONDITIONING", negative: "CONDITIONING", latent: "LATENT" }, ["LATENT"]),
    type("Guider", { model: "MODEL", positive: "CONDITIONING" }, ["GUIDER"]),
    type("Custom", { guider: "GUIDER" }, ["LATENT"]),
  ].map((item) => [item.id, item]),
);

const node = (kind: string, inputs: Record<string, Value> = {}): Node => ({ type: kind, inputs: new Map(Object.entries(inputs)), title: "", mode: "run", extra: new Map() });
const of = (nodes: Record<string, Node>): Workflow => ({ ...EMPTY, nodes: new Map(Object.entries(nodes)) });
const to = (id: string, output: string): Link => new Link(id, output);

const PLAIN = of({
  base: node("Checkpoint"),
  skip: node("Skip", { clip: to("base", "CLIP") }),
  good: node("Encode", { clip: to("skip", "CLIP"), text: "a fox <lora:soft:0.5>" }),
  both: node("Combine", { one: to("good", "CONDITIONING") }),
  bad: node("Encode", { clip: to("base", "CLIP") }),
  sampler: node("Sampler", { model: to("base", "MODEL"), positive: to("both", "CONDITIONING"), negative: to("bad", "CONDITIONING"), latent: to("first", "LATENT") }),
  first: node("Sampler", { model: to("base", "MODEL"), positive: to("other", "CONDITIONING") }),
  other: node("Encode", { clip: to("base", "CLIP") }),
});

const insert = (workflow: Workflow, prompt: string, file: string) => loraInsertion(workflow, TYPES, prompt, { file, model: 1, clip: 1 }, () => [1, 2]);
const links = (workflow: Workflow, id: string): Record<string, string> =>
  Object.fromEntries([...(workflow.nodes.get(id)?.inputs ?? [])].flatMap(([name, value]) => (value instanceof Link ? [[name, `${value.node} ${value.output}`]] : [])));

describe("a LoRA for a prompt", () => {
  it("comes after the checkpoint, for the sampler and both its prompts, and for no other sampler", () => {
    const { command, node: id, isNew, lacks } = insert(PLAIN, "good", "a.safetensors");
    const now = command(PLAIN);
    expect([id, isNew, lacks]).toEqual(["loraloader", true, []]);
    expect(links(now, id)).toEqual({ model: "base MODEL", clip: "base CLIP" });
    expect(now.nodes.get(id)?.inputs.get("strength_model")).toEqual(new Numeral("1.0"));
    expect(now.layout.get(id)).toEqual([1, 2]);
    expect(links(now, "sampler")["model"]).toBe("loraloader MODEL");
    expect([links(now, "skip"), links(now, "good"), links(now, "bad")]).toEqual([{ clip: "loraloader CLIP" }, { clip: "skip CLIP" }, { clip: "loraloader CLIP" }]);
    expect([links(now, "first")["model"], links(now, "other")["clip"]]).toEqual(["base MODEL", "base CLIP"]);
  });

  it("comes after the last one that is there, and is not loaded twice", () => {
    const once = insert(PLAIN, "good", "a.safetensors").command(PLAIN);
    const second = insert(once, "good", "b.safetensors");
    const twice = second.command(once);
    expect(links(twice, second.node)).toEqual({ model: "loraloader MODEL", clip: "loraloader CLIP" });
    expect([links(twice, "sampler")["model"], links(twice, "skip")["clip"]]).toEqual(["loraloader_2 MODEL", "loraloader_2 CLIP"]);
    const again = insert(twice, "bad", "a.safetensors");
    expect([again.node, again.isNew, again.command(twice) === twice]).toEqual(["loraloader", false, true]);
  });

  it("finds the model through a guider", () => {
    const custom = of({
      base: node("Checkpoint"),
      good: node("Encode", { clip: to("base", "CLIP") }),
      guider: node("Guider", { model: to("base", "MODEL"), positive: to("good", "CONDITIONING") }),
      run: node("Custom", { guider: to("guider", "GUIDER") }),
    });
    const now = insert(custom, "good", "a").command(custom);
    expect(links(now, "guider")["model"]).toBe("loraloader MODEL");
  });

  it("is added with what there is, and says what it lacks", () => {
    const loose = of({ good: node("Encode") });
    const { lacks, command } = insert(loose, "good", "a");
    expect(lacks).toEqual(["MODEL", "CLIP"]);
    expect(command(loose).nodes.size).toBe(2);
    const circle = of({ good: node("Encode", { clip: to("skip", "CLIP") }), skip: node("Skip", { clip: to("skip", "CLIP") }) });
    expect(insert(circle, "good", "a").lacks).toEqual(["MODEL"]);
  });

  it("is made of the words that name it, which then are gone", () => {
    const word = { word: "<lora:soft:0.5>", file: "soft.safetensors", model: 0.5, clip: 0.25 };
    const now = lorasOfWords("good", "text", [word], TYPES, () => [0, 0])(PLAIN);
    expect(now.nodes.get("good")?.inputs.get("text")).toBe("a fox");
    expect([...(now.nodes.get("loraloader")?.inputs.entries() ?? [])].slice(0, 3)).toEqual([["lora_name", "soft.safetensors"], ["strength_model", 0.5], ["strength_clip", 0.25]]);
    expect(lorasOfWords("good", "text", [{ ...word, word: "gone" }], TYPES, () => [0, 0])(PLAIN)).toBe(PLAIN);
  });
});

describe("a prompt without a word", () => {
  it.each([
    ["X, a fox", "a fox"],
    ["a fox, X, forest", "a fox, forest"],
    ["a fox X, forest", "a fox, forest"],
    ["a X fox", "a fox"],
    ["a fox, X", "a fox"],
    ["a fox\nX\nforest", "a fox\n\nforest"],
    ["X", ""],
  ])("of %j is %j", (text, left) => {
    expect(withoutWord(text, "X")).toBe(left);
  });
});
