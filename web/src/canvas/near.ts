/** Which nodes are elements of the page: those in sight and near it, where texts can be read. All others are painted. */

import { linkTouches, nodeTouches, seenBox, type Box, type View } from "./boxes";
import type { AnyNode, Scene } from "./flow";

/** Below this zoom no widget can be read, so nodes are painted. */
export const FAR = 0.4;
/** Nodes become elements so many pixels before they come into sight, and stay so until they are further away. */
const COMING = 200;
const LEAVING = 500;

/** So many links that only pass through the sight become elements; where there are more, they are painted. */
const MOST_PASSING = 120;

export const isFar = ({ transform }: Pick<View, "transform">): boolean => transform[2] < FAR;

export interface Near {
  readonly ids: ReadonlySet<string>;
  /** Links between nodes that are no elements, which pass through the sight. */
  readonly passing: ReadonlySet<string>;
}

export const NOTHING_NEAR: Near = { ids: new Set(), passing: new Set() };

/** The elements after the view or the scene changed: those that stay, and at most `most` new ones, from the middle outwards; and
 * whether more are to come. held: what stays wherever it is, such as the node that is written in. */
export function nextNear(scene: Scene, view: View, old: Near, held: readonly string[], most: number): { near: Near; wantsMore: boolean } {
  const kept = isFar(view) ? [] : keptIn(scene, view, old.ids);
  const ids = new Set([...kept, ...held.filter((id) => scene.nodes.has(id))]);
  const coming = isFar(view) ? [] : comingIn(scene, view, ids);
  for (const { id } of coming.slice(0, most)) ids.add(id);
  const passing = isFar(view) ? new Set<string>() : passingIn(scene, seenBox(view, COMING), ids);
  const isSame = areEqual(ids, old.ids) && areEqual(passing, old.passing);
  return { near: isSame ? old : { ids, passing }, wantsMore: coming.length > most };
}

/** Whether a change of the scene is one of elements only, as when one is dragged or written in: none comes or goes by it. */
export function changesOnlyNear(before: Scene, after: Scene, { ids }: Near): boolean {
  if (before.ids !== after.ids || before.links !== after.links) return false;
  return after.ids.every((id) => before.nodes.get(id) === after.nodes.get(id) || ids.has(id));
}

function passingIn(scene: Scene, box: Box, ids: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const link of scene.links) {
    if (ids.has(link.source) || ids.has(link.target)) continue;
    if (linkTouches(scene, link, box)) found.add(link.id);
  }
  return found.size > MOST_PASSING ? new Set() : found;
}

function keptIn(scene: Scene, view: View, old: ReadonlySet<string>): string[] {
  const box = seenBox(view, LEAVING);
  return [...old].filter((id) => {
    const node = scene.nodes.get(id);
    return node && nodeTouches(node, box);
  });
}

function comingIn(scene: Scene, view: View, known: ReadonlySet<string>): AnyNode[] {
  const box = seenBox(view, COMING);
  const coming: AnyNode[] = [];
  for (const node of scene.nodes.values()) if (nodeTouches(node, box) && !known.has(node.id)) coming.push(node);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const distance = ({ position, width = 0, height = 0 }: AnyNode): number =>
    Math.hypot((position.x + width / 2 - x) / box.width, (position.y + height / 2 - y) / box.height);
  return coming.sort((a, b) => distance(a) - distance(b));
}

function areEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
