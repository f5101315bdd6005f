/** Where the picture lies in the painter and how large it is shown. */

import type { Point } from "./buffer";

export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

const SMALLEST = 0.02;
const LARGEST = 32;
const MARGIN = 24;

/** The whole picture in the middle of a box, no larger than four times its size. */
export function fitView(box: { readonly width: number; readonly height: number }, picture: { readonly width: number; readonly height: number }): View {
  const fits = Math.min((box.width - MARGIN) / picture.width, (box.height - MARGIN) / picture.height, 4);
  const zoom = Math.max(fits, SMALLEST);
  return { zoom, x: (box.width - picture.width * zoom) / 2, y: (box.height - picture.height * zoom) / 2 };
}

/** Zooms so that what lies at a point of the box stays there. */
export function zoomed(view: View, factor: number, at: Point): View {
  const zoom = Math.min(Math.max(view.zoom * factor, SMALLEST), LARGEST);
  const by = zoom / view.zoom;
  return { zoom, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** The pixel of the picture that lies at a point of the box. */
export const toPicture = (view: View, { x, y }: Point): Point => ({ x: (x - view.x) / view.zoom, y: (y - view.y) / view.zoom });
