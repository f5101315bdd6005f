/** The curve of a link through its points, as cubic pieces: for elements and for what is painted alike. */

import type { Point } from "../document/commands";

/** From where the piece before ended: two points that pull, and the end. */
export type Piece = readonly [x1: number, y1: number, x2: number, y2: number, x: number, y: number];

const REACH = 100;

/** Links leave and arrive level; between, the curve goes along the way from the point before to the one after. */
export function piecesThrough(from: Point, points: readonly Point[], to: Point): readonly Piece[] {
  const way = [from, ...points, to];
  return way.slice(1).map((end, index): Piece => {
    const start = way[index] ?? from;
    const [ax, ay] = pullAt(way, index, start, end);
    const [bx, by] = pullAt(way, index + 1, start, end);
    return [start[0] + ax, start[1] + ay, end[0] - bx, end[1] - by, end[0], end[1]];
  });
}

function pullAt(way: readonly Point[], index: number, start: Point, end: Point): Point {
  const [before, after] = [way[index - 1], way[index + 1]];
  if (before && after) return [(after[0] - before[0]) / 6, (after[1] - before[1]) / 6];
  return [Math.min(Math.hypot(end[0] - start[0], end[1] - start[1]) / 2, REACH), 0];
}

export function pathThrough(from: Point, points: readonly Point[], to: Point): string {
  return `M${from.join(" ")}${piecesThrough(from, points, to).map((piece) => `C${piece.join(" ")}`).join("")}`;
}
