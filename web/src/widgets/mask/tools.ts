/** The tools of the painter and how they are set; kept while the page is open. */

import { create } from "zustand";

export const TOOLS = ["brush", "eraser", "fill", "rectangle", "lasso", "polygon"] as const;
export type Tool = (typeof TOOLS)[number];

export interface Tools {
  readonly tool: Tool;
  /** The brush's diameter in pixels of the picture. */
  readonly size: number;
  /** The shorter side of the picture that the size was meant for; 0 before the first one. */
  readonly side: number;
  readonly hardness: number;
  readonly opacity: number;
  readonly colour: string;
  /** How visible the mask is. */
  readonly shown: number;
  readonly radius: number;
}

export const useTools = create<Tools>(() => ({ tool: "brush", size: 60, side: 0, hardness: 0.8, opacity: 1, colour: "#e0604c", shown: 0.6, radius: 8 }));

export const LARGEST = 1000;
/** The part of a picture's shorter side that a brush covers at first. */
const AT_FIRST = 0.08;
const PART = 0.1;

export const setTools = (change: Partial<Tools>): void => useTools.setState(change);

/** A brush for a picture of these sides: as large beside it as the last one was beside its picture. */
export function brushFor({ size, side }: Pick<Tools, "size" | "side">, width: number, height: number): Pick<Tools, "size" | "side"> {
  const shorter = Math.min(width, height);
  const part = side ? size / side : AT_FIRST;
  return { size: Math.min(Math.max(Math.round(shorter * part), 1), LARGEST), side: shorter };
}

/** A brush that is one step larger or smaller; a step grows with the brush. */
export function resized(size: number, direction: number): number {
  const step = Math.max(Math.round(size * PART), 1);
  return Math.min(Math.max(size + direction * step, 1), LARGEST);
}

/** A share that is a tenth more or less, within 0 and 1. */
export const moved = (share: number, direction: number): number => Math.round(Math.min(Math.max(share + direction * PART, 0), 1) * 100) / 100;

/** The radius of a brush, smaller where a pen is pressed lightly; a mouse presses with 0.5. */
export function radiusFor(size: number, pointer: { readonly pointerType: string; readonly pressure: number }): number {
  const pressure = pointer.pointerType === "pen" && pointer.pressure > 0 ? pointer.pressure : 1;
  return Math.max((size / 2) * pressure, 0.5);
}
