/** The order of slots within their layers, with few crossings of links. */

import type { Slot } from "./layers";

const SWEEPS = 14;

/** The layers in the best order that going to and fro found: each slot at the mean of its neighbours. */
export function uncrossed(layers: readonly (readonly Slot[])[]): Slot[][] {
  let now = layers.map((layer) => [...layer]);
  let [best, fewest] = [now, crossings(now)];
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    now = swept(now, sweep % 2 === 0 ? "before" : "after");
    const count = crossings(now);
    if (count < fewest) [best, fewest] = [now, count];
  }
  return best;
}

function swept(layers: readonly (readonly Slot[])[], side: "before" | "after"): Slot[][] {
  const found = layers.map((layer) => [...layer]);
  const places = new Map<Slot, number>();
  const order = side === "before" ? found.keys() : [...found.keys()].reverse();
  for (const index of order) {
    const layer = found[index] ?? [];
    const wanted = new Map(layer.map((slot, place) => [slot, meanOf(slot, side, places) ?? place]));
    layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    layer.forEach((slot, place) => places.set(slot, place));
  }
  return found;
}

/** The mean place of a slot's neighbours, each with the height of its end, so that links of one node keep their order. */
function meanOf(slot: Slot, side: "before" | "after", places: ReadonlyMap<Slot, number>): number | undefined {
  const steps = slot[side];
  if (!steps.length) return undefined;
  const sum = steps.reduce((so_far, step) => so_far + (places.get(step.slot) ?? 0) + step.there / (step.slot.height + 1), 0);
  return sum / steps.length;
}

/** How many pairs of links cross between neighbouring layers. */
export function crossings(layers: readonly (readonly Slot[])[]): number {
  return layers.reduce((sum, layer, index) => sum + crossingsBetween(layer, layers[index + 1] ?? []), 0);
}

function crossingsBetween(left: readonly Slot[], right: readonly Slot[]): number {
  const places = new Map(right.map((slot, place) => [slot, place]));
  const ends = left.flatMap((slot) =>
    slot.after
      .map((step) => ({ here: step.here, end: (places.get(step.slot) ?? 0) + step.there / (step.slot.height + 1) }))
      .sort((a, b) => a.here - b.here || a.end - b.end)
      .map(({ end }) => end),
  );
  return inversions(ends);
}

/** How many pairs of a list stand the wrong way round; by merging, so that time stays near the length. */
function inversions(list: readonly number[]): number {
  let [from, to] = [[...list], new Array<number>(list.length)];
  let count = 0;
  for (let width = 1; width < list.length; width *= 2) {
    for (let start = 0; start < list.length; start += 2 * width) count += mergedAt(from, to, start, width);
    [from, to] = [to, from];
  }
  return count;
}

function mergedAt(from: readonly number[], to: number[], start: number, width: number): number {
  const [middle, end] = [Math.min(start + width, from.length), Math.min(start + 2 * width, from.length)];
  let [left, right, count] = [start, middle, 0];
  for (let at = start; at < end; at += 1) {
    const takesLeft = left < middle && (right >= end || (from[left] as number) <= (from[right] as number));
    if (!takesLeft) count += middle - left;
    to[at] = from[takesLeft ? left++ : right++] as number;
  }
  return count;
}
