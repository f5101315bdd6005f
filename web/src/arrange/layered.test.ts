import { describe, expect, it } from "vitest";
import { align, distribute } from "./align";
import { crossings, uncrossed } from "./crossings";
import { layered } from "./layered";
import { layersOf, type Sized, type Wire } from "./layers";

const node = (id: string, height = 100): Sized => ({ id, width: 250, height });
const wire = (from: string, to: string): Wire => ({ from, to, fromY: 46, toY: 46 });

/** Random, but the same each time: nodes that take from earlier ones. */
function graph(count: number): { nodes: Sized[]; wires: Wire[] } {
  let seed = 7;
  const next = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  const nodes = Array.from({ length: count }, (_, index) => node(`n${index}`, 80 + next(300)));
  const wires = nodes.flatMap((_, index) => (index ? [1, 2].map(() => wire(`n${Math.max(index - 1 - next(30), 0)}`, `n${index}`)) : []));
  return { nodes, wires };
}

describe("the layered arrangement", () => {
  it("puts each node right of all it needs, and none over another", () => {
    const { nodes, wires } = graph(200);
    const places = layered(nodes, wires);
    const at = (id: string): readonly [number, number] => places.get(id) as readonly [number, number];
    for (const { from, to } of wires) expect(at(from)[0] + 250).toBeLessThan(at(to)[0]);
    const overlaps = nodes.flatMap((a, index) =>
      nodes.slice(index + 1).filter((b) => at(a.id)[0] === at(b.id)[0] && at(a.id)[1] < at(b.id)[1] + b.height && at(b.id)[1] < at(a.id)[1] + a.height),
    );
    expect(overlaps).toEqual([]);
  });

  it("gives the same places each time", () => {
    const { nodes, wires } = graph(120);
    expect([...layered(nodes, wires)]).toEqual([...layered(nodes, wires)]);
  });

  it("undoes crossings that need not be", () => {
    const nodes = ["a", "b", "c", "d", "e", "f"].map((id) => node(id));
    const layers = layersOf(nodes, [wire("a", "f"), wire("b", "e"), wire("c", "d")]);
    expect(crossings(layers)).toBe(3);
    expect(crossings(uncrossed(layers))).toBe(0);
  });

  it("has fewer crossings than the order of the document", () => {
    const { nodes, wires } = graph(200);
    const layers = layersOf(nodes, wires);
    expect(crossings(uncrossed(layers))).toBeLessThan(crossings(layers) * 0.7);
  });

  it("sets a chain level", () => {
    const places = layered([node("a"), node("b"), node("c")], [wire("a", "b"), wire("b", "c")]);
    expect([...places.values()].map(([, y]) => y)).toEqual([0, 0, 0]);
  });

  it("puts a loader just before its first user", () => {
    const nodes = ["a", "b", "c", "loader"].map((id) => node(id));
    const places = layered(nodes, [wire("a", "b"), wire("b", "c"), wire("loader", "c")]);
    expect(places.get("loader")?.[0]).toBe(places.get("b")?.[0]);
  });

  it("bears circles, self-links, nodes alone and links from elsewhere", () => {
    const nodes = ["a", "b", "c"].map((id) => node(id));
    const places = layered(nodes, [wire("a", "b"), wire("b", "a"), wire("c", "c"), wire("gone", "a")]);
    expect([...places.keys()].sort()).toEqual(["a", "b", "c"]);
    expect(layered([], [])).toEqual(new Map());
  });

  it("arranges 1,000 nodes fast, and a chain of 5,000 without recursion", () => {
    const { nodes, wires } = graph(1000);
    const began = performance.now();
    expect(layered(nodes, wires).size).toBe(1000);
    expect(performance.now() - began).toBeLessThan(3000);
    const chain = Array.from({ length: 5000 }, (_, index) => node(`n${index}`));
    expect(layered(chain, chain.slice(1).map(({ id }, index) => wire(`n${index}`, id))).size).toBe(5000);
  });
});

describe("standing in line", () => {
  const boxes = new Map([
    ["a", { x: 0, y: 0, width: 100, height: 50 }],
    ["b", { x: 130, y: 40, width: 200, height: 100 }],
    ["c", { x: 500, y: 10, width: 100, height: 60 }],
  ]);

  it("moves each to the side of all", () => {
    expect([...align(boxes, "right").values()].map(([x]) => x)).toEqual([500, 400, 500]);
    expect([...align(boxes, "middle").values()].map(([, y]) => y)).toEqual([45, 20, 40]);
  });

  it("makes gaps equal, and leaves the ends", () => {
    expect([...distribute(boxes, "across").values()].map(([x]) => x)).toEqual([0, 200, 500]);
    expect(distribute(new Map([...boxes].slice(1)), "across").size).toBe(0);
  });
});
