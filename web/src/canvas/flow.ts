/** The workflow as React Flow's nodes and edges. What did not change keeps its object, so it is not drawn again. */

import { Position, type Edge, type Node as FlowNode, type NodeHandle } from "@xyflow/react";
import type { Point } from "../document/commands";
import { Link, placeIn, type Id, type Node, type Workflow } from "../document/document";
import { asText, isObject, type Json } from "../document/json";
import type { NodeType, NodeTypes } from "../document/schema";
import { flowId } from "../editor";
import { autoPlaces, placeholderType, shapeOf, SIZES, socketY, type Shape } from "./geometry";

export type CardNode = FlowNode<{ id: Id; node: Node; type: NodeType; shape: Shape; asked: number | undefined }, "card">;
export type ItemNode = FlowNode<{ index: number; item: Json }, "note" | "group">;
export type AnyNode = CardNode | ItemNode;

/** Where every node lies; those without a place of their own are arranged. */
export function placesOf(workflow: Workflow, types: NodeTypes): ReadonlyMap<Id, Point> {
  const found = new Map<Id, Point>();
  for (const id of workflow.nodes.keys()) {
    const place = placeIn(workflow.layout.get(id));
    if (place) found.set(id, [place.x, place.y]);
  }
  if (found.size < workflow.nodes.size) for (const [id, place] of autoPlaces(workflow, types)) found.set(id, place);
  return found;
}

export function flowNodes(workflow: Workflow, types: NodeTypes, selection: ReadonlySet<string>, old: ReadonlyMap<string, AnyNode>): AnyNode[] {
  const places = placesOf(workflow, types);
  const cards = [...workflow.nodes].map(([id, node]) => {
    const width = placeIn(workflow.layout.get(id))?.width;
    return cardNode(id, node, types, places.get(id) ?? [0, 0], width, selection, old, workflow);
  });
  const items = (["groups", "notes"] as const).flatMap((list) =>
    workflow[list].flatMap((item, index) => itemNode(list, item, index, selection, old)),
  );
  return [...items, ...cards];
}

function cardNode(
  id: Id,
  node: Node,
  types: NodeTypes,
  [x, y]: Point,
  width: number | undefined,
  selection: ReadonlySet<string>,
  old: ReadonlyMap<string, AnyNode>,
  workflow: Workflow,
): CardNode {
  const flow = flowId(id);
  const selected = selection.has(flow);
  const known = old.get(flow);
  const found = types.get(node.type);
  if (known?.type === "card" && known.data.node === node && found === known.data.type && known.data.asked === width) {
    if (known.position.x === x && known.position.y === y && known.selected === selected) return known;
    return { ...known, position: { x, y }, selected };
  }
  const type = found ?? placeholderType(id, node, workflow);
  const shape = shapeOf(type, node, width);
  const size = { width: shape.width, height: shape.height };
  const data = { id, node, type, shape, asked: width };
  return { id: flow, type: "card", position: { x, y }, selected, data, ...size, measured: size, handles: handlesOf(type, shape) };
}

function handlesOf(type: NodeType, shape: Shape): NodeHandle[] {
  const handle = (id: string, kind: "source" | "target", y: number): NodeHandle => ({
    id,
    type: kind,
    position: kind === "source" ? Position.Right : Position.Left,
    x: (kind === "source" ? shape.width : 0) - 5,
    y: y - 5,
    width: 10,
    height: 10,
  });
  if (!shape.rows.length)
    return [
      ...type.inputs.map((input) => handle(input.name, "target", SIZES.header / 2)),
      ...type.outputs.map((output) => handle(output.name, "source", SIZES.header / 2)),
    ];
  return shape.rows.flatMap((row) => [
    ...(row.input ? [handle(row.input.name, "target", socketY(row))] : []),
    ...(row.output ? [handle(row.output.name, "source", socketY(row))] : []),
  ]);
}

function itemNode(
  list: "groups" | "notes",
  item: Json,
  index: number,
  selection: ReadonlySet<string>,
  old: ReadonlyMap<string, AnyNode>,
): ItemNode[] {
  const place = isObject(item) ? placeIn(item.get(list === "groups" ? "bounds" : "at")) : undefined;
  const id = `${list}/${index}`;
  const [selected, known] = [selection.has(id), old.get(id)];
  if (known && known.type !== "card" && known.data.item === item && known.selected === selected) return [known];
  const size = { width: place?.width ?? 240, height: place?.height ?? 120 };
  const kind = list === "groups" ? "group" : "note";
  const layer = { zIndex: kind === "group" ? -10 : -1, style: size };
  return [{ id, type: kind, position: { x: place?.x ?? 0, y: place?.y ?? 0 }, selected, data: { index, item }, measured: size, ...size, ...layer }];
}

export function flowEdges(nodes: Workflow["nodes"], types: NodeTypes, old: ReadonlyMap<string, Edge>): Edge[] {
  const edges: Edge[] = [];
  for (const [id, node] of nodes)
    for (const [input, value] of node.inputs) {
      if (!(value instanceof Link)) continue;
      const source = nodes.get(value.node);
      if (!source) continue;
      const output = types.get(source.type)?.outputs.find((item) => item.name === value.output);
      const kind = output?.types[0] ?? "*";
      const key = `${flowId(id)} ${input}`;
      const className = `link type-${colourOf(kind)}${node.mode !== "run" || source.mode !== "run" ? " link-off" : ""}`;
      const known = old.get(key);
      const isSame = known?.source === flowId(value.node) && known.sourceHandle === value.output && known.className === className;
      edges.push(
        isSame
          ? known
          : { id: key, source: flowId(value.node), sourceHandle: value.output, target: flowId(id), targetHandle: input, className, focusable: false },
      );
    }
  return edges;
}

const COLOURED = ["MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "MASK", "INT", "FLOAT", "STRING", "BOOLEAN", "CONTROL_NET", "SIGMAS", "NOISE", "SAMPLER", "GUIDER", "COMBO"];

/** The name of a socket type's colour in theme.css. */
export function colourOf(type: string | undefined): string {
  return type && COLOURED.includes(type) ? type : "OTHER";
}

export const titleIn = (item: Json): string => (isObject(item) ? asText(item.get("title")) : "");
