/** Strokes: gathered in a buffer of their own, so that a stroke that crosses itself is no stronger there. */

import { clipped, type Mask, type Point, type Rect } from "./buffer";

export interface Dab extends Point {
  readonly radius: number;
}

/** How much a brush covers (0 to 255) at a distance from its middle. hardness 1 has an edge of one pixel. */
export function coverage(distance: number, radius: number, hardness: number): number {
  const edge = Math.max(radius * (1 - hardness), 1);
  const inside = (radius + 0.5 - distance) / edge;
  if (inside <= 0) return 0;
  if (inside >= 1) return 255;
  return 255 * (hardness > 0.99 ? inside : inside * inside * (3 - 2 * inside));
}

/** Draws a brush that goes straight from one place to another, its radius changing on the way. Tells what it touched. */
export function drawSegment(stroke: Mask, from: Dab, to: Dab, hardness: number): Rect | undefined {
  const reach = Math.max(from.radius, to.radius) + 1;
  const [left, top] = [Math.min(from.x, to.x) - reach, Math.min(from.y, to.y) - reach];
  const rect = clipped(stroke, left, top, Math.max(from.x, to.x) + reach, Math.max(from.y, to.y) + reach);
  if (!rect) return undefined;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  for (let y = rect.y; y < rect.y + rect.height; y += 1) {
    const py = y + 0.5 - from.y;
    for (let x = rect.x, at = y * stroke.width + rect.x; x < rect.x + rect.width; x += 1, at += 1) {
      const px = x + 0.5 - from.x;
      const part = length ? Math.min(Math.max((px * dx + py * dy) / length, 0), 1) : 0;
      const [ex, ey] = [px - part * dx, py - part * dy];
      const radius = from.radius + part * (to.radius - from.radius);
      const apart = ex * ex + ey * ey;
      if (apart > (radius + 0.5) * (radius + 0.5)) continue;
      const covered = coverage(Math.sqrt(apart), radius, hardness);
      if (covered > (stroke.data[at] ?? 0)) stroke.data[at] = covered;
    }
  }
  return rect;
}

/** Makes a part of the mask what it was before the stroke, with the stroke laid on or taken off. */
export function layStroke(mask: Mask, before: Uint8Array, stroke: Mask, rect: Rect, opacity: number, erases: boolean): void {
  for (let row = rect.y; row < rect.y + rect.height; row += 1) {
    const end = row * mask.width + rect.x + rect.width;
    for (let at = row * mask.width + rect.x; at < end; at += 1) {
      const old = before[at] ?? 0;
      const covered = ((stroke.data[at] ?? 0) / 255) * opacity;
      mask.data[at] = Math.round(erases ? old * (1 - covered) : old + (255 - old) * covered);
    }
  }
}
