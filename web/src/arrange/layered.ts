/**
 * Places for a graph in layers from left to right (Sugiyama's method): each node after all it needs, few crossings,
 * links as level as they can be. The same graph gives the same places.
 */

import type { Point } from "../document/commands";
import type { Id } from "../document/document";
import { uncrossed } from "./crossings";
import { layersOf, type Sized, type Wire } from "./layers";
import { GAP, levelled } from "./levels";

const ACROSS = 80;
const APART = 110;
const FEWEST_IN_ROW = 4;

/** Where each node lies; the whole begins at [0, 0]. */
export function layered(nodes: readonly Sized[], wires: readonly Wire[]): Map<Id, Point> {
  const known = new Set(nodes.map((node) => node.id));
  const inside = wires.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
  const { parts, single } = partsOf(nodes, inside);
  const found = new Map<Id, Point>();
  let top = 0;
  for (const part of parts) {
    const places = placesOf(part);
    for (const [id, [x, y]] of places) found.set(id, [x, y + top]);
    top = Math.max(...part.nodes.map(({ id, height }) => (found.get(id)?.[1] ?? 0) + height)) + APART;
  }
  for (const [id, [x, y]] of inRows(single)) found.set(id, [x, tens(y + top)]);
  return found;
}

const tens = (value: number): number => Math.round(value / 10) * 10;

function placesOf({ nodes, wires }: Part): Map<Id, Point> {
  const layers = uncrossed(layersOf(nodes, wires));
  const tops = levelled(layers);
  const highest = Math.min(...layers.flat().map((slot) => (slot.id === undefined ? Infinity : (tops.get(slot) ?? 0))));
  const found = new Map<Id, Point>();
  let x = 0;
  for (const layer of layers) {
    for (const slot of layer) if (slot.id !== undefined) found.set(slot.id, [tens(x), tens((tops.get(slot) ?? 0) - highest)]);
    x += Math.max(...layer.map((slot) => slot.width)) + ACROSS;
  }
  return found;
}

/** Nodes that no link touches, in rows. */
function inRows(nodes: readonly Sized[]): Map<Id, Point> {
  const most = Math.max(Math.ceil(Math.sqrt(nodes.length)), FEWEST_IN_ROW);
  const found = new Map<Id, Point>();
  let [x, y, tallest] = [0, 0, 0];
  nodes.forEach(({ id, width, height }, index) => {
    if (index && index % most === 0) [x, y, tallest] = [0, y + tallest + GAP, 0];
    found.set(id, [tens(x), y]);
    x += width + ACROSS;
    tallest = Math.max(tallest, height);
  });
  return found;
}

interface Part {
  readonly nodes: Sized[];
  readonly wires: Wire[];
}

/** What hangs together, in the order of the document; and the nodes that hang on nothing. */
function partsOf(nodes: readonly Sized[], wires: readonly Wire[]): { parts: readonly Part[]; single: readonly Sized[] } {
  const rootOf = rootsOf(nodes, wires);
  const parts = new Map<Id, Part>();
  for (const node of nodes) {
    const part = parts.get(rootOf(node.id)) ?? { nodes: [], wires: [] };
    part.nodes.push(node);
    parts.set(rootOf(node.id), part);
  }
  for (const wire of wires) parts.get(rootOf(wire.from))?.wires.push(wire);
  const all = [...parts.values()];
  return { parts: all.filter((part) => part.wires.length), single: all.flatMap((part) => (part.wires.length ? [] : part.nodes)) };
}

/** Which part a node belongs to, by one of its nodes. */
function rootsOf(nodes: readonly Sized[], wires: readonly Wire[]): (id: Id) => Id {
  const above = new Map<Id, Id>(nodes.map(({ id }) => [id, id]));
  const rootOf = (id: Id): Id => {
    let at = id;
    for (let next = above.get(at) ?? at; next !== at; next = above.get(at) ?? at) {
      above.set(at, above.get(next) ?? next);
      at = next;
    }
    return at;
  };
  for (const { from, to } of wires) above.set(rootOf(from), rootOf(to));
  return rootOf;
}
