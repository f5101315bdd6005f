/** The visible part of the canvas, for actions that start elsewhere. */

import type { ReactFlowInstance } from "@xyflow/react";
import type { Point } from "../document/commands";
import type { Wanted } from "../document/schema";
import { flowId, search, select, selectedNodes, type Searching } from "../editor";

const view: { flow: ReactFlowInstance | null; pointer: Point | null } = { flow: null, pointer: null };

export function setView(flow: ReactFlowInstance): void {
  view.flow = flow;
}

export function rememberPointer(pointer: Point | null): void {
  view.pointer = pointer;
}

/** The place of the pointer on the screen; the middle of the page where it is not on the canvas. */
function pointer(): Point {
  return view.pointer ?? [innerWidth / 2, innerHeight / 3];
}

export function onCanvas([x, y]: Point): Point {
  const found = view.flow?.screenToFlowPosition({ x, y }) ?? { x, y };
  return [found.x, found.y];
}

export const pointerOnCanvas = (): Point => onCanvas(pointer());

/** Opens the search for a node to add at a point of the screen. */
export function searchAt(screen: Point = pointer(), wanted: Wanted = {}, link?: Searching["link"]): void {
  search({ at: onCanvas(screen), screen, wanted, ...(link ? { link } : {}) });
}

const calm = (): number => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250);

export function fit(): void {
  void view.flow?.fitView({ padding: 0.12, maxZoom: 1, duration: calm() });
}

export function fitSelected(): void {
  const nodes = selectedNodes().map((id) => ({ id: flowId(id) }));
  if (nodes.length) void view.flow?.fitView({ nodes, padding: 0.4, maxZoom: 1.2, duration: calm() });
}

/** Selects a node and brings it into sight. */
export function goTo(id: string): void {
  select([flowId(id)]);
  void view.flow?.fitView({ nodes: [{ id: flowId(id) }], padding: 1, maxZoom: 1, duration: calm() });
}
