/** The visible part of the canvas, for actions that start elsewhere. */

import { getViewportForBounds, type ReactFlowInstance } from "@xyflow/react";
import type { Point } from "../document/commands";
import type { Wanted } from "../search/types";
import { around, boxOf } from "./boxes";
import { NO_SCENE, type AnyNode, type Scene } from "./flow";
import { spotOf } from "../document/subgraphs";
import { flowId, search, select, selectedNodes, showPath, whole, type Searching } from "../editor";

/** Nodes are read from this zoom on. */
const LEGIBLE = 0.6;

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
/** Shows a node by the id that it runs under, wherever it lies. */
export function goTo(ran: string): void {
  const { path, id } = spotOf(whole(), ran) ?? { path: [], id: ran };
  showPath(path);
  select([flowId(id)]);
  requestAnimationFrame(() => {
    show(nodesOf([id]), { padding: 1, maxZoom: 1 });
  });
}

/** Moves the canvas where a node is not whole in sight, or too small to be read. */
export function reveal(id: string): void {
  const [node] = nodesOf([id]);
  if (!view.flow || !node) return;
  const [zoom, box] = [view.flow.getZoom(), boxOf(node)];
  const [[left, top], [right, bottom]] = [onCanvas([0, 60]), onCanvas([innerWidth, innerHeight - 20])];
  const isSeen = box.x >= left && box.y >= top && box.x + box.width <= right && box.y + Math.min(box.height, bottom - top) <= bottom;
  if (isSeen && zoom >= LEGIBLE) return;
  void view.flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: Math.max(zoom, LEGIBLE), duration: calm() });
}

/** Moves what is seen by a distance on the screen. */
export function panBy(x: number, y: number): void {
  const now = view.flow?.getViewport();
  if (now) void view.flow?.setViewport({ ...now, x: now.x + x, y: now.y + y });
}

export function zoomBy(factor: number): void {
  if (view.flow) void view.flow.zoomTo(view.flow.getZoom() * factor, { duration: calm() });
}

export function zoomTo(zoom: number): void {
  void view.flow?.zoomTo(zoom, { duration: calm() });
}

/** A point of the screen beside a node, or the middle of the canvas where it is not in sight. */
export function screenOf(flow: string | undefined): Point {
  const element = flow === undefined ? null : elementOf(flow);
  const box = element?.getBoundingClientRect();
  return box ? [box.left + 24, Math.min(box.top + 34, innerHeight - 60)] : [innerWidth / 2, innerHeight / 3];
}

/** The element of a node, group or note, where it is drawn as one. */
export function elementOf(flow: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(flow)}"]`);
}

/** Gives the canvas the focus, so that keys go on working when what had it is gone. */
export function focusCanvas(): void {
  document.querySelector<HTMLElement>("main.canvas")?.focus({ preventScroll: true });
}
