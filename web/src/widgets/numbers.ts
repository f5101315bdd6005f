/** How a number moves: by steps, within its bounds. */

import { decimalsOf, type WidgetOf } from "../document/widgets";

type Kind = WidgetOf<"number">;
export interface Keys {
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** Pixels of dragging that make one step. */
const STEP_PIXELS = 5;

/** How much coarser or finer a movement is: Shift ten times, Alt a tenth. */
export const factorOf = ({ shiftKey, altKey }: Keys): number => (shiftKey ? 10 : 1) * (altKey ? 0.1 : 1);

/** What a step is with the keys that are held; whole numbers move by 1 at least. */
export function stepOf({ step, whole }: Kind, keys: Keys): number {
  const wanted = step * factorOf(keys);
  return whole ? Math.max(Math.round(wanted), 1) : wanted;
}

/** A number as its widget keeps it, and which bound it met. */
export function fitted(next: number, { whole, min, max }: Kind, digits: number | undefined): { readonly value: number; readonly met: "" | "min" | "max" } {
  const rounded = whole ? Math.round(next) : digits === undefined ? next : Number(next.toFixed(digits));
  if (rounded < min) return { value: min, met: "min" };
  return rounded > max ? { value: max, met: "max" } : { value: rounded, met: "" };
}

/** The decimals that steps keep: those of the step and of the number they start from. */
export function digitsFor({ step, digits }: Kind, now: number, keys: Keys): number {
  return Math.max(digits ?? 0, decimalsOf(step) + (keys.altKey ? 1 : 0), Math.min(decimalsOf(now), 6));
}

/** The number that a drag leads to, from where it began. A slider's end is where the pointer is. */
export function dragged(widget: Kind, start: number, pixels: number): number {
  return start + Math.round(pixels / STEP_PIXELS) * widget.step;
}

/** The number at a part (0 to 1) of a slider's length, on a step. */
export function slidTo({ min, max, step }: Kind, part: number): number {
  const inside = Math.min(Math.max(part, 0), 1);
  return min + Math.round((inside * (max - min)) / step) * step;
}

/** Which bound a number lies beyond, as imported workflows may. */
export function beyond(now: number, { min, max }: Kind): "" | "min" | "max" {
  return now < min ? "min" : now > max ? "max" : "";
}

/** How much of a range lies below a number, in percent; 0 where it has no end or is too long to mean anything. */
export function filled(now: number, { min, max, step, slider }: Kind): number {
  const isRange = Number.isFinite(max - min) && max > min && (slider || (max - min) / step <= 1000);
  return isRange ? Math.min(Math.max((now - min) / (max - min), 0), 1) * 100 : 0;
}
