/** Where a picture lies on its stage: how large, and how far it is moved. Plain numbers, in px of the screen. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** scale: px of the screen for one of the picture; x, y: of its top left corner. */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const LARGEST = 32;
const SMALLEST = 0.02;
/** A tiny picture is not made larger than this to fill the stage. */
const LARGEST_FIT = 4;
const MARGIN = 24;

export function centred(picture: Size, stage: Size, scale: number): View {
  return { scale, x: (stage.width - picture.width * scale) / 2, y: (stage.height - picture.height * scale) / 2 };
}

/** All of the picture, as large as the stage allows. */
export function fitted(picture: Size, stage: Size): View {
  const room = { width: Math.max(stage.width - 2 * MARGIN, 1), height: Math.max(stage.height - 2 * MARGIN, 1) };
  const scale = Math.min(room.width / picture.width, room.height / picture.height, LARGEST_FIT);
  return centred(picture, stage, Math.max(scale, SMALLEST));
}

/** Nearer or farther, with what is under a point staying there. */
export function zoomedAt(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(Math.max(view.scale * factor, SMALLEST), LARGEST);
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Moved, but never so far that nothing of the picture is seen. */
export function moved(view: View, dx: number, dy: number, picture: Size, stage: Size): View {
  const keep = (at: number, length: number, room: number): number => Math.min(Math.max(at, 40 - length), room - 40);
  return {
    scale: view.scale,
    x: keep(view.x + dx, picture.width * view.scale, stage.width),
    y: keep(view.y + dy, picture.height * view.scale, stage.height),
  };
}
