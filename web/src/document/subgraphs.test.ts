import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as commands from "./commands";
import { EMPTY, Link, linksOf, readWorkflow, writeWorkflow, type Id, type Workflow } from "./document";
import { fold, foldedIds, unfold } from "./folding";
import { apply, redo, startHistory, undo } from "./history";
import type { NodeType, NodeTypes } from "./schema";
import * as subgraphs from "./subgraphs";
import { givenTypes, sameTypes, typeIn, typesWithin } from "./subgraphTypes";

const SAMPLE = readWorkflow(readFileSync(join(import.meta.dirname, "samples", "subgraphs.json"), "utf8"));
const [INNER, OUTER] = [...SAMPLE.subgraphs.keys()] as [Id, Id];
const input = (name: string, types: string[], widget = false) => ({ name, label: name, types, required: true, tooltip: "", options: {}, ...(widget ? { widget: { kind: "text", placeholder: "" } as const } : {}) });
const type = (id: string, inputs: NodeType["inputs"], outputs: string[]): NodeType => ({ id, title: id, category: "", description: "", inputs, outputs: outputs.map((name) => ({ name, types: [name], tooltip: "" })), isGoal: false, isDeprecated: false });
const TYPES: NodeTypes = new Map(
  [type("Blank", [input("width", ["INT"], true)], ["IMAGE"]), type("Invert", [input("image", ["IMAGE"])], ["IMAGE"]), type("Save", [input("images", ["IMAGE"]), input("filename_prefix", ["STRING"], true)], [])].map((item) => [item.id, item]),
);
const placeOf = (): commands.Point => [0, 0];

function chain(length: number): Workflow {
  const steps = Array.from({ length }, (_, index) =>
    commands.addNode(`n${index}`, "Invert", [index * 300, 0], new Map(index ? [["image", new Link(`n${index - 1}`, "IMAGE")]] : [])),
  );
  return commands.all(...steps)(EMPTY);
}

const ends = (workflow: Workflow): string[] => [...linksOf(workflow)].map(({ id, input: name, link }) => `${link.node}.${link.output} ${id}.${name}`).sort();

describe("the canvas of a subgraph", () => {
  it("is its nodes between the two sides of its boundary, and its own groups and notes", () => {
    const view = subgraphs.viewOf(SAMPLE, ["6"]);
    expect([...view.nodes.keys()]).toEqual([subgraphs.INPUTS, "2", "3", subgraphs.OUTPUTS]);
    expect(view.nodes.get(subgraphs.OUTPUTS)?.inputs.get("IMAGE")).toEqual(new Link("2", "IMAGE"));
    expect(view.notes.length).toBe(1);
    expect(subgraphs.viewOf(SAMPLE, ["6"])).toBe(view);
    expect([...subgraphs.viewOf(SAMPLE, ["5", "9"]).nodes.keys()]).toEqual([...view.nodes.keys()]);
  });

  it("is the nearest that is there where a path leads to nothing", () => {
    expect(subgraphs.walkable(SAMPLE, ["5", "9", "2"])).toEqual(["5", "9"]);
    expect(subgraphs.viewOf(SAMPLE, ["gone"])).toBe(SAMPLE);
  });

  it("is changed by the commands of every canvas, and nothing else is", () => {
    const changed = subgraphs.inside(["6"], commands.all(commands.setTitle("2", "Other"), commands.disconnect("3", "images"), commands.addNote("x", { x: 0, y: 0, width: 9, height: 9 })))(SAMPLE);
    const inner = changed.subgraphs.get(INNER);
    expect(inner?.nodes.get("2")?.title).toBe("Other");
    expect(inner?.notes.length).toBe(2);
    expect(changed.nodes).toBe(SAMPLE.nodes);
    expect(changed.subgraphs.get(OUTER)).toBe(SAMPLE.subgraphs.get(OUTER));
    expect(inner?.nodes.has(subgraphs.INPUTS)).toBe(false);
  });

  it("keeps its boundary whatever is deleted", () => {
    const changed = subgraphs.inside(["6"], commands.deleteNodes([subgraphs.INPUTS, subgraphs.OUTPUTS, "2"]))(SAMPLE);
    expect([...(changed.subgraphs.get(INNER)?.outputs.keys() ?? [])]).toEqual(["IMAGE"]);
    expect(changed.subgraphs.get(INNER)?.outputs.get("IMAGE")?.link).toBeUndefined();
    expect(subgraphs.inside(["6"], () => EMPTY)(SAMPLE).subgraphs.get(INNER)?.inputs.size).toBe(2);
  });

  it("finds nodes by the ids they run under", () => {
    expect(subgraphs.spotOf(SAMPLE, "5:9:2")).toEqual({ path: ["5", "9"], id: "2" });
    expect(subgraphs.spotOf(SAMPLE, "5:gone")).toBeUndefined();
    const changed = subgraphs.atSpot("6:3", (id) => commands.setValue(id, "filename_prefix", "x"))(SAMPLE);
    expect(changed.subgraphs.get(INNER)?.nodes.get("3")?.inputs.get("filename_prefix")).toBe("x");
  });
});

describe("sockets of the boundary", () => {
  it("are added by linking, the old value kept behind", () => {
    const view = subgraphs.inside(["6"], commands.setValue("3", "filename_prefix", "plain"))(SAMPLE);
    const changed = subgraphs.addInput(INNER, "3", "filename_prefix", ["STRING"])(view);
    const inner = changed.subgraphs.get(INNER);
    expect([...(inner?.inputs.keys() ?? [])]).toEqual(["image", "prefix", "filename_prefix"]);
    expect(inner?.nodes.get("3")?.inputs.get("filename_prefix")).toEqual(new Link(subgraphs.INPUTS, "filename_prefix"));
    expect(inner?.nodes.get("3")?.extra.get("hidden_values")).toEqual(new Map([["filename_prefix", "plain"]]));
    expect([...(subgraphs.addOutput(INNER, "2", "IMAGE", ["IMAGE"])(SAMPLE).subgraphs.get(INNER)?.outputs.keys() ?? [])]).toEqual(["IMAGE", "IMAGE_2"]);
  });

  it("are renamed and removed wherever they are linked", () => {
    const renamed = subgraphs.renameSocket(INNER, "inputs", "prefix", "name")(SAMPLE);
    expect(renamed.nodes.get("6")?.inputs.get("name")).toBe("plain");
    expect(renamed.subgraphs.get(OUTER)?.nodes.get("9")?.inputs.get("name")).toEqual(new Link(subgraphs.INPUTS, "prefix"));
    expect(renamed.subgraphs.get(INNER)?.nodes.get("3")?.inputs.get("filename_prefix")).toEqual(new Link(subgraphs.INPUTS, "name"));
    const out = subgraphs.renameSocket(INNER, "outputs", "IMAGE", "picture")(SAMPLE);
    expect(out.subgraphs.get(OUTER)?.nodes.get("8")?.inputs.get("value")).toEqual(new Link("9", "picture"));
    const gone = subgraphs.removeSocket(INNER, "inputs", "image")(SAMPLE);
    expect(gone.subgraphs.get(INNER)?.nodes.get("2")?.inputs.has("image")).toBe(false);
    expect(gone.nodes.get("6")?.inputs.has("image")).toBe(false);
    expect(subgraphs.renameSocket(INNER, "inputs", "prefix", "image")(SAMPLE)).toBe(SAMPLE);
  });
});

describe("folding", () => {
  it("leaves an instance that is linked as the nodes were, and unfolding gives them back", () => {
    const now = chain(5);
    const { subgraph, instance } = foldedIds(now, "Middle");
    const folded = fold({ nodes: ["n1", "n2", "n3"], title: "Middle", placeOf })(now);
    expect(ends(folded)).toEqual([`${instance}.IMAGE n4.image`, `n0.IMAGE ${instance}.image`]);
    expect(ends(subgraphs.viewOf(folded, [instance]))).toContain(`n3.IMAGE ${subgraphs.OUTPUTS}.IMAGE`);
    expect(folded.subgraphs.get(subgraph)?.title).toBe("Middle");
    const back = unfold(instance)(folded);
    expect(ends(back)).toEqual(ends(now));
    expect(back.subgraphs.size).toBe(0);
  });

  it("keeps ports, values that stand behind links and those set by address", () => {
    const text = '{"format": "darkroom/1", "nodes": {"a": {"type": "Save", "inputs": {"filename_prefix": "p"}}}, "ports": {"name": {"node": "a", "input": "filename_prefix"}}}';
    const now = readWorkflow(text);
    const folded = fold({ nodes: ["a"], title: "T", placeOf })(now);
    expect(folded.ports.get("name")).toEqual(new Map([["node", "t"], ["input", "a.filename_prefix"]]));
    const set = commands.setValue("t", "a.filename_prefix", "set")(folded);
    const back = unfold("t")(set);
    expect(back.nodes.get("a")?.inputs.get("filename_prefix")).toBe("set");
    expect(back.ports).toEqual(now.ports);
    expect(unfold("6")(SAMPLE).nodes.get("3")?.inputs.get("filename_prefix")).toBe("by proxy");
  });

  it("undoes exactly, as does whatever is done inside", () => {
    const ids = ["n0", "n1", "n2", "n3", "n4", "n5"];
    fc.assert(
      fc.property(fc.subarray(ids, { minLength: 1 }), fc.subarray(ids, { minLength: 1 }), (outer, inner) => {
        const now = chain(6);
        const first = fold({ nodes: outer, title: "Outer", placeOf });
        const { instance } = foldedIds(now, "Outer");
        const second = subgraphs.inside([instance], fold({ nodes: inner, title: "Inner", placeOf }));
        let history = startHistory(now);
        const seen = [writeWorkflow(history.now)];
        for (const command of [first, second, subgraphs.inside([instance], commands.deleteNodes([outer[0] as Id])), unfold(instance)]) {
          const before = history.now;
          history = apply(history, command);
          if (history.now !== before) seen.push(writeWorkflow(history.now));
          expect(writeWorkflow(readWorkflow(writeWorkflow(history.now)))).toBe(writeWorkflow(history.now));
        }
        for (const text of seen.slice(0, -1).reverse()) {
          history = undo(history);
          expect(writeWorkflow(history.now)).toBe(text);
        }
        for (const text of seen.slice(1)) {
          history = redo(history);
          expect(writeWorkflow(history.now)).toBe(text);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("the types that a workflow makes", () => {
  const types = typesWithin(TYPES, SAMPLE, ["6"]);

  it("show an instance's inputs with the widgets they feed, through other instances, and what is set by address", () => {
    const inner = types.get(`subgraph/${INNER}`);
    expect(inner?.inputs.map(({ name, label, widget, initial }) => [name, label, widget?.kind, initial])).toEqual([
      ["image", "image", undefined, undefined],
      ["prefix", "File name", "text", "inside"],
      ["3.filename_prefix", "Save · filename_prefix", "text", undefined],
    ]);
    expect(types.get(`subgraph/${OUTER}`)?.inputs.map(({ widget }) => widget?.kind)).toEqual([undefined, "text"]);
    expect(types.get(`subgraph/${OUTER}`)?.title).toBe("Around");
  });

  it("show the boundary with a free socket, and a primitive as what it feeds", () => {
    expect(types.get(subgraphs.INPUTS)?.outputs.map(({ name }) => name)).toEqual(["image", "prefix", subgraphs.FREE]);
    expect(types.get(subgraphs.OUTPUTS)?.inputs.map(({ name }) => name)).toEqual(["IMAGE", subgraphs.FREE]);
    const node = SAMPLE.nodes.get("7");
    expect(node && typeIn(SAMPLE.nodes, "7", node, types)?.inputs[0]?.types).toEqual(["INT"]);
    expect(typesWithin(TYPES, SAMPLE, []).has(subgraphs.INPUTS)).toBe(false);
  });

  it("see through reroutes, and stay the same objects while they say the same", () => {
    const outer = SAMPLE.subgraphs.get(OUTER)?.nodes ?? new Map();
    expect(givenTypes(outer, new Link("8", subgraphs.VALUE), types)).toEqual(["IMAGE"]);
    expect(sameTypes(typesWithin(TYPES, SAMPLE, ["6"]), types)).toBe(types);
  });
});

describe("a command about the boundary", () => {
  it("does the same on the canvas of its subgraph as on the whole workflow", () => {
    const command = subgraphs.addOutput(INNER, "2", "IMAGE", ["IMAGE"]);
    expect(writeWorkflow(subgraphs.inside(["6"], command)(SAMPLE))).toBe(writeWorkflow(command(SAMPLE)));
  });
});
