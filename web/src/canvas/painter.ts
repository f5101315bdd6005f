/** Keeps one picture under the nodes: it lies on the canvas as they do, and is painted anew only where that does not do. */

import { holds, seenBox, type Box, type View } from "./boxes";
import { isFar } from "./near";
import { paint, type Painting } from "./paint";

export interface Painter {
  /** Shows something else: in the next frame where it must, as when elements become part of the picture; else when there is time. */
  readonly show: (painting: Painting, isUrgent: boolean) => void;
  /** The view moved. */
  readonly moved: () => void;
  readonly stop: () => void;
}

/** The picture reaches so many pixels beyond what is seen; where there are elements, not as far as they do. */
const MARGIN = { far: 300, near: 120 };
/** What can wait is painted in at most one part in so many of the time, and waits no longer than so many ms. */
const SHARE = 5;
const LONGEST = 250;
const FRAME = 1000 / 60;

interface Painted {
  readonly box: Box;
  readonly zoom: number;
}

export function createPainter(canvas: HTMLCanvasElement, view: () => View): Painter {
  const to = canvas.getContext("2d");
  let painting: Painting | null = null;
  let painted: Painted | null = null;
  let [isOld, isUrgent, notBefore, frame] = [false, false, 0, 0];

  const isShort = (): boolean => !painted || !holds(painted.box, seenBox(view()));
  const mustPaint = (): boolean => isOld || isShort() || painted?.zoom !== view().transform[2];
  const mayWait = (): boolean => painted !== null && (!isShort() || painted.zoom !== view().transform[2]);
  const paintNow = (): void => {
    if (!painting || !to) return;
    const [now, start] = [view(), performance.now()];
    painted = { box: seenBox(now, isFar(now) ? MARGIN.far : MARGIN.near), zoom: now.transform[2] };
    const isEmpty = !paintOn(canvas, to, painting, painted);
    canvas.hidden = isEmpty;
    canvas.dataset["drawn"] = "";
    [isOld, isUrgent] = [false, false];
    requestAnimationFrame(() => {
      // The browser draws after this function has ended, so only the next frame tells what painting took.
      const end = performance.now();
      notBefore = end + Math.min(Math.max(end - start - FRAME, 0) * SHARE, LONGEST);
    });
  };
  const onFrame = (): void => {
    frame = 0;
    if (!mustPaint()) return;
    if (!isUrgent && mayWait() && performance.now() < notBefore) schedule();
    else paintNow();
  };
  const schedule = (): void => {
    if (!frame) frame = requestAnimationFrame(onFrame);
  };

  return {
    show(next, mustShow) {
      [painting, isOld] = [next, true];
      isUrgent ||= mustShow;
      schedule();
    },
    moved() {
      if (mustPaint()) schedule();
    },
    stop() {
      cancelAnimationFrame(frame);
    },
  };
}

function paintOn(canvas: HTMLCanvasElement, to: CanvasRenderingContext2D, painting: Painting, { box, zoom }: Painted): boolean {
  const [width, height] = [Math.round(box.width * zoom), Math.round(box.height * zoom)];
  const sharpness = devicePixelRatio;
  canvas.style.transform = `translate(${box.x}px, ${box.y}px) scale(${1 / zoom})`;
  if (canvas.width !== Math.round(width * sharpness) || canvas.height !== Math.round(height * sharpness)) {
    [canvas.width, canvas.height] = [Math.round(width * sharpness), Math.round(height * sharpness)];
    [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
  } else {
    to.setTransform(1, 0, 0, 1, 0, 0);
    to.clearRect(0, 0, canvas.width, canvas.height);
  }
  const scale = zoom * sharpness;
  to.setTransform(scale, 0, 0, scale, -box.x * scale, -box.y * scale);
  return paint(to, painting, box, zoom);
}
