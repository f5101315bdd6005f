/** New places for boxes that are to stand in line, or equally far apart. */

import { around } from "../canvas/boxes";
import type { Point, Rectangle } from "../document/commands";
import type { Id } from "../document/document";

export type Boxes = ReadonlyMap<Id, Rectangle>;
export type Side = "left" | "right" | "top" | "bottom" | "centre" | "middle";

/** Each box moved to one side of all of them, or to their middle line: centre of a column, middle of a row. */
export function align(boxes: Boxes, side: Side): Map<Id, Point> {
  const all = around(boxes.values());
  const found = new Map<Id, Point>();
  if (!all) return found;
  for (const [id, { x, y, width, height }] of boxes) {
    const places: Record<Side, Point> = {
      left: [all.x, y],
      right: [all.x + all.width - width, y],
      centre: [all.x + (all.width - width) / 2, y],
      top: [x, all.y],
      bottom: [x, all.y + all.height - height],
      middle: [x, all.y + (all.height - height) / 2],
    };
    found.set(id, rounded(places[side]));
  }
  return found;
}

/** The boxes with equal gaps between them, the first and the last where they are. */
export function distribute(boxes: Boxes, way: "across" | "down"): Map<Id, Point> {
  const [start, size] = way === "across" ? (["x", "width"] as const) : (["y", "height"] as const);
  const inOrder = [...boxes].sort(([, a], [, b]) => a[start] - b[start]);
  const all = around(boxes.values());
  const found = new Map<Id, Point>();
  if (!all || inOrder.length < 3) return found;
  const gap = (all[size] - inOrder.reduce((sum, [, box]) => sum + box[size], 0)) / (inOrder.length - 1);
  let at = all[start];
  for (const [id, box] of inOrder) {
    found.set(id, rounded(way === "across" ? [at, box.y] : [box.x, at]));
    at += box[size] + gap;
  }
  return found;
}

export function shifted(boxes: Boxes, by: Point): Map<Id, Point> {
  return new Map([...boxes].map(([id, { x, y }]) => [id, [x + by[0], y + by[1]]]));
}

const rounded = ([x, y]: Point): Point => [Math.round(x), Math.round(y)];
