/** How large a node is and where its sockets lie: known without drawing, so only what is visible is drawn. */

import { Link, type Id, type Node, type Workflow } from "../document/document";
import { isCollapsed } from "../document/looks";
import type { Input, NodeType, Output } from "../document/schema";
import { REROUTE } from "../document/subgraphs";
import type { Widget } from "../document/widgets";

export const SIZES = { narrow: 200, width: 250, wide: 310, header: 34, socket: 24, widget: 32, prompt: 104, picture: 190, pad: 8, reroute: 44 } as const;

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
    inputs: linked.map(([name]) => ({ name, label: name, types: ["*"], required: false, tooltip: "", options: {} })),
    outputs: [...outputs].map((name) => ({ name, types: ["*"], tooltip: "" })),
    isGoal: false,
    isDeprecated: false,
  };
}

export function showsPictures(type: NodeType): boolean {
  return type.isGoal && type.inputs.some((input) => input.types.includes("IMAGE"));
}

/** The size that a node is to have; what is smaller than its type needs is made as large as that. */
export interface Asked {
  readonly width?: number;
  readonly height?: number;
}

/** The rows of a node and its size in canvas units (px at zoom 1). Prompts and pictures take the height that is left over. */
export function shapeOf(type: NodeType, node: Node, { width, height = 0 }: Asked = {}): Shape {
  const prompts = type.inputs.some((input) => input.widget?.kind === "prompt");
  const wide = width ? Math.max(width, SIZES.narrow) : prompts ? SIZES.wide : SIZES.width;
  if (type.id === REROUTE) return rerouteShape(type);
  if (isCollapsed(node)) return { width: wide, height: SIZES.header, rows: [] };
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
      add("widget", node.inputs.get(input.name) instanceof Link ? SIZES.widget : heightOf(input.widget), { input });
    }
  if (showsPictures(type) || type.inputs.some((input) => input.widget?.kind === "image")) add("picture", SIZES.picture);
  const left = Math.round(height) - top - SIZES.pad;
  return left > 0 ? grown({ width: wide, height: top + SIZES.pad, rows }, left) : { width: wide, height: top + SIZES.pad, rows };
}

const grows = (row: Row): boolean => row.kind === "picture" || row.height > SIZES.widget;

/** Whether more height is of any use to a node. */
export const canGrow = (shape: Shape): boolean => shape.rows.some(grows);

/** The same shape with so much more height, shared by the rows that can use it. */
function grown(shape: Shape, more: number): Shape {
  const growing = shape.rows.filter(grows).length;
  if (!growing) return shape;
  let moved = 0;
  const rows = shape.rows.map((row) => {
    const extra = grows(row) ? Math.floor(more / growing) : 0;
    const next = { ...row, top: row.top + moved, height: row.height + extra };
    moved += extra;
    return next;
  });
  return { ...shape, height: shape.height + moved, rows };
}

/** A reroute is as small as its two sockets. */
function rerouteShape({ inputs: [input], outputs: [output] }: NodeType): Shape {
  const ends = { ...(input ? { input } : {}), ...(output ? { output } : {}) };
  return { width: SIZES.reroute, height: SIZES.socket, rows: [{ kind: "sockets", top: 0, height: SIZES.socket, ...ends }] };
}

function heightOf(widget: Widget): number {
  if (widget.kind === "custom") return Math.max(widget.height, SIZES.widget);
  return widget.kind === "prompt" ? SIZES.prompt : SIZES.widget;
}

/** Where the middle of a row's sockets lies below the node's top. */
export function socketY(row: Row): number {
  return row.top + (row.kind === "sockets" ? row.height : SIZES.widget) / 2;
}
