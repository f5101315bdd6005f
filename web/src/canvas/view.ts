/** The visible part of the canvas, for actions that start elsewhere. */

import { getViewportForBounds, type ReactFlowInstance } from "@xyflow/react";
import type { Point } from "../document/commands";
import type { Wanted } from "../document/schema";
import { around, boxOf } from "./boxes";
import { NO_SCENE, type AnyNode, type Scene } from "./flow";
import { flowId, search, select, selectedNodes, type Searching } from "../editor";

const view: { flow: ReactFlowInstance | null; scene: Scene; pointer: Point | null } = { flow: null, scene: NO_SCENE, pointer: null };

export function setView(flow: ReactFlowInstance, scene: Scene): void {
  view.flow = flow;
  view.scene = scene;
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

/** Brings boxes of the canvas into sight, all of them and in the middle. */
function show(nodes: Iterable<AnyNode>, { padding, maxZoom, duration = calm() }: { padding: number; maxZoom: number; duration?: number }): void {
  const box = around([...nodes].map(boxOf));
  const size = document.querySelector(".react-flow")?.getBoundingClientRect();
  if (!box || !size || !view.flow) return;
  void view.flow.setViewport(getViewportForBounds(box, size.width, size.height, 0.02, maxZoom, padding), { duration });
}

export function fit(duration?: number): void {
  show(view.scene.nodes.values(), { padding: 0.12, maxZoom: 1, ...(duration === undefined ? {} : { duration }) });
}

const nodesOf = (ids: readonly string[]): AnyNode[] => ids.flatMap((id) => view.scene.nodes.get(flowId(id)) ?? []);

export function fitSelected(): void {
  show(nodesOf(selectedNodes()), { padding: 0.4, maxZoom: 1.2 });
}

/** Selects a node and brings it into sight. */
export function goTo(id: string): void {
  select([flowId(id)]);
  show(nodesOf([id]), { padding: 1, maxZoom: 1 });
}
