/** What React Flow is given: the nodes that are elements, and the links that begin or end at them. */

import type { Edge } from "@xyflow/react";
import { NO_SCENE, type AnyNode, type Scene } from "./flow";
import { NOTHING_NEAR, type Near } from "./near";

export interface Elements {
  readonly nodes: AnyNode[];
  readonly links: Edge[];
  /** What they were chosen from, and by. */
  readonly scene: Scene;
  readonly near: Near;
}

export const NO_ELEMENTS: Elements = { nodes: [], links: [], scene: NO_SCENE, near: NOTHING_NEAR };

/** A node that is not an element but the end of a link which is one, is there unseen. */
export function elementsOf(scene: Scene, near: Near, selection: ReadonlySet<string>, old: Elements): Elements {
  const stays = isSameChoice(scene, near, old);
  const links = stays ? old.links : kept(scene.links.filter((link) => isElement(link, near)), old.links);
  const known = new Map(old.nodes.map((node) => [node.id, node]));
  const found = stays ? old.nodes.flatMap(({ id }) => scene.nodes.get(id) ?? []) : shown(scene, near, links);
  const nodes = found.map((node) => dressed(node, selection.has(node.id), !near.ids.has(node.id), known.get(node.id)));
  return { nodes: kept(nodes, old.nodes), links, scene, near };
}

/** Whether the same nodes and links are chosen as before, however they look now. */
const isSameChoice = (scene: Scene, near: Near, old: Pick<Elements, "scene" | "near">): boolean =>
  near === old.near && scene.ids === old.scene.ids && scene.links === old.scene.links;

function shown(scene: Scene, near: Near, links: readonly Edge[]): AnyNode[] {
  const ends = new Set<string>();
  for (const { source, target } of links) ends.add(source).add(target);
  const nodes: AnyNode[] = [];
  scene.nodes.forEach((node, id) => {
    if (near.ids.has(id) || ends.has(id)) nodes.push(node);
  });
  return nodes;
}

function dressed<Any extends AnyNode>(node: Any, selected: boolean, hidden: boolean, old: AnyNode | undefined): AnyNode {
  const isOld = old?.data === node.data && old.position === node.position && old.selected === selected && old.hidden === hidden;
  return isOld ? old : { ...node, selected, hidden };
}

/** The old list where it is the same. */
function kept<Item>(now: Item[], old: Item[]): Item[] {
  return now.length === old.length && now.every((item, index) => item === old[index]) ? old : now;
}

function isElement({ id, source, target }: Edge, { ids, passing }: Near): boolean {
  return ids.has(source) || ids.has(target) || passing.has(id);
}

/** What is painted: the nodes and links that are no elements, and the scene in which they lie; the same as before while
 * nothing changes that is painted. */
export function paintedOf(scene: Scene, near: Near, old: Elements): Elements {
  if (isSameChoice(scene, near, old) && old.nodes.every((node) => scene.nodes.get(node.id) === node)) return old;
  const nodes: AnyNode[] = [];
  scene.nodes.forEach((node, id) => {
    if (!near.ids.has(id)) nodes.push(node);
  });
  const found = { nodes: kept(nodes, old.nodes), links: kept(scene.links.filter((link) => !isElement(link, near)), old.links) };
  return found.nodes === old.nodes && found.links === old.links ? old : { ...found, scene, near };
}
