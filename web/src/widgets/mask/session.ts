/** What is painted: a mask that changes in place, the stroke that is being drawn, and the steps back and forth. */

import { joined, newMask, cut, put, wholeOf, type Mask, type Rect } from "./buffer";
import { layStroke } from "./brush";

interface Step {
  readonly rect: Rect;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export interface Session {
  readonly mask: Mask;
  readonly stroke: Mask;
  /** The mask as it was before the stroke. */
  readonly before: Uint8Array;
  /** What the stroke touched so far. */
  touched: Rect | undefined;
  past: Step[];
  future: Step[];
}

/** The most bytes that steps back may take; the oldest are forgotten first. */
const MOST_KEPT = 256 * 2 ** 20;

export function startSession(mask: Mask): Session {
  return { mask, stroke: newMask(mask.width, mask.height), before: new Uint8Array(mask.data.length), touched: undefined, past: [], future: [] };
}

export function beginStroke(session: Session): void {
  if (session.touched) put(session.stroke, session.touched, new Uint8Array(session.touched.width * session.touched.height));
  session.before.set(session.mask.data);
  session.touched = undefined;
}

/** Draws more of a stroke: `draw` changes the stroke's buffer and tells what it touched. Gives the part to show anew. */
export function addToStroke(session: Session, draw: (stroke: Mask) => Rect | undefined, opacity: number, erases: boolean): Rect | undefined {
  const rect = draw(session.stroke);
  if (!rect) return undefined;
  session.touched = joined(session.touched, rect);
  layStroke(session.mask, session.before, session.stroke, rect, opacity, erases);
  return rect;
}

export function endStroke(session: Session): void {
  const { touched, mask, before } = session;
  if (!touched) return;
  const old = cut({ ...mask, data: before }, touched);
  remember(session, { rect: touched, before: old, after: cut(mask, touched) });
}

/** Takes back what of a stroke is drawn so far. Gives the part to show anew. */
export function dropStroke(session: Session): Rect | undefined {
  const { touched, mask, before } = session;
  if (touched) put(mask, touched, cut({ ...mask, data: before }, touched));
  return touched;
}

/** Changes the whole mask in one step. */
export function changeAll(session: Session, change: (mask: Mask) => void): Rect {
  const rect = wholeOf(session.mask);
  const before = session.mask.data.slice();
  change(session.mask);
  remember(session, { rect, before, after: session.mask.data.slice() });
  return rect;
}

function remember(session: Session, step: Step): void {
  if (step.before.every((value, at) => value === step.after[at])) return;
  session.past.push(step);
  session.future = [];
  let kept = session.past.reduce((sum, { before }) => sum + 2 * before.length, 0);
  while (kept > MOST_KEPT && session.past.length > 1) kept -= 2 * (session.past.shift()?.before.length ?? 0);
}

export function undoStep(session: Session): Rect | undefined {
  const step = session.past.pop();
  if (!step) return undefined;
  session.future.push(step);
  put(session.mask, step.rect, step.before);
  return step.rect;
}

export function redoStep(session: Session): Rect | undefined {
  const step = session.future.pop();
  if (!step) return undefined;
  session.past.push(step);
  put(session.mask, step.rect, step.after);
  return step.rect;
}
