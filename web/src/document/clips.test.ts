import { describe, expect, it } from "vitest";
import { clipOf, cornerOf, paste, readClip, withoutOutsideLinks, writeClip } from "./clips";
import { addGroup, addNode, addNote, all, connect } from "./commands";
import { EMPTY, Link, writeWorkflow } from "./document";

const start = all(
  addNode("a", "A", [100, 50]),
  addNode("b", "B", [300, 50]),
  connect("a", "OUT", "b", "in"),
  addGroup("Group", { x: 80, y: 10, width: 500, height: 200 }),
  addNote("a note", { x: 90, y: 300, width: 100, height: 60 }),
)(EMPTY);

const clip = clipOf(start, { nodes: ["b"], groups: [0], notes: [0] }, () => [300, 50]);

describe("a clip", () => {
  it("brings groups and notes along with the nodes", () => {
    const end = paste(clip, [10, 20])(start);
    expect(end.groups.at(-1)).toEqual(new Map(Object.entries({ title: "Group", bounds: [90, 30, 500, 200] })));
    expect(end.notes.at(-1)).toEqual(new Map<string, unknown>(Object.entries({ text: "a note", at: [100, 320, 100, 60], markdown: true })));
    expect(end.nodes.get("b_2")?.inputs.get("in")).toEqual(new Link("a", "OUT"));
  });

  it("begins at the corner of all that is in it", () => {
    expect(cornerOf(clip)).toEqual([80, 10]);
  });

  it("keeps the sizes of nodes", () => {
    const sized = { ...start, layout: new Map(start.layout).set("b", [300, 50, 400, 250]) };
    const copied = clipOf(sized, { nodes: ["b"], groups: [], notes: [] }, () => [300, 50]);
    expect(paste(copied, [0, 0])(EMPTY).layout.get("b")).toEqual([300, 50, 400, 250]);
  });

  it("comes back from its text as it was, with and without links from outside", () => {
    for (const one of [clip, withoutOutsideLinks(clip)]) {
      const back = readClip(writeClip(one));
      expect(back && paste(back, [0, 0])(EMPTY)).toEqual(paste(one, [0, 0])(EMPTY));
    }
  });

  it("takes the subgraphs along that its nodes stand for", () => {
    const inner = { title: "S", inputs: new Map(), outputs: new Map(), nodes: new Map(), layout: new Map(), groups: [], notes: [], extra: new Map() };
    const outside = { ...addNode("s", "subgraph/one", [0, 0])(EMPTY), subgraphs: new Map([["one", inner], ["other", inner]]) };
    const end = paste(clipOf(outside, { nodes: ["s"], groups: [], notes: [] }, () => [0, 0]), [0, 0])(EMPTY);
    expect([...end.subgraphs.keys()]).toEqual(["one"]);
  });

  it("is not read from a workflow or any other text", () => {
    expect(readClip(writeWorkflow(start))).toBeUndefined();
    expect(readClip('{"clip" is what I wrote')).toBeUndefined();
    expect(readClip("1 node copied.")).toBeUndefined();
  });
});
