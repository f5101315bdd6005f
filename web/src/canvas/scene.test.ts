import { describe, expect, it } from "vitest";
import * as commands from "../document/commands";
import { EMPTY, Link, type Workflow } from "../document/document";
import type { NodeType, NodeTypes } from "../document/schema";
import { around, nodeAt, nodesIn, seenBox, type View } from "./boxes";
import { elementsOf, NO_ELEMENTS, paintedOf } from "./elements";
import { NO_SCENE, sceneOf, type Scene } from "./flow";
import { changesOnlyNear, FAR, nextNear, NOTHING_NEAR, type Near } from "./near";

const socket = (name: string) => ({ name, label: name, types: ["IMAGE"], required: false, tooltip: "", options: {} });
const PASS: NodeType = { id: "Pass", title: "Pass", category: "", description: "", inputs: [socket("in")], outputs: [socket("out")], isGoal: false, isDeprecated: false };
const TYPES: NodeTypes = new Map([["Pass", PASS]]);

/** A chain of nodes n0, n1, ..., each 1000 to the right of the one before. */
function chain(length: number): Workflow {
  const steps = Array.from({ length }, (_, index) =>
    commands.addNode(`n${index}`, "Pass", [index * 1000, 0], new Map(index ? [["in", new Link(`n${index - 1}`, "out")]] : [])),
  );
  return commands.all(...steps)(EMPTY);
}

const view = (x: number, zoom = 1): View => ({ transform: [-x * zoom, 0, zoom], width: 1600, height: 900 });
const scene = (workflow: Workflow, old: Scene = NO_SCENE): Scene => sceneOf(workflow, TYPES, old);
const near = (...ids: string[]): Near => ({ ids: new Set(ids), passing: new Set() });
const changedIn = (before: Scene, after: Scene): string[] => [...after.nodes].filter(([id, node]) => before.nodes.get(id) !== node).map(([id]) => id);

describe("a scene", () => {
  it("keeps every object that a change does not touch", () => {
    const now = chain(20);
    const before = scene(now);
    const moved = scene(commands.move(new Map([["n3", [5, 5]]]))(now), before);
    expect(changedIn(before, moved)).toEqual(["n/n3"]);
    expect(moved.links).toBe(before.links);
    const titled = scene(commands.setTitle("n4", "Four")(now), before);
    expect(changedIn(before, titled)).toEqual(["n/n4"]);
    expect(titled.links).toBe(before.links);
  });

  it("keeps what is drawn of a node that is only moved", () => {
    const now = chain(4);
    const before = scene(now);
    const after = scene(commands.move(new Map([["n2", [5, 5]]]))(now), before);
    expect(after.cards.get("n2")?.position).toEqual({ x: 5, y: 5 });
    expect(after.cards.get("n2")?.data).toBe(before.cards.get("n2")?.data);
    expect(after.ids).toBe(before.ids);
  });

  it("keeps nodes without a place, and those of types that are not installed", () => {
    const now = { ...commands.setTitle("n1", "One")(chain(20)), layout: new Map() };
    const before = scene(now);
    expect(changedIn(before, scene(commands.setTitle("n4", "Four")(now), before))).toEqual(["n/n4"]);
    const unknown = sceneOf(now, new Map(), NO_SCENE);
    const after = sceneOf(commands.setTitle("n4", "Four")(now), new Map(), unknown);
    expect(changedIn(unknown, after)).toEqual(["n/n4"]);
    const cut = sceneOf(commands.disconnect("n5", "in")(now), new Map(), unknown);
    expect(cut.cards.get("n4")?.data.type.outputs).toEqual([]);
  });

  it("changes only the links of a node that is muted", () => {
    const now = chain(20);
    const before = scene(now);
    const after = scene(commands.toggleMode(["n3"], "mute")(now), before);
    expect(after.links.filter((link) => !before.links.includes(link)).map(({ id }) => id)).toEqual(["n/n3 in", "n/n4 in"]);
  });

  it("drops the links of a node that is gone", () => {
    const before = scene(chain(4));
    const after = scene(commands.deleteNodes(["n1"])(chain(4)), before);
    expect(after.links.map(({ id }) => id)).toEqual(["n/n3 in"]);
  });

  it("is the same as one made anew, whatever was kept", () => {
    const now = chain(6);
    const changed = commands.all(commands.move(new Map([["n2", [7, 9]]])), commands.disconnect("n3", "in"), commands.setTitle("n1", "One"))(now);
    expect(scene(changed, scene(now))).toEqual(scene(changed));
  });
});

describe("nodes near the view", () => {
  const all = scene(chain(50));
  const ids = (found: { near: Near }): string[] => [...found.near.ids].sort();

  it("are those in sight and a little further", () => {
    expect(ids(nextNear(all, view(10_100), NOTHING_NEAR, [], 99))).toEqual(["n/n10", "n/n11"]);
  });

  it("come a few at a time, those in the middle first", () => {
    const first = nextNear(all, view(10_100, FAR), NOTHING_NEAR, [], 1);
    expect([ids(first), first.wantsMore]).toEqual([["n/n12"], true]);
    const rest = nextNear(all, view(10_100, FAR), first.near, [], 99);
    expect(rest.wantsMore).toBe(false);
    expect(ids(rest)).toEqual(["n/n10", "n/n11", "n/n12", "n/n13", "n/n14"]);
  });

  it("stay while they are not far, so that small moves change nothing", () => {
    const before = nextNear(all, view(10_100), NOTHING_NEAR, [], 99).near;
    expect(nextNear(all, view(9_900), before, [], 99).near).toBe(before);
    expect(ids(nextNear(all, view(12_000), before, [], 99))).not.toContain("n/n10");
  });

  it("have the links that only pass through the sight", () => {
    const crossing = scene(commands.connect("n2", "out", "n30", "in")(chain(50)));
    const { near: found } = nextNear(crossing, view(10_100), NOTHING_NEAR, [], 99);
    expect([...found.passing]).toEqual(["n/n30 in"]);
    expect(nextNear(crossing, view(10_100, FAR / 2), found, [], 99).near.passing.size).toBe(0);
  });

  it("need not be looked for again while only they change", () => {
    const now = chain(20);
    const before = scene(now);
    const moved = (id: string): Scene => scene(commands.move(new Map([[id, [5, 5]]]))(now), before);
    expect(changesOnlyNear(before, moved("n3"), near("n/n3"))).toBe(true);
    expect(changesOnlyNear(before, moved("n4"), near("n/n3"))).toBe(false);
    expect(changesOnlyNear(before, scene(commands.deleteNodes(["n3"])(now), before), near("n/n3"))).toBe(false);
  });

  it("are none where texts cannot be read, but the one that is held", () => {
    const before = nextNear(all, view(10_100), NOTHING_NEAR, [], 99).near;
    expect(ids(nextNear(all, view(0, FAR / 2), before, ["n/n40", "n/gone"], 99))).toEqual(["n/n40"]);
  });
});

describe("elements", () => {
  const all = scene(chain(50));

  it("have the links that touch them, with the far ends there unseen", () => {
    const made = elementsOf(all, near("n/n5"), new Set(["n/n5"]), NO_ELEMENTS);
    expect(made.links.map(({ id }) => id)).toEqual(["n/n5 in", "n/n6 in"]);
    expect(made.nodes.map(({ id, hidden, selected }) => [id, hidden, selected])).toEqual([
      ["n/n4", true, false],
      ["n/n5", false, true],
      ["n/n6", true, false],
    ]);
  });

  it("and what is painted make up the whole", () => {
    
    const [made, painted] = [elementsOf(all, near("n/n5", "n/n9"), new Set(), NO_ELEMENTS), paintedOf(all, near("n/n5", "n/n9"), NO_ELEMENTS)];
    const seen = made.nodes.filter(({ hidden }) => !hidden);
    expect(seen.length + painted.nodes.length).toBe(all.nodes.size);
    expect(new Set([...made.links, ...painted.links])).toEqual(new Set(all.links));
  });

  it("leave what is painted alone while only they change", () => {
    const now = chain(50);
    const before = scene(now);
    const painted = paintedOf(before, near("n/n5"), NO_ELEMENTS);
    const moved = (id: string): Scene => scene(commands.move(new Map([[id, [1, 1]]]))(now), before);
    expect(paintedOf(moved("n5"), near("n/n5"), painted)).toBe(painted);
    expect(paintedOf(moved("n6"), near("n/n5"), painted)).not.toBe(painted);
  });

  it("are the same lists while nothing near changes", () => {
    const now = chain(50);
    const before = scene(now);
    const made = elementsOf(before, near("n/n5"), new Set(), NO_ELEMENTS);
    const after = scene(commands.setTitle("n30", "far away")(now), before);
    const again = elementsOf(after, near("n/n5"), new Set(), made);
    expect(again.nodes).toBe(made.nodes);
    expect(again.links).toBe(made.links);
  });
});

describe("boxes", () => {
  const grouped = scene(commands.addGroup("Group", { x: -50, y: -50, width: 1500, height: 400 })(chain(3)));

  it("tell what lies on top at a point", () => {
    expect(nodeAt(grouped, [1010, 10])?.id).toBe("n/n1");
    expect(nodeAt(grouped, [500, 10])?.id).toBe("groups/0");
    expect(nodeAt(grouped, [5000, 10])).toBeUndefined();
  });

  it("choose the nodes that are touched and the groups that are held whole", () => {
    expect(nodesIn(grouped, { x: 900, y: 20, width: 1200, height: 10 })).toEqual(["n/n1", "n/n2"]);
    expect(nodesIn(grouped, { x: -60, y: -60, width: 1600, height: 500 })).toEqual(["groups/0", "n/n0", "n/n1"]);
  });

  it("tell what is seen in canvas units", () => {
    expect(seenBox({ transform: [-100, 50, 2], width: 800, height: 600 }, 20)).toEqual({ x: 40, y: -35, width: 420, height: 320 });
    expect(around([])).toBeUndefined();
  });
});
