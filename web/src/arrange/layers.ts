/** A graph in layers: each node after all it needs, and a place in every layer that a longer link passes. */

import type { Id } from "../document/document";

export interface Sized {
  readonly id: Id;
  readonly width: number;
  readonly height: number;
}

/** A link between two nodes, with the height of its ends below their tops. */
export interface Wire {
  readonly from: Id;
  readonly to: Id;
  readonly fromY: number;
  readonly toY: number;
}

/** A node in its layer, or the place where a long link passes (without id). */
export interface Slot {
  readonly id: Id | undefined;
  readonly width: number;
  readonly height: number;
  readonly before: Step[];
  readonly after: Step[];
}

/** A link to a slot of the layer before or after, with the heights of its ends here and there. */
export interface Step {
  readonly slot: Slot;
  readonly here: number;
  readonly there: number;
}

/** Links over more layers are left out of account, so that time stays in bounds. */
const LONGEST = 60;

export function layersOf(nodes: readonly Sized[], wires: readonly Wire[]): Slot[][] {
  const depths = depthsOf(nodes, wires);
  const layers: Slot[][] = Array.from({ length: Math.max(...depths.values()) + 1 }, () => []);
  const slots = new Map<Id, Slot>();
  for (const { id, width, height } of nodes) {
    const slot = { id, width, height, before: [], after: [] };
    slots.set(id, slot);
    layers[depths.get(id) ?? 0]?.push(slot);
  }
  const passing = new Map<string, Slot>();
  for (const wire of wires) thread(wire, layers, slots, depths, passing);
  return layers.filter((layer) => layer.length);
}

/** Leads a link through the layers between its ends; links of one socket share their way. */
function thread(
  { from, to, fromY, toY }: Wire,
  layers: readonly Slot[][],
  slots: ReadonlyMap<Id, Slot>,
  depths: ReadonlyMap<Id, number>,
  passing: Map<string, Slot>,
): void {
  const [source, target] = [slots.get(from), slots.get(to)];
  const [start, end] = [depths.get(from) ?? 0, depths.get(to) ?? 0];
  if (!source || !target || end <= start || end - start > LONGEST) return;
  let [at, y] = [source, fromY];
  for (let layer = start + 1; layer < end; layer += 1) {
    const key = `${layer} ${fromY} ${from}`;
    let next = passing.get(key);
    if (!next) {
      next = { id: undefined, width: 0, height: 0, before: [], after: [] };
      passing.set(key, next);
      layers[layer]?.push(next);
      join(at, next, y, 0);
    }
    [at, y] = [next, 0];
  }
  join(at, target, y, toY);
}

function join(from: Slot, to: Slot, fromY: number, toY: number): void {
  from.after.push({ slot: to, here: fromY, there: toY });
  to.before.push({ slot: from, here: toY, there: fromY });
}

/** The layer of each node: after all it needs. What needs nothing stands just before its first user. */
function depthsOf(nodes: readonly Sized[], wires: readonly Wire[]): Map<Id, number> {
  const after = new Map<Id, Id[]>(nodes.map(({ id }) => [id, []]));
  const needs = new Map<Id, number>(nodes.map(({ id }) => [id, 0]));
  for (const { from, to } of wires) {
    after.get(from)?.push(to);
    needs.set(to, (needs.get(to) ?? 0) + 1);
  }
  const first = nodes.flatMap(({ id }) => (needs.get(id) ? [] : [id]));
  const depths = deepened(nodes, first, after, needs);
  for (const id of first) {
    const users = after.get(id) ?? [];
    if (users.length) depths.set(id, Math.max(Math.min(...users.map((user) => depths.get(user) ?? 0)) - 1, 0));
  }
  return depths;
}

/** Goes along the links from the first nodes. A circle is cut before the first of its nodes. */
function deepened(nodes: readonly Sized[], first: readonly Id[], after: ReadonlyMap<Id, readonly Id[]>, needs: Map<Id, number>): Map<Id, number> {
  const depths = new Map<Id, number>(nodes.map(({ id }) => [id, 0]));
  const done = new Set<Id>();
  const waiting = [...first];
  let at = 0;
  const flow = (): void => {
    for (; at < waiting.length; at += 1) {
      const id = waiting[at];
      if (id === undefined || done.has(id)) continue;
      done.add(id);
      for (const to of after.get(id) ?? []) {
        if (done.has(to)) continue;
        depths.set(to, Math.max(depths.get(to) ?? 0, (depths.get(id) ?? 0) + 1));
        const left = (needs.get(to) ?? 0) - 1;
        needs.set(to, left);
        if (left === 0) waiting.push(to);
      }
    }
  };
  flow();
  for (const { id } of nodes) {
    waiting.push(id);
    flow();
  }
  return depths;
}
