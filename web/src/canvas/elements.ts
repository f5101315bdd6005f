/** What React Flow is given: the nodes that are elements, and the links that begin or end at them. */

import type { Edge } from "@xyflow/react";
import { NO_SCENE, type AnyNode, type Scene } from "./flow";
import type { Near } from "./near";

export interface Elements {
  readonly nodes: AnyNode[];
  readonly links: Edge[];
}

export const NO_ELEMENTS: Elements = { nodes: [], links: [] };

/** A node that is not an element but the end of a link which is one, is there unseen. */
export function elementsOf(scene: Scene, near: Near, selection: ReadonlySet<string>, old: Elements): Elements {
  const links = scene.links.filter((link) => isElement(link, near));
  const ends = new Set<string>();
  for (const { source, target } of links) ends.add(source).add(target);
  const known = new Map(old.nodes.map((node) => [node.id, node]));
  const nodes: AnyNode[] = [];
  for (const [id, node] of scene.nodes) {
    const isNear = near.ids.has(id);
    if (isNear || ends.has(id)) nodes.push(dressed(node, selection.has(id), !isNear, known.get(id)));
  }
  return { nodes: isSame(nodes, old.nodes) ? old.nodes : nodes, links: isSame(links, old.links) ? old.links : links };
}

function dressed<Any extends AnyNode>(node: Any, selected: boolean, hidden: boolean, old: AnyNode | undefined): AnyNode {
  const isOld = old?.data === node.data && old.position === node.position && old.selected === selected && old.hidden === hidden;
  return isOld ? old : { ...node, selected, hidden };
}

function isSame<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function isElement({ id, source, target }: Edge, { ids, passing }: Near): boolean {
  return ids.has(source) || ids.has(target) || passing.has(id);
}

/** What is painted: the nodes and links that are no elements, and the scene in which they lie. */
export interface Painted extends Elements {
  readonly scene: Scene;
}

export const NOTHING_PAINTED: Painted = { ...NO_ELEMENTS, scene: NO_SCENE };

/** The same as before while nothing changes that is painted. */
export function paintedOf(scene: Scene, near: Near, old: Painted): Painted {
  const nodes: AnyNode[] = [];
  for (const [id, node] of scene.nodes) if (!near.ids.has(id)) nodes.push(node);
  const links = scene.links.filter((link) => !isElement(link, near));
  return isSame(nodes, old.nodes) && isSame(links, old.links) ? old : { nodes, links, scene };
}
