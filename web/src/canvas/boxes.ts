/** Boxes on the canvas: what is in sight, what lies under a point, what a rectangle touches. */

import type { Edge } from "@xyflow/react";
import type { Point } from "../document/commands";
import type { AnyNode, Scene } from "./flow";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is seen of the canvas: React Flow's transform and the size of the canvas on the screen. */
export interface View {
  readonly transform: readonly [x: number, y: number, zoom: number];
  readonly width: number;
  readonly height: number;
}

export function boxOf({ position, width = 0, height = 0 }: AnyNode): Box {
  return { x: position.x, y: position.y, width, height };
}

/** The part of the canvas that is seen, and so many pixels of the screen around it. */
export function seenBox({ transform: [x, y, zoom], width, height }: View, margin = 0): Box {
  return { x: (-x - margin) / zoom, y: (-y - margin) / zoom, width: (width + 2 * margin) / zoom, height: (height + 2 * margin) / zoom };
}

export function touches(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

export function holds(outer: Box, inner: Box): boolean {
  return (
    inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height
  );
}

export function around(boxes: Iterable<Box>): Box | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of boxes) {
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + width), Math.max(bottom, y + height)];
  }
  return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : undefined;
}

/** The node that lies on top at a point: cards before notes, notes before groups, the last drawn first. */
export function nodeAt(scene: Scene, [x, y]: Point): AnyNode | undefined {
  let found: AnyNode | undefined;
  for (const node of scene.nodes.values()) {
    const { position, width = 0, height = 0 } = node;
    const isIn = x >= position.x && x < position.x + width && y >= position.y && y < position.y + height;
    if (isIn && (node.zIndex ?? 0) >= (found?.zIndex ?? -Infinity)) found = node;
  }
  return found;
}

/** What a rectangle chooses: the nodes it touches, and the groups that lie in it. */
export function nodesIn(scene: Scene, box: Box): string[] {
  const isChosen = (node: AnyNode): boolean => (node.type === "group" ? holds(box, boxOf(node)) : touches(box, boxOf(node)));
  return [...scene.nodes.values()].filter(isChosen).map(({ id }) => id);
}

// The same without objects made for each node or link, as large workflows have thousands of them

export function nodeTouches({ position, width = 0, height = 0 }: AnyNode, box: Box): boolean {
  const { x, y } = position;
  return x < box.x + box.width && box.x < x + width && y < box.y + box.height && box.y < y + height;
}

/** Whether the curve of a link may touch a box. */
export function linkTouches({ nodes }: Scene, link: Edge, box: Box): boolean {
  const [source, target] = [nodes.get(link.source), nodes.get(link.target)];
  if (!source || !target) return false;
  if (link.type === "bent") return true; // it may go anywhere, and there are few
  const [from, to] = [source.position.x + (source.width ?? 0), target.position.x];
  const bend = to > from ? 10 : 10 + 6.25 * Math.sqrt(from - to);
  if (Math.min(from, to) - bend >= box.x + box.width || Math.max(from, to) + bend <= box.x) return false;
  const [above, below] = [source.position.y, target.position.y];
  return Math.min(above, below) < box.y + box.height && Math.max(above + (source.height ?? 0), below + (target.height ?? 0)) > box.y;
}

/** The box around all of a scene. */
export function sceneBox({ nodes }: Scene): Box | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { position, width = 0, height = 0 } of nodes.values()) {
    if (position.x < left) left = position.x;
    if (position.y < top) top = position.y;
    if (position.x + width > right) right = position.x + width;
    if (position.y + height > bottom) bottom = position.y + height;
  }
  return left <= right ? { x: left, y: top, width: right - left, height: bottom - top } : undefined;
}
