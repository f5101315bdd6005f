/** The mask as people see it: a colour over the picture. */

import { channelsOf, colourIn } from "../colours";
import type { Mask, Rect } from "./buffer";

/** Rows that are drawn at a time, so that a large picture needs little memory besides. */
const STRIP = 256;

/** Draws a part of a mask onto a canvas as large as the picture. */
export function showMask(context: CanvasRenderingContext2D, mask: Mask, rect: Rect, colour: string): void {
  const [red, green, blue] = channelsOf(colourIn(colour) ?? 0);
  for (let y = rect.y; y < rect.y + rect.height; y += STRIP) {
    const height = Math.min(STRIP, rect.y + rect.height - y);
    const image = new ImageData(rect.width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const base = (blue << 16) | (green << 8) | red;
    for (let row = 0; row < height; row += 1) {
      const from = (y + row) * mask.width + rect.x;
      for (let x = 0; x < rect.width; x += 1) pixels[row * rect.width + x] = ((mask.data[from + x] ?? 0) << 24) | base;
    }
    context.putImageData(image, rect.x, y);
  }
}
