import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deleteNodes } from "./commands";
import { readWorkflow, writeWorkflow } from "./document";
import { inputPorts, movePort, possiblePorts, removePort, renamePort, togglePort } from "./ports";

const WORKFLOW = readWorkflow(readFileSync(join(import.meta.dirname, "../../../workflows/txt2img.json"), "utf8"));
const names = (workflow = WORKFLOW): string[] => inputPorts(workflow).map((port) => port.name);

describe("ports", () => {
  it("are made of inputs under names that are free, and taken away again", () => {
    const more = togglePort("latent", "batch_size")(WORKFLOW);
    expect(names(more)).toEqual([...names(), "batch_size"]);
    expect(writeWorkflow(togglePort("latent", "batch_size")(more))).toBe(writeWorkflow(WORKFLOW));
    const bare = names().reduce((workflow, name) => removePort(name)(workflow), WORKFLOW);
    expect(names(togglePort("negative", "text")(togglePort("positive", "text")(bare)))).toEqual(["prompt", "negative_prompt"]);
  });

  it("are renamed in their place, but not to a name that is taken", () => {
    const [first = "", second = ""] = names();
    expect(names(renamePort(first, "words")(WORKFLOW))).toEqual(["words", ...names().slice(1)]);
    expect(renamePort(first, second)(WORKFLOW)).toBe(WORKFLOW);
  });

  it("change their order", () => {
    const [first = "", second = "", ...rest] = names();
    expect(names(movePort(first, 1)(WORKFLOW))).toEqual([second, first, ...rest]);
    expect(movePort(first, -1)(WORKFLOW)).toBe(WORKFLOW);
  });

  it("go with their node, and only values that are no ports can become some", () => {
    const gone = deleteNodes(["positive"])(WORKFLOW);
    expect(inputPorts(gone).some((port) => port.node === "positive")).toBe(false);
    expect(possiblePorts(WORKFLOW)).toContainEqual({ node: "latent", input: "batch_size" });
    expect(possiblePorts(WORKFLOW).some((item) => item.node === "positive")).toBe(false);
  });
});
