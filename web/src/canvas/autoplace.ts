/** Places for nodes that have none, or are to be arranged anew. */

import type { Sized, Wire } from "../arrange/layers";
import { layered } from "../arrange/layered";
import type { Point } from "../document/commands";
import { Link, placeIn, type Id, type Workflow } from "../document/document";
import type { NodeTypes } from "../document/schema";
import { around } from "./boxes";
import { placeholderType, shapeOf, SIZES, socketY, type Shape } from "./geometry";

const BELOW = 100;

/** A place for each node that has none: in layers from left to right, below those that have one. */
export function autoPlaces(workflow: Workflow, types: NodeTypes): Map<Id, Point> {
  const wanting = [...workflow.nodes.keys()].filter((id) => !placeIn(workflow.layout.get(id)));
  const placed = [...workflow.layout.values()].map(placeIn).filter((place) => place !== undefined);
  const box = around(placed.map(({ x, y, width = SIZES.width, height = 300 }) => ({ x, y, width, height })));
  return layeredAt(workflow, types, wanting, box ? [box.x, box.y + box.height + BELOW] : [0, 0]);
}

/** Nodes in layers, their corner at a point. */
export function layeredAt(workflow: Workflow, types: NodeTypes, ids: readonly Id[], [left, top]: Point): Map<Id, Point> {
  const shapes = new Map(ids.map((id) => [id, shapeIn(workflow, types, id)]));
  const nodes: Sized[] = [...shapes].map(([id, { width, height }]) => ({ id, width, height }));
  const places = layered(nodes, wiresIn(workflow, shapes));
  return new Map([...places].map(([id, [x, y]]) => [id, [x + left, y + top]]));
}

function shapeIn(workflow: Workflow, types: NodeTypes, id: Id): Shape {
  const node = workflow.nodes.get(id);
  if (!node) return { width: 0, height: 0, rows: [] };
  return shapeOf(types.get(node.type) ?? placeholderType(id, node, workflow), node, placeIn(workflow.layout.get(id)));
}

function wiresIn(workflow: Workflow, shapes: ReadonlyMap<Id, Shape>): Wire[] {
  const wires: Wire[] = [];
  for (const [id, shape] of shapes)
    for (const [input, value] of workflow.nodes.get(id)?.inputs ?? []) {
      if (!(value instanceof Link)) continue;
      const from = shapes.get(value.node);
      if (from) wires.push({ from: value.node, to: id, fromY: heightOf(from, "output", value.output), toY: heightOf(shape, "input", input) });
    }
  return wires;
}

function heightOf(shape: Shape, end: "input" | "output", name: string): number {
  const row = shape.rows.find((item) => item[end]?.name === name);
  return row ? socketY(row) : SIZES.header / 2;
}
