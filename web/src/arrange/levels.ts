/** How high each slot lies in its layer: as level with its neighbours as the others allow. */

import type { Slot } from "./layers";

const SWEEPS = 10;
export const GAP = 50;
/** Between links that pass a layer, and between one and a node. */
const PASSING_GAP = 24;

export function levelled(layers: readonly (readonly Slot[])[]): Map<Slot, number> {
  const tops = new Map<Slot, number>();
  for (const layer of layers) stack(layer, tops);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForth = sweep % 2 === 0;
    for (const layer of isForth ? layers : layers.toReversed()) settle(layer, isForth ? "before" : "after", tops);
  }
  return tops;
}

const gapAfter = (slot: Slot, next: Slot): number => (slot.id === undefined || next.id === undefined ? PASSING_GAP : GAP);

function stack(layer: readonly Slot[], tops: Map<Slot, number>): void {
  let y = 0;
  layer.forEach((slot, index) => {
    tops.set(slot, y);
    y += slot.height + gapAfter(slot, layer[index + 1] ?? slot);
  });
}

interface Block {
  sum: number;
  count: number;
  readonly slots: { readonly slot: Slot; readonly offset: number }[];
}

/** Moves the slots of a layer as near to where their links want them as their order and gaps allow (least squares). */
function settle(layer: readonly Slot[], side: "before" | "after", tops: Map<Slot, number>): void {
  const blocks: Block[] = [];
  let offset = 0;
  layer.forEach((slot, index) => {
    blocks.push({ sum: wantedTop(slot, side, tops) - offset, count: 1, slots: [{ slot, offset }] });
    offset += slot.height + gapAfter(slot, layer[index + 1] ?? slot);
    for (let last = blocks.at(-1), next = blocks.at(-2); last && next && next.sum / next.count > last.sum / last.count; last = blocks.at(-1), next = blocks.at(-2)) {
      next.sum += last.sum;
      next.count += last.count;
      for (const item of last.slots) next.slots.push(item);
      blocks.pop();
    }
  });
  for (const block of blocks) for (const item of block.slots) tops.set(item.slot, block.sum / block.count + item.offset);
}

/** The top at which a slot's links on one side would be level, in the mean; its own where there are none. */
function wantedTop(slot: Slot, side: "before" | "after", tops: ReadonlyMap<Slot, number>): number {
  const steps = slot[side];
  if (!steps.length) return tops.get(slot) ?? 0;
  return steps.reduce((sum, step) => sum + (tops.get(step.slot) ?? 0) + step.there - step.here, 0) / steps.length;
}
