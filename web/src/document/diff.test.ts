import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as commands from "./commands";
import { differenceOf, isSame } from "./diff";
import { readWorkflow, writeWorkflow } from "./document";

const TEXT = readFileSync(join(import.meta.dirname, "../../../workflows/txt2img.json"), "utf8");
const WORKFLOW = readWorkflow(TEXT);

describe("the difference of two workflows", () => {
  it("is nothing where both say the same, also when read twice", () => {
    expect(isSame(differenceOf(WORKFLOW, readWorkflow(writeWorkflow(WORKFLOW))))).toBe(true);
  });

  it("names nodes that came and went", () => {
    const other = commands.all(commands.deleteNodes(["save"]), commands.addNode("shown", "PreviewImage", [0, 0]))(WORKFLOW);
    const { nodes } = differenceOf(WORKFLOW, other);
    expect(nodes.map(({ id, kind }) => `${kind} ${id}`)).toEqual(["removed save", "added shown"]);
  });

  it("tells inputs with both values, links by where they come from, and modes", () => {
    const other = commands.all(
      commands.setValue("positive", "text", "a tree"),
      commands.disconnect("negative", "clip"),
      commands.toggleMode(["negative"], "mute"),
    )(WORKFLOW);
    const [positive, negative] = differenceOf(WORKFLOW, other).nodes;
    expect(positive).toMatchObject({ kind: "changed", inputs: [{ input: "text", after: "a tree" }] });
    expect(negative?.inputs).toEqual([
      { input: "mode", before: "run", after: "mute" },
      { input: "clip", before: "← checkpoint · CLIP", after: "" },
    ]);
  });

  it("counts what only moved, and names other parts that differ", () => {
    const moved = commands.all(commands.move(new Map([["save", [5, 5]]])), commands.addNote("hello", { x: 0, y: 0, width: 9, height: 9 }))(WORKFLOW);
    expect(differenceOf(WORKFLOW, moved)).toEqual({ nodes: [], moved: 1, parts: ["notes"] });
  });
});
