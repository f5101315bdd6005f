/** A mask as bytes: 255 where it applies, 0 where it does not, whatever the size of the picture. */

export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function newMask(width: number, height: number): Mask {
  return { width, height, data: new Uint8Array(width * height) };
}

export const wholeOf = ({ width, height }: Mask): Rect => ({ x: 0, y: 0, width, height });

/** The part of a mask between two corners, undefined where nothing of it is. */
export function clipped({ width, height }: Mask, left: number, top: number, right: number, bottom: number): Rect | undefined {
  const [x, y] = [Math.max(Math.floor(left), 0), Math.max(Math.floor(top), 0)];
  const [w, h] = [Math.min(Math.ceil(right), width) - x, Math.min(Math.ceil(bottom), height) - y];
  return w > 0 && h > 0 ? { x, y, width: w, height: h } : undefined;
}

export function joined(one: Rect | undefined, other: Rect | undefined): Rect | undefined {
  if (!one || !other) return one ?? other;
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  const right = Math.max(one.x + one.width, other.x + other.width);
  return { x, y, width: right - x, height: Math.max(one.y + one.height, other.y + other.height) - y };
}

/** A copy of a part of a mask. */
export function cut({ data, width }: Mask, rect: Rect): Uint8Array {
  const copy = new Uint8Array(rect.width * rect.height);
  for (let row = 0; row < rect.height; row += 1) {
    const from = (rect.y + row) * width + rect.x;
    copy.set(data.subarray(from, from + rect.width), row * rect.width);
  }
  return copy;
}

/** Puts a part back that was cut. */
export function put({ data, width }: Mask, rect: Rect, part: Uint8Array): void {
  for (let row = 0; row < rect.height; row += 1)
    data.set(part.subarray(row * rect.width, (row + 1) * rect.width), (rect.y + row) * width + rect.x);
}

export function invert({ data }: Mask): void {
  for (let at = 0; at < data.length; at += 1) data[at] = 255 - (data[at] ?? 0);
}

/** The share of a mask that applies, 0 to 1. */
export function coveredPart({ data }: Mask): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / 255 / Math.max(data.length, 1);
}

/** The mask that the transparency of a picture's pixels (RGBA) is: transparent parts apply. */
export function maskOfAlpha(pixels: Uint8ClampedArray, width: number, height: number): Mask {
  const mask = newMask(width, height);
  for (let at = 0; at < mask.data.length; at += 1) mask.data[at] = 255 - (pixels[4 * at + 3] ?? 255);
  return mask;
}
