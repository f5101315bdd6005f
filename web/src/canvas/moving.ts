/** Nodes, groups and notes that are dragged or chosen. */

import type { NodeChange, NodePositionChange } from "@xyflow/react";
import type { Workflow } from "../document/document";
import { nodeId, run, select, useEditor, workflow } from "../editor";
import { moveBoxes } from "./chosen";
import { placesOf, type AnyNode } from "./flow";

const drags = { count: 0 };

export function endDrag(): void {
  drags.count += 1;
}

/** isAdding: whether what is chosen comes to what is chosen already, also where that is no element of the page. */
export function changeNodes(changes: readonly NodeChange<AnyNode>[], isAdding: boolean): void {
  const chosen = changes.filter((change) => change.type === "select");
  if (chosen.length) {
    const isFresh = !isAdding && chosen.some(({ selected }) => selected);
    const next = new Set(isFresh ? [] : useEditor.getState().selection);
    for (const { id, selected } of chosen) {
      if (selected) next.add(id);
      else next.delete(id);
    }
    select(next);
  }
  const moved = changes.filter((change): change is NodePositionChange => change.type === "position" && change.dragging !== undefined);
  if (moved.length) drag(moved);
}

function drag(changes: readonly NodePositionChange[]): void {
  const now = workflow();
  const moved = new Map(changes.flatMap(({ id, position }) => (position ? [[id, position] as const] : [])));
  const places = [...withChosen(moved, now)].map(([id, { x, y }]) => [id, [Math.round(x), Math.round(y)] as const] as const);
  run(moveBoxes(new Map(places)), `drag ${drags.count}`);
}

type Places = ReadonlyMap<string, { readonly x: number; readonly y: number }>;

/** The places of all that is dragged: what is chosen goes along, also where it is no element of the page. */
function withChosen(moved: Places, now: Workflow): Places {
  const { selection, types } = useEditor.getState();
  const [first] = [...moved].filter(([id]) => selection.has(id) && id.startsWith("n/"));
  const left = [...selection].filter((id) => !moved.has(id) && id.startsWith("n/"));
  if (!first || !left.length) return moved;
  const places = placesOf(now, types);
  const [x, y] = places.get(nodeId(first[0])) ?? [first[1].x, first[1].y];
  const by = [first[1].x - x, first[1].y - y] as const;
  const others = left.flatMap((id) => {
    const place = places.get(nodeId(id));
    return place ? [[id, { x: place[0] + by[0], y: place[1] + by[1] }] as const] : [];
  });
  return new Map([...moved, ...others]);
}
