/** Nodes, groups and notes that are dragged or chosen. */

import type { NodeChange, NodePositionChange } from "@xyflow/react";
import * as commands from "../document/commands";
import { placeIn, type Workflow } from "../document/document";
import { isObject } from "../document/json";
import { nodeId, run, select, useEditor, workflow } from "../editor";
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
  run(commands.all(...movesOf(withChosen(moved, now), now)), `drag ${drags.count}`);
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

function movesOf(moved: Places, now: Workflow): commands.Command[] {
  const places = new Map<string, commands.Point>();
  const steps: commands.Command[] = [];
  for (const [id, { x, y }] of moved) {
    const [list = "", index = ""] = id.split("/");
    if (list === "n") places.set(nodeId(id), [Math.round(x), Math.round(y)]);
    else steps.push(...itemMove(list as "groups" | "notes", Number(index), Math.round(x), Math.round(y), moved, now));
  }
  return [commands.move(places), ...steps];
}

function itemMove(
  list: "groups" | "notes",
  index: number,
  x: number,
  y: number,
  moved: Places,
  now: Workflow,
): commands.Command[] {
  const key = list === "groups" ? "bounds" : "at";
  const item = now[list][index];
  const old = isObject(item) ? placeIn(item.get(key)) : undefined;
  if (!old) return [];
  const { width = 240, height = 120 } = old;
  if (list === "notes") return [commands.setItem(list, index, new Map([[key, [x, y, width, height]]]))];
  const inside = new Map<string, commands.Point>();
  for (const [id, [left, top]] of placesOf(now, useEditor.getState().types))
    if (!moved.has(`n/${id}`) && left >= old.x && left < old.x + width && top >= old.y && top < old.y + height)
      inside.set(id, [left + x - old.x, top + y - old.y]);
  return [commands.moveGroup(index, { x, y, width, height }, inside)];
}
