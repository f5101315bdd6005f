import { describe, expect, it } from "vitest";
import { EMPTY, type Node } from "./document";
import type { NodeTypes } from "./schema";
import { allFilesIn, filesIn, startingFile, type KnownFile } from "./startingFile";

const FILES: readonly KnownFile[] = [
  { name: "a-inpaint.ckpt", family: "" },
  { name: "a-refiner.safetensors", family: "sdxl-refiner" },
  { name: "b-xl.safetensors", family: "sdxl" },
  { name: "c.safetensors", family: "" },
  { name: "d.safetensors", family: "sd1" },
  { name: "e.safetensors", family: "sd1-inpaint" },
];

const start = (more: Partial<Parameters<typeof startingFile>[0]> = {}): string | undefined => startingFile({ files: FILES, used: [], recent: [], family: "", ...more });

describe("the file that a new node begins with", () => {
  it("is a plain model, and never the refiner or the inpainting model that the order of names begins with", () => {
    expect(start()).toBe("d.safetensors");
    expect(start({ files: FILES.filter(({ family }) => family !== "sd1") })).toBe("b-xl.safetensors");
    expect(start({ files: FILES.filter(({ family }) => !family) })).toBe("c.safetensors");
  });

  it("is before that what was used last, and before that what the workflow has", () => {
    expect(start({ recent: ["gone", "c.safetensors", "d.safetensors"] })).toBe("c.safetensors");
    expect(start({ used: ["b-xl.safetensors"], recent: ["c.safetensors"] })).toBe("b-xl.safetensors");
  });

  it("fits the family of the workflow where one does", () => {
    expect(start({ family: "sdxl", recent: ["d.safetensors"] })).toBe("b-xl.safetensors");
    expect(start({ family: "sd2", recent: ["d.safetensors"] })).toBe("d.safetensors");
  });

  it("is the first by name where nothing more is known, and none where there is none", () => {
    expect(start({ files: [{ name: "x", family: "" }, { name: "y", family: "" }] })).toBe("x");
    expect(start({ files: [] })).toBeUndefined();
  });
});

describe("the files of a workflow", () => {
  const node = (type: string, file: string): Node => ({ type, inputs: new Map([["name", file]]), title: "", mode: "run", extra: new Map() });
  const input = { name: "name", label: "name", types: ["COMBO"], required: true, tooltip: "", options: {}, widget: { kind: "file", folder: "loras", accept: "" } } as const;
  const types: NodeTypes = new Map([["Load", { id: "Load", title: "", category: "", description: "", inputs: [input], outputs: [], isGoal: false, isDeprecated: false }]]);
  const inner = { title: "", inputs: new Map(), outputs: new Map(), nodes: new Map([["1", node("Load", "inner")]]), layout: new Map(), groups: [], notes: [], extra: new Map() };
  const workflow = { ...EMPTY, nodes: new Map([["1", node("Load", "first")], ["2", node("Load", "last")], ["3", node("Other", "no file")]]), subgraphs: new Map([["s", inner]]) };

  it("are told by folder, the last first, with those of subgraphs", () => {
    expect(filesIn(workflow, types, "loras")).toEqual(["last", "first"]);
    expect(filesIn(workflow, types, "vae")).toEqual([]);
    expect(allFilesIn(workflow, types)).toEqual([["loras", "last"], ["loras", "first"], ["loras", "inner"]]);
  });
});
