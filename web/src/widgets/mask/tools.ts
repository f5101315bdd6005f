/** The tools of the painter and how they are set; kept while the page is open. */

import { create } from "zustand";

export const TOOLS = ["brush", "eraser", "fill", "rectangle", "lasso", "polygon"] as const;
export type Tool = (typeof TOOLS)[number];

export interface Tools {
  readonly tool: Tool;
  /** The brush's diameter in pixels of the picture. */
  readonly size: number;
  readonly hardness: number;
  readonly opacity: number;
  readonly colour: string;
  /** How visible the mask is. */
  readonly shown: number;
  readonly radius: number;
}

export const useTools = create<Tools>(() => ({ tool: "brush", size: 60, hardness: 0.8, opacity: 1, colour: "#e0604c", shown: 0.6, radius: 8 }));

export const LARGEST = 1000;
const PART = 0.1;

export const setTools = (change: Partial<Tools>): void => useTools.setState(change);

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
