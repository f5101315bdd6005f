/** Which nodes are elements of the page: those in sight and near it, where texts can be read. All others are painted. */

import { boxOf, seenBox, touches, type View } from "./boxes";
import type { AnyNode, Scene } from "./flow";

/** Below this zoom no widget can be read, so nodes are painted. */
export const FAR = 0.4;
/** Nodes become elements so many pixels before they come into sight, and stay so until they are further away. */
const COMING = 200;
const LEAVING = 500;

export const isFar = ({ transform }: Pick<View, "transform">): boolean => transform[2] < FAR;

export interface Near {
  readonly ids: ReadonlySet<string>;
  /** Whether more nodes are to become elements. */
  readonly wantsMore: boolean;
}

/** The elements after the view or the scene changed: those that stay, and at most `most` new ones, from the middle outwards.
 * held: what stays wherever it is, such as the node that is written in. */
export function nextNear(scene: Scene, view: View, old: ReadonlySet<string>, held: readonly string[], most: number): Near {
  const kept = isFar(view) ? [] : keptIn(scene, view, old);
  const ids = new Set([...kept, ...held.filter((id) => scene.nodes.has(id))]);
  const coming = isFar(view) ? [] : comingIn(scene, view, ids);
  for (const { id } of coming.slice(0, most)) ids.add(id);
  return { ids: isSame(ids, old) ? old : ids, wantsMore: coming.length > most };
}

function keptIn(scene: Scene, view: View, old: ReadonlySet<string>): string[] {
  const box = seenBox(view, LEAVING);
  return [...old].filter((id) => {
    const node = scene.nodes.get(id);
    return node && touches(box, boxOf(node));
  });
}

function comingIn(scene: Scene, view: View, known: ReadonlySet<string>): AnyNode[] {
  const box = seenBox(view, COMING);
  const coming: AnyNode[] = [];
  for (const node of scene.nodes.values()) if (!known.has(node.id) && touches(box, boxOf(node))) coming.push(node);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const distance = ({ position, width = 0, height = 0 }: AnyNode): number =>
    Math.hypot((position.x + width / 2 - x) / box.width, (position.y + height / 2 - y) / box.height);
  return coming.sort((a, b) => distance(a) - distance(b));
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
