/** Areas that are filled at once: polygons, and what is enclosed. */

import { clipped, type Mask, type Point, type Rect } from "./buffer";

/** Lines that each row of pixels is cut into, for smooth edges. */
const LINES = 4;

/** Fills a polygon with smooth edges; where it crosses itself, every second part stays free. Tells what it touched. */
export function fillPolygon(stroke: Mask, points: readonly Point[]): Rect | undefined {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const rect = points.length < 3 ? undefined : clipped(stroke, Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
  if (!rect) return undefined;
  const sums = new Float32Array(rect.width);
  for (let y = rect.y; y < rect.y + rect.height; y += 1) {
    sums.fill(0);
    for (let line = 0; line < LINES; line += 1) addLine(sums, crossings(points, y + (line + 0.5) / LINES), rect.x);
    for (let x = 0; x < rect.width; x += 1) {
      const [at, value] = [y * stroke.width + rect.x + x, Math.round(((sums[x] ?? 0) / LINES) * 255)];
      if (value > (stroke.data[at] ?? 0)) stroke.data[at] = value;
    }
  }
  return rect;
}

/** Where a level line crosses the edges of a polygon, from left to right. */
function crossings(points: readonly Point[], y: number): number[] {
  const found: number[] = [];
  let last = points.at(-1);
  for (const point of points) {
    if (last && last.y <= y !== point.y <= y) found.push(last.x + ((y - last.y) / (point.y - last.y)) * (point.x - last.x));
    last = point;
  }
  return found.sort((a, b) => a - b);
}

/** Adds how much of each pixel lies between every two crossings. */
function addLine(sums: Float32Array, ends: readonly number[], offset: number): void {
  for (let pair = 0; pair + 1 < ends.length; pair += 2) {
    const [from, to] = [Math.max((ends[pair] ?? 0) - offset, 0), Math.min((ends[pair + 1] ?? 0) - offset, sums.length)];
    for (let x = Math.floor(from); x < to; x += 1) sums[x] = (sums[x] ?? 0) + Math.min(to, x + 1) - Math.max(from, x);
  }
}

const HALF = 128;

/** Fills what is connected with a place and is on its side of half masked: the inside of an outline. */
export function floodFill(mask: Mask, stroke: Mask, start: Point): Rect | undefined {
  const { width, height, data } = mask;
  const [x0, y0] = [Math.floor(start.x), Math.floor(start.y)];
  if (x0 < 0 || y0 < 0 || x0 >= width || y0 >= height) return undefined;
  const side = (data[y0 * width + x0] ?? 0) < HALF;
  const isOpen = (at: number): boolean => stroke.data[at] === 0 && (data[at] ?? 0) < HALF === side;
  const waiting = [y0 * width + x0];
  let [left, right, top, bottom] = [x0, x0, y0, y0];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (!isOpen(at)) continue;
    const row = at - (at % width);
    let [from, to] = [at, at];
    while (from > row && isOpen(from - 1)) from -= 1;
    while (to + 1 < row + width && isOpen(to + 1)) to += 1;
    stroke.data.fill(255, from, to + 1);
    [left, right] = [Math.min(left, from - row), Math.max(right, to - row)];
    [top, bottom] = [Math.min(top, row / width), Math.max(bottom, row / width)];
    for (const next of [-width, width]) seed(waiting, isOpen, from + next, to + next, data.length);
  }
  return clipped(mask, left, top, right + 1, bottom + 1);
}

/** One place for each open run of a neighbouring row. */
function seed(waiting: number[], isOpen: (at: number) => boolean, from: number, to: number, end: number): void {
  if (from < 0 || to >= end) return;
  for (let at = from; at <= to; at += 1) if (isOpen(at) && (at === from || !isOpen(at - 1))) waiting.push(at);
}
