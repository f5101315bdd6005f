/** A free place for a node, near another. */

import type { Point } from "../document/commands";
import { placeIn, type Id, type Workflow } from "../document/document";
import type { NodeTypes } from "../document/schema";
import { touches, type Box } from "./boxes";
import { placesOf } from "./flow";
import { placeholderType, shapeOf, SIZES } from "./geometry";

const GAP = 30;
const STEPS = 60;

/** The nearest free place below, right of or above a node for one of a type. */
export function freePlace(workflow: Workflow, types: NodeTypes, near: Id, type: string): Point {
  const boxes = boxesOf(workflow, types);
  const beside = boxes.get(near) ?? { x: 0, y: 0, width: 0, height: 0 };
  const found = types.get(type);
  const { width, height } = found ? shapeOf(found, { type, inputs: new Map(), title: "", mode: "run", extra: new Map() }) : { width: SIZES.width, height: 200 };
  const isFree = ([x, y]: Point): boolean => {
    const box = { x: x - GAP / 2, y: y - GAP / 2, width: width + GAP, height: height + GAP };
    return ![...boxes.values()].some((other) => touches(box, other));
  };
  return candidates(beside, height).find(isFree) ?? [beside.x + GAP, beside.y + GAP];
}

function candidates({ x, y, width, height }: Box, own: number): readonly Point[] {
  return Array.from({ length: STEPS }, (_, step): readonly Point[] => [
    [x, y + height + GAP * (step + 1)],
    [x + width + GAP, y + GAP * step],
    [x, y - own - GAP * (step + 1)],
  ]).flat();
}

function boxesOf(workflow: Workflow, types: NodeTypes): ReadonlyMap<Id, Box> {
  return new Map(
    [...placesOf(workflow, types)].flatMap(([id, [x, y]]) => {
      const node = workflow.nodes.get(id);
      if (!node) return [];
      const { width, height } = shapeOf(types.get(node.type) ?? placeholderType(id, node, workflow), node, placeIn(workflow.layout.get(id)));
      return [[id, { x, y, width, height }] as const];
    }),
  );
}
