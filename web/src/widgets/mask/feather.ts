/** Soft edges, and edges moved outwards or inwards: sums that slide over rows and columns, quick at any radius. */

import type { Mask } from "./buffer";

/** Lines of sums over `2 * radius + 1` values; beyond the border the last value goes on. */
function slide(from: Uint8Array, to: Uint8Array, count: number, step: number, lines: number, jump: number, radius: number, value: (sum: number, size: number) => number): void {
  const size = 2 * radius + 1;
  for (let line = 0; line < lines; line += 1) {
    const start = line * jump;
    const at = (place: number): number => from[start + Math.min(Math.max(place, 0), count - 1) * step] ?? 0;
    let sum = 0;
    for (let place = -radius; place <= radius; place += 1) sum += at(place);
    for (let place = 0; place < count; place += 1) {
      to[start + place * step] = value(sum, size);
      sum += at(place + radius + 1) - at(place - radius);
    }
  }
}

function boxed({ width, height, data }: Mask, radius: number, value: (sum: number, size: number) => number): void {
  const between = new Uint8Array(data.length);
  slide(data, between, width, 1, height, width, radius, value);
  slide(between, data, height, width, width, 1, radius, value);
}

const mean = (sum: number, size: number): number => Math.round(sum / size);

/** Makes the edges of a mask soft over about `radius` pixels on each side. */
export function feather(mask: Mask, radius: number): void {
  // Three boxes are close to a bell, and reach as far together as was asked.
  const part = Math.max(Math.round(radius / 3), 1);
  if (radius > 0) for (let time = 0; time < 3; time += 1) boxed(mask, part, mean);
}

/** Moves the edges of a mask outwards by some pixels, or inwards for a negative number. */
export function grow(mask: Mask, by: number): void {
  const outwards = (sum: number): number => Math.min(sum, 255);
  const inwards = (sum: number, size: number): number => 255 - Math.min(255 * size - sum, 255);
  if (by) boxed(mask, Math.abs(Math.round(by)), by > 0 ? outwards : inwards);
}
