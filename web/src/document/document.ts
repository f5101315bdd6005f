/** The workflow document darkroom/1: immutable, read and written byte for byte (docs/formats.md). */

import { asNumber, isList, isObject, JsonError, parseJson, printJson, type Json, type JsonObject } from "./json";

export const FORMAT = "darkroom/1";
export type Mode = "run" | "mute" | "bypass";
export type Id = string;

/** An input that gets the output `output` of the node `node`. */
export class Link {
  constructor(
    readonly node: Id,
    readonly output: string,
  ) {}
}

export type Value = Json | Link;

export interface Node {
  readonly type: string;
  readonly inputs: ReadonlyMap<string, Value>;
  readonly title: string;
  readonly mode: Mode;
  readonly extra: JsonObject;
}

/** An input or output of a subgraph; an output with the link that it gives. */
export interface Boundary {
  readonly link?: Link;
  readonly type: string;
  readonly label: string;
  readonly extra: JsonObject;
}

/** Nodes under one name, which a node of the type subgraph/ID stands for. */
export interface Subgraph {
  readonly title: string;
  readonly inputs: ReadonlyMap<string, Boundary>;
  readonly outputs: ReadonlyMap<string, Boundary>;
  readonly nodes: ReadonlyMap<Id, Node>;
  readonly layout: JsonObject;
  readonly groups: readonly Json[];
  readonly notes: readonly Json[];
  readonly extra: JsonObject;
}

export interface Workflow {
  readonly nodes: ReadonlyMap<Id, Node>;
  readonly subgraphs: ReadonlyMap<Id, Subgraph>;
  readonly ports: JsonObject;
  readonly layout: JsonObject;
  readonly groups: readonly Json[];
  readonly notes: readonly Json[];
  readonly lock: JsonObject;
  readonly extra: JsonObject;
}

export const EMPTY: Workflow = {
  nodes: new Map(),
  subgraphs: new Map(),
  ports: new Map(),
  layout: new Map(),
  groups: [],
  notes: [],
  lock: new Map(),
  extra: new Map(),
};

const SECTIONS = ["format", "nodes", "subgraphs", "ports", "layout", "groups", "notes", "lock"];
const SUBGRAPH_KEYS = ["title", "inputs", "outputs", "nodes", "layout", "groups", "notes"];
const BOUNDARY_KEYS = ["link", "type", "label"];
const NODE_KEYS = ["type", "inputs", "title", "mode"];
const MODES: readonly string[] = ["run", "mute", "bypass"];

/** The workflow in a text. Throws JsonError with a sentence. */
export function readWorkflow(text: string): Workflow {
  const data = parseJson(text);
  if (!isObject(data) || data.get("format") !== FORMAT) throw new JsonError(`This is no workflow of the format ${FORMAT}.`);
  const section = (name: string): JsonObject => objectAt(data, name, "the workflow");
  return {
    nodes: readNodes(section("nodes")),
    subgraphs: new Map([...section("subgraphs")].map(([id, item]) => [id, readSubgraph(id, item)])),
    ports: section("ports"),
    layout: section("layout"),
    groups: listAt(data, "groups"),
    notes: listAt(data, "notes"),
    lock: section("lock"),
    extra: without(data, SECTIONS),
  };
}

function readNodes(data: JsonObject): ReadonlyMap<Id, Node> {
  return new Map([...data].map(([id, node]) => [id, readNode(id, node)]));
}

function readSubgraph(id: Id, data: Json): Subgraph {
  if (!isObject(data)) throw new JsonError(`Subgraph ${id} is no object.`);
  const where = `subgraph ${id}`;
  const section = (name: string): JsonObject => objectAt(data, name, where);
  const ends = (name: string): ReadonlyMap<string, Boundary> =>
    new Map([...section(name)].map(([key, item]) => [key, readBoundary(key, item, where)]));
  return {
    title: textAt(data, "title", where),
    inputs: ends("inputs"),
    outputs: ends("outputs"),
    nodes: readNodes(section("nodes")),
    layout: section("layout"),
    groups: listAt(data, "groups"),
    notes: listAt(data, "notes"),
    extra: without(data, SUBGRAPH_KEYS),
  };
}

function readBoundary(name: string, data: Json, where: string): Boundary {
  if (!isObject(data)) throw new JsonError(`In ${where}, ${name} is no object.`);
  const found = readInput(new Map([["link", data.get("link") ?? null]]));
  const link = found instanceof Link ? { link: found } : {};
  return { ...link, type: textAt(data, "type", where), label: textAt(data, "label", where), extra: without(data, BOUNDARY_KEYS) };
}

function textAt(data: JsonObject, name: string, where: string): string {
  const found = data.get(name) ?? "";
  if (typeof found !== "string") throw new JsonError(`In ${where}, ${name} is no text.`);
  return found;
}

function readNode(id: Id, data: Json): Node {
  const type = isObject(data) ? data.get("type") : undefined;
  if (!isObject(data) || typeof type !== "string") throw new JsonError(`Node ${id} has no type.`);
  const [title = "", mode = "run"] = [data.get("title"), data.get("mode")];
  if (typeof title !== "string") throw new JsonError(`The title of node ${id} is no text.`);
  if (typeof mode !== "string" || !MODES.includes(mode)) throw new JsonError(`Node ${id} has an unknown mode.`);
  const inputs = [...objectAt(data, "inputs", `node ${id}`)].map(([name, value]) => [name, readInput(value)] as const);
  return { type, inputs: new Map(inputs), title, mode: mode as Mode, extra: without(data, NODE_KEYS) };
}

function readInput(value: Json): Value {
  if (!isObject(value)) return value;
  const [link, wrapped] = [value.get("link"), value.get("value")];
  if (isList(link) && typeof link[0] === "string" && typeof link[1] === "string") return new Link(link[0], link[1]);
  return value.size === 1 && wrapped !== undefined ? wrapped : value;
}

function objectAt(data: JsonObject, name: string, where: string): JsonObject {
  const found = data.get(name) ?? new Map<string, Json>();
  if (!isObject(found)) throw new JsonError(`In ${where}, ${name} is no object.`);
  return found;
}

function listAt(data: JsonObject, name: string): readonly Json[] {
  const found = data.get(name) ?? [];
  if (!isList(found)) throw new JsonError(`In the workflow, ${name} is no list.`);
  return found;
}

function without(data: JsonObject, names: readonly string[]): JsonObject {
  return new Map([...data].filter(([name]) => !names.includes(name)));
}

/** The text of a workflow, as the server writes it: one line an input, ending in a newline. */
export function writeWorkflow(workflow: Workflow): string {
  const sections = [section("format", printJson(FORMAT)), section("nodes", nodesText(workflow.nodes, "  "))];
  const subgraphs = [...workflow.subgraphs].map(([id, item]) => [id, block(subgraphTexts(item), "    ")] as const);
  if (subgraphs.length) sections.push(section("subgraphs", block(subgraphs, "  ")));
  for (const name of ["ports", "layout"] as const)
    if (workflow[name].size) sections.push(section(name, lines(workflow[name])));
  for (const name of ["groups", "notes"] as const)
    if (workflow[name].length)
      sections.push(section(name, itemsText(workflow[name], "  ")));
  if (workflow.lock.size) sections.push(section("lock", lines(workflow.lock)));
  for (const [name, value] of workflow.extra) sections.push(section(name, printJson(value)));
  return `{\n${sections.join(",\n")}\n}\n`;
}

/** The parts of a subgraph, in their order. */
function subgraphTexts(item: Subgraph): [string, string][] {
  const parts: [string, string][] = item.title ? [["title", printJson(item.title)]] : [];
  for (const name of ["inputs", "outputs"] as const) {
    const ends = [...item[name]].map(([key, end]) => [key, boundaryText(end)] as const);
    if (ends.length) parts.push([name, block(ends, "      ")]);
  }
  parts.push(["nodes", nodesText(item.nodes, "      ")]);
  if (item.layout.size) parts.push(["layout", lines(item.layout, "      ")]);
  for (const name of ["groups", "notes"] as const) if (item[name].length) parts.push([name, itemsText(item[name], "      ")]);
  for (const [name, value] of item.extra) parts.push([name, printJson(value)]);
  return parts;
}

function boundaryText({ link, type, label, extra }: Boundary): string {
  const parts: [string, Json][] = link ? [["link", [link.node, link.output]]] : [];
  if (type) parts.push(["type", type]);
  if (label) parts.push(["label", label]);
  return printJson(new Map([...parts, ...extra]));
}

function nodesText(nodes: ReadonlyMap<Id, Node>, indent: string): string {
  return block([...nodes].map(([id, node]) => [id, nodeText(node, `${indent}  `)] as const), indent);
}

function itemsText(items: readonly Json[], indent: string): string {
  return `[\n${items.map((item) => `${indent}  ${printJson(item)}`).join(",\n")}\n${indent}]`;
}

function section(name: string, text: string): string {
  return `  ${printJson(name)}: ${text}`;
}

function lines(data: JsonObject, indent = "  "): string {
  return block([...data].map(([key, value]) => [key, printJson(value)] as const), indent);
}

function block(entries: readonly (readonly [string, string])[], indent: string): string {
  const inner = entries.map(([key, text]) => `${indent}  ${printJson(key)}: ${text}`).join(",\n");
  return inner ? `{\n${inner}\n${indent}}` : "{}";
}

/** Nodes are immutable, so each is written once a depth: after a change only one is written anew. */
const WRITTEN = new WeakMap<Node, { readonly indent: string; readonly text: string }>();

function nodeText(node: Node, indent: string): string {
  const known = WRITTEN.get(node);
  if (known?.indent === indent) return known.text;
  const text = writtenNode(node, indent);
  WRITTEN.set(node, { indent, text });
  return text;
}

function writtenNode(node: Node, indent: string): string {
  const inputs = [...node.inputs].map(([name, value]) => [name, inputText(value)] as const);
  const entries: [string, string][] = [["type", printJson(node.type)]];
  if (inputs.length) entries.push(["inputs", block(inputs, `${indent}  `)]);
  if (node.title) entries.push(["title", printJson(node.title)]);
  if (node.mode !== "run") entries.push(["mode", printJson(node.mode)]);
  for (const [name, value] of node.extra) entries.push([name, printJson(value)]);
  return block(entries, indent);
}

function inputText(value: Value): string {
  if (value instanceof Link) return printJson(new Map([["link", [value.node, value.output]]]));
  const needsWrapping = isObject(value) && (value.has("link") || (value.size === 1 && value.has("value")));
  return printJson(needsWrapping ? new Map([["value", value]]) : value);
}

// Looking at a workflow

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width?: number;
  readonly height?: number;
}

/** Where a list [x, y] or [x, y, width, height] lies, undefined where it is none. */
export function placeIn(value: Json | undefined): Place | undefined {
  if (!isList(value) || value.length < 2) return undefined;
  const [x = 0, y = 0, width, height] = value.map((item) => asNumber(item, 0));
  return { x, y, ...(width ? { width } : {}), ...(height ? { height } : {}) };
}

/** Every link: the node and input that get it, and where it comes from. */
export function* linksOf(workflow: Pick<Workflow, "nodes">): Generator<{ id: Id; input: string; link: Link }> {
  for (const [id, node] of workflow.nodes)
    for (const [input, link] of node.inputs) if (link instanceof Link) yield { id, input, link };
}

/** Whether a link from `source` to `target` would close a circle. */
export function wouldCircle(workflow: Workflow, source: Id, target: Id): boolean {
  const seen = new Set<Id>();
  const waiting = [source];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === target) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    for (const value of workflow.nodes.get(id)?.inputs.values() ?? []) if (value instanceof Link) waiting.push(value.node);
  }
  return false;
}

/** An id for a new node: the type's name in small letters, with a number where it is taken. */
export function freshId(workflow: Pick<Workflow, "nodes">, type: string): Id {
  const stem = type.replace(/[^A-Za-z0-9]+/g, "_").toLowerCase().replace(/^_+|_+$/g, "") || "node";
  if (!workflow.nodes.has(stem)) return stem;
  let count = 2;
  while (workflow.nodes.has(`${stem}_${count}`)) count += 1;
  return `${stem}_${count}`;
}
