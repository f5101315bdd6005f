/** How large a node is and where its sockets lie: known without drawing, so only what is visible is drawn. */

import { Link, placeIn, type Id, type Node, type Workflow } from "../document/document";
import type { Input, NodeType, NodeTypes, Output } from "../document/schema";
import type { Point } from "../document/commands";

export const SIZES = { narrow: 200, width: 250, wide: 310, header: 34, socket: 24, widget: 32, prompt: 104, picture: 190, pad: 8 } as const;
const COLUMN = 360;
const GAP = 60;

export interface Row {
  readonly kind: "sockets" | "widget" | "picture";
  readonly top: number;
  readonly height: number;
  readonly input?: Input;
  readonly output?: Output;
}

export interface Shape {
  readonly width: number;
  readonly height: number;
  readonly rows: readonly Row[];
}

/** A node type for a node of a type that is not installed: what its inputs and the links from it tell. */
export function placeholderType(id: Id, node: Node, workflow: Workflow): NodeType {
  const outputs = new Set<string>();
  for (const other of workflow.nodes.values())
    for (const value of other.inputs.values()) if (value instanceof Link && value.node === id) outputs.add(value.output);
  const linked = [...node.inputs].filter(([, value]) => value instanceof Link);
  return {
    id: node.type,
    title: node.type,
    category: "",
    description: "",
    inputs: linked.map(([name]) => ({ name, label: name, types: ["*"], required: false, tooltip: "" })),
    outputs: [...outputs].map((name) => ({ name, types: ["*"], tooltip: "" })),
    isGoal: false,
    isDeprecated: false,
  };
}

export function showsPictures(type: NodeType): boolean {
  return type.isGoal && type.inputs.some((input) => input.types.includes("IMAGE"));
}

/** The rows of a node and its size in canvas units (px at zoom 1). */
export function shapeOf(type: NodeType, node: Node, width?: number): Shape {
  const prompts = type.inputs.some((input) => input.widget?.kind === "text" && input.widget.multiline);
  const wide = width ? Math.max(width, SIZES.narrow) : prompts ? SIZES.wide : SIZES.width;
  if (node.extra.get("collapsed") === true) return { width: wide, height: SIZES.header, rows: [] };
  const rows: Row[] = [];
  let top: number = SIZES.header + SIZES.pad / 2;
  const add = (kind: Row["kind"], height: number, ends: Pick<Row, "input" | "output"> = {}): void => {
    rows.push({ kind, top, height, ...ends });
    top += height;
  };
  const links = type.inputs.filter((input) => !input.widget);
  for (let index = 0; index < Math.max(links.length, type.outputs.length); index += 1) {
    const [input, output] = [links[index], type.outputs[index]];
    add("sockets", SIZES.socket, { ...(input ? { input } : {}), ...(output ? { output } : {}) });
  }
  for (const input of type.inputs)
    if (input.widget) {
      const isPrompt = input.widget.kind === "text" && input.widget.multiline && !(node.inputs.get(input.name) instanceof Link);
      add("widget", isPrompt ? SIZES.prompt : SIZES.widget, { input });
    }
  if (showsPictures(type) || type.inputs.some((input) => input.widget?.kind === "image")) add("picture", SIZES.picture);
  return { width: wide, height: top + SIZES.pad, rows };
}

/** Where the middle of a row's sockets lies below the node's top. */
export function socketY(row: Row): number {
  return row.top + (row.kind === "sockets" ? row.height : SIZES.widget) / 2;
}

/** A place for each node that has none: columns from left to right, each after all it needs. */
export function autoPlaces(workflow: Workflow, types: NodeTypes, only?: ReadonlySet<Id>): Map<Id, Point> {
  const wanting = [...workflow.nodes.keys()].filter((id) => (only ? only.has(id) : !placeIn(workflow.layout.get(id))));
  const depths = depthsOf(workflow);
  const placed = only ? [] : [...workflow.layout.values()].map(placeIn).filter((place) => place !== undefined);
  const startY = placed.length ? Math.max(...placed.map((place) => place.y)) + 400 : 0;
  const bottoms = new Map<number, number>();
  const found = new Map<Id, Point>();
  for (const id of wanting) {
    const node = workflow.nodes.get(id);
    if (!node) continue;
    const depth = depths.get(id) ?? 0;
    const y = bottoms.get(depth) ?? startY;
    found.set(id, [depth * COLUMN, y]);
    bottoms.set(depth, y + shapeOf(types.get(node.type) ?? placeholderType(id, node, workflow), node).height + GAP);
  }
  return found;
}

function depthsOf(workflow: Workflow): Map<Id, number> {
  const depths = new Map<Id, number>();
  const visit = (id: Id, above: ReadonlySet<Id>): number => {
    const known = depths.get(id);
    if (known !== undefined || above.has(id)) return known ?? 0;
    const path = new Set(above).add(id);
    const sources = [...(workflow.nodes.get(id)?.inputs.values() ?? [])].flatMap((value) => (value instanceof Link ? [value.node] : []));
    const depth = Math.max(-1, ...sources.map((source) => visit(source, path))) + 1;
    depths.set(id, depth);
    return depth;
  };
  for (const id of workflow.nodes.keys()) visit(id, new Set());
  return depths;
}
