/** What is selected, as boxes on the canvas; and commands that move such boxes. */

import * as commands from "../document/commands";
import { placeIn, type Id, type Workflow } from "../document/document";
import { isObject } from "../document/json";
import { isPinned } from "../document/looks";
import { typeOf, useEditor, workflow } from "../editor";
import { around } from "./boxes";
import { placesOf } from "./flow";
import { shapeOf } from "./geometry";

export type List = "groups" | "notes";
type Boxes = Map<string, commands.Rectangle>;
const PLACE = { groups: "bounds", notes: "at" } as const;
const PADDING = { side: 24, top: 56 };

/** "groups/2" as its list and place; undefined for nodes. */
export function itemIn(flow: string): { readonly list: List; readonly index: number } | undefined {
  const [list, index] = flow.split("/");
  return list === "groups" || list === "notes" ? { list, index: Number(index) } : undefined;
}

export function selectedItems(list: List): number[] {
  return [...useEditor.getState().selection].flatMap((flow) => {
    const item = itemIn(flow);
    return item?.list === list ? [item.index] : [];
  });
}

export function nodeBoxes(ids: Iterable<Id>): Boxes {
  const now = workflow();
  const places = placesOf(now, useEditor.getState().types);
  const found: Boxes = new Map();
  for (const id of ids) {
    const [node, place] = [now.nodes.get(id), places.get(id)];
    if (!node || !place) continue;
    const { width, height } = shapeOf(typeOf(id, node), node, placeIn(now.layout.get(id)));
    found.set(id, { x: place[0], y: place[1], width, height });
  }
  return found;
}

export function itemBox(list: List, index: number): commands.Rectangle | undefined {
  const item = workflow()[list][index];
  const place = isObject(item) ? placeIn(item.get(PLACE[list])) : undefined;
  return place && { width: 240, height: 120, ...place };
}

/** The boxes of all that is selected, by flow id. */
export function selectedBoxes(): Boxes {
  const found: Boxes = new Map();
  const { selection } = useEditor.getState();
  const nodes = nodeBoxes([...selection].filter((flow) => flow.startsWith("n/")).map((flow) => flow.slice(2)));
  for (const [id, box] of nodes) found.set(`n/${id}`, box);
  for (const list of ["groups", "notes"] as const)
    for (const index of selectedItems(list)) {
      const box = itemBox(list, index);
      if (box) found.set(`${list}/${index}`, box);
    }
  return found;
}

/** The nodes that lie in a group and move with it: those whose corner it holds. */
export const contentsOf = (index: number): Id[] => placesIn(index).map(([id]) => id);

function placesIn(index: number): (readonly [Id, commands.Point])[] {
  const box = itemBox("groups", index);
  if (!box) return [];
  const holds = ([x, y]: commands.Point): boolean => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
  return [...placesOf(workflow(), useEditor.getState().types)].filter(([, place]) => holds(place));
}

export const frameAround = (ids: Iterable<Id>): commands.Rectangle | undefined => framed(nodeBoxes(ids).values());

/** The frame around boxes, with room for its title. */
export function framed(boxes: Iterable<commands.Rectangle>): commands.Rectangle | undefined {
  const box = around(boxes);
  return (
    box && {
      x: box.x - PADDING.side,
      y: box.y - PADDING.top,
      width: box.width + 2 * PADDING.side,
      height: box.height + PADDING.top + PADDING.side,
    }
  );
}

/** Moves boxes by their flow ids; what is pinned stays, and what lies in a group goes with it. */
export function moveBoxes(places: ReadonlyMap<string, commands.Point>): commands.Command {
  const now = workflow();
  const nodes = new Map<Id, commands.Point>();
  const steps: commands.Command[] = [];
  for (const [flow, place] of places) {
    const item = itemIn(flow);
    if (item) steps.push(...itemMove(item.list, item.index, place, places, now));
    else if (!isPinned(now.nodes.get(flow.slice(2))?.extra ?? new Map())) nodes.set(flow.slice(2), place);
  }
  return commands.all(...(nodes.size ? [commands.move(nodes)] : []), ...steps);
}

function itemMove(list: List, index: number, [x, y]: commands.Point, moved: ReadonlyMap<string, unknown>, now: Workflow): commands.Command[] {
  const [item, box] = [now[list][index], itemBox(list, index)];
  if (!box || !isObject(item) || isPinned(item)) return [];
  const to = { ...box, x, y };
  if (list === "notes") return [commands.setItem(list, index, new Map([["at", [x, y, box.width, box.height].map(Math.round)]]))];
  const inside = placesIn(index).filter(([id]) => !moved.has(`n/${id}`) && !isPinned(now.nodes.get(id)?.extra ?? new Map()));
  const shifted = inside.map(([id, [left, top]]) => [id, [Math.round(left + x - box.x), Math.round(top + y - box.y)] as const] as const);
  return [commands.moveGroup(index, to, new Map(shifted))];
}
