/** What differs between two workflows, node by node, in words that people use: places alone count as moved. */

import { EMPTY, Link, writeWorkflow, type Id, type Node, type Value, type Workflow } from "./document";
import { printJson, type Json } from "./json";

export interface InputChange {
  readonly input: string;
  /** Texts of the values; "" where the input had none. */
  readonly before: string;
  readonly after: string;
}

export interface NodeChange {
  readonly id: Id;
  readonly title: string;
  readonly kind: "added" | "removed" | "changed";
  readonly inputs: readonly InputChange[];
}

export interface Difference {
  readonly nodes: readonly NodeChange[];
  readonly moved: number;
  /** Parts of the workflow around its nodes that differ: "ports", "groups", "notes" and others. */
  readonly parts: readonly string[];
}

const PARTS = ["ports", "groups", "notes", "lock", "extra"] as const;

export function differenceOf(before: Workflow, after: Workflow): Difference {
  const nodes: NodeChange[] = [];
  for (const [id, node] of before.nodes) {
    const other = after.nodes.get(id);
    if (!other) nodes.push(change(id, node, "removed"));
    else if (other !== node) nodes.push(...changed(id, node, other));
  }
  for (const [id, node] of after.nodes) if (!before.nodes.has(id)) nodes.push(change(id, node, "added"));
  const parts: string[] = PARTS.filter((part) => !same(before[part], after[part]));
  if (!haveSameSubgraphs(before, after)) parts.push("subgraphs");
  return { nodes, moved: movedIn(before, after), parts };
}

function haveSameSubgraphs(before: Workflow, after: Workflow): boolean {
  const text = ({ subgraphs }: Workflow): string => writeWorkflow({ ...EMPTY, subgraphs });
  return before.subgraphs === after.subgraphs || text(before) === text(after);
}

export const isSame = ({ nodes, moved, parts }: Difference): boolean => !nodes.length && !moved && !parts.length;

function change(id: Id, node: Node, kind: "added" | "removed"): NodeChange {
  return { id, title: node.title || node.type, kind, inputs: [] };
}

function changed(id: Id, before: Node, after: Node): NodeChange[] {
  const names = new Set([...before.inputs.keys(), ...after.inputs.keys()]);
  const inputs = [...names].map((input) => ({ input, before: valueText(before.inputs.get(input)), after: valueText(after.inputs.get(input)) }));
  const others = (["type", "title", "mode"] as const).map((key) => ({ input: key, before: before[key], after: after[key] }));
  const extra = same(before.extra, after.extra) ? [] : [{ input: "look", before: "", after: "…" }];
  const differing = [...others, ...inputs].filter((item) => item.before !== item.after);
  return differing.length || extra.length ? [{ id, title: after.title || after.type, kind: "changed", inputs: [...differing, ...extra] }] : [];
}

function movedIn(before: Workflow, after: Workflow): number {
  let count = 0;
  for (const [id, place] of after.layout) {
    const old = before.layout.get(id);
    if (before.nodes.has(id) && after.nodes.has(id) && printJson(place) !== printJson(old ?? null)) count += 1;
  }
  return count;
}

/** A value as a line of text: a link by the output it comes from. */
export function valueText(value: Value | undefined): string {
  if (value === undefined) return "";
  if (value instanceof Link) return `← ${value.node} · ${value.output}`;
  return typeof value === "string" ? value : printJson(value);
}

function same(before: Json | readonly Json[], after: Json | readonly Json[]): boolean {
  return before === after || printJson(before) === printJson(after);
}
