/** Subgraphs as canvases of their own: looked at and changed like a workflow, with their boundary as two nodes. */

import type { Command } from "./commands";
import { Link, type Boundary, type Id, type Node, type Subgraph, type Value, type Workflow } from "./document";
import type { Json } from "./json";

export const SUBGRAPH = "subgraph/";
export const INPUTS = "@inputs";
export const OUTPUTS = "@outputs";
export const REROUTE = "Reroute";
export const PRIMITIVE = "PrimitiveNode";
export const VALUE = "value";
/** The name of the boundary's free socket: a link to it makes a new input or output. */
export const FREE = "+";

/** The instances that lead to a canvas, the outermost first; none for the workflow itself. */
export type Path = readonly Id[];

export const isInstance = (node: Node): boolean => node.type.startsWith(SUBGRAPH);
export const isBoundary = (id: Id): boolean => id === INPUTS || id === OUTPUTS;
export const subgraphIdOf = (node: Node): Id => node.type.slice(SUBGRAPH.length);

export function subgraphOf(workflow: Pick<Workflow, "subgraphs">, node: Node | undefined): Subgraph | undefined {
  return node && isInstance(node) ? workflow.subgraphs.get(subgraphIdOf(node)) : undefined;
}

/** As much of a path as is there. */
export function walkable(workflow: Workflow, path: Path): Path {
  let nodes = workflow.nodes;
  for (const [depth, id] of path.entries()) {
    const inner = subgraphOf(workflow, nodes.get(id));
    if (!inner) return path.slice(0, depth);
    nodes = inner.nodes;
  }
  return path;
}

/** The id of the subgraph that a path leads to, "" for the workflow itself. */
export function subgraphAt(workflow: Workflow, path: Path): Id {
  let [nodes, found] = [workflow.nodes, ""];
  for (const id of path) {
    const node = nodes.get(id);
    const inner = subgraphOf(workflow, node);
    if (!node || !inner) break;
    [nodes, found] = [inner.nodes, subgraphIdOf(node)];
  }
  return found;
}

/** The canvas and the id there of a node that runs under an id such as "5:3"; undefined where it is not there. */
export function spotOf(workflow: Workflow, ran: Id): { readonly path: Path; readonly id: Id } | undefined {
  const path: Id[] = [];
  let [nodes, rest] = [workflow.nodes, ran];
  while (!nodes.has(rest)) {
    const id = [...nodes.keys()].find((key) => rest.startsWith(`${key}:`));
    const inner = id === undefined ? undefined : subgraphOf(workflow, nodes.get(id));
    if (id === undefined || !inner) return undefined;
    path.push(id);
    [nodes, rest] = [inner.nodes, rest.slice(id.length + 1)];
  }
  return { path, id: rest };
}

/** A command on the canvas where a node lies that runs under an id; nothing where it is not there. */
export function atSpot(ran: Id, command: (id: Id, path: Path) => Command): Command {
  return (workflow) => {
    const spot = spotOf(workflow, ran);
    return spot ? inside(spot.path, command(spot.id, spot.path))(workflow) : workflow;
  };
}

/** What the ids of a canvas's nodes begin with when they run: "5:" within instance 5. */
export const prefixOf = (path: Path): string => path.map((id) => `${id}:`).join("");

// Views

const VIEWS = new WeakMap<Workflow, Map<Id, Workflow>>();
const INSIDES = new WeakMap<Subgraph, ReadonlyMap<Id, Node>>();

/** The canvas at the end of a path as a workflow: its own nodes and the two of its boundary. */
export function viewOf(workflow: Workflow, path: Path): Workflow {
  return insideView(workflow, subgraphAt(workflow, path));
}

function insideView(workflow: Workflow, id: Id): Workflow {
  const inner = workflow.subgraphs.get(id);
  if (!id || !inner) return workflow;
  const known = VIEWS.get(workflow) ?? new Map<Id, Workflow>();
  VIEWS.set(workflow, known);
  const view = known.get(id) ?? {
    ...workflow,
    nodes: insideOf(inner),
    layout: withBorderPlaces(inner),
    groups: inner.groups,
    notes: inner.notes,
    extra: inner.extra,
    ports: new Map<string, Json>(),
  };
  known.set(id, view);
  return view;
}

function insideOf(inner: Subgraph): ReadonlyMap<Id, Node> {
  const known = INSIDES.get(inner);
  if (known) return known;
  const links = [...inner.outputs].flatMap(([name, { link }]) => (link ? [[name, link] as const] : []));
  const boundary = (type: string, inputs: readonly (readonly [string, Value])[]): Node => ({ type, inputs: new Map(inputs), title: "", mode: "run", extra: new Map() });
  const nodes = new Map([[INPUTS, boundary(INPUTS, [])], ...inner.nodes, [OUTPUTS, boundary(OUTPUTS, links)]]);
  INSIDES.set(inner, nodes);
  return nodes;
}

/** The layout with a place for both sides of the boundary: left and right of all nodes where they have none. */
function withBorderPlaces({ layout, nodes }: Subgraph): Workflow["layout"] {
  if (layout.has(INPUTS) && layout.has(OUTPUTS)) return layout;
  const places = [...nodes.keys()].flatMap((id) => {
    const place = layout.get(id);
    return Array.isArray(place) ? [place.map(Number)] : [];
  });
  const xs = places.map(([x = 0]) => x);
  const y = Math.min(...places.map(([, top = 0]) => top), places.length ? Infinity : 0);
  const own = new Map(layout);
  if (!own.has(INPUTS)) own.set(INPUTS, [Math.min(...xs, xs.length ? Infinity : 0) - 300, y]);
  if (!own.has(OUTPUTS)) own.set(OUTPUTS, [Math.max(...xs, xs.length ? -Infinity : 0) + 400, y]);
  return own;
}

/** A command on the canvas at the end of a path, as a command on the whole workflow. */
export function inside(path: Path, command: Command): Command {
  return (workflow) => insideSubgraph(subgraphAt(workflow, path), command)(workflow);
}

/** A command on the inside of a subgraph; with the id "" on the workflow itself. */
export function insideSubgraph(id: Id, command: Command): Command {
  return (workflow) => {
    const inner = workflow.subgraphs.get(id);
    if (!id || !inner) return command(workflow);
    const view = insideView(workflow, id);
    const changed = command(view);
    if (changed === view) return workflow;
    const base = changed.subgraphs.get(id) ?? inner; // changed itself where a command is about the boundary
    return { ...workflow, subgraphs: new Map(changed.subgraphs).set(id, changedInner(base, view, changed)) };
  };
}

function changedInner(inner: Subgraph, view: Workflow, changed: Workflow): Subgraph {
  const nodes = changed.nodes === view.nodes ? inner.nodes : new Map([...changed.nodes].filter(([id]) => !isBoundary(id)));
  const outputs = changed.nodes.get(OUTPUTS) === view.nodes.get(OUTPUTS) ? inner.outputs : changedOutputs(inner, changed);
  const layout = changed.layout === view.layout ? inner.layout : changed.layout;
  const extra = changed.extra === view.extra ? inner.extra : changed.extra;
  return { ...inner, nodes, outputs, layout, groups: changed.groups, notes: changed.notes, extra };
}

function changedOutputs(inner: Subgraph, { nodes }: Workflow): ReadonlyMap<string, Boundary> {
  const links = nodes.get(OUTPUTS)?.inputs;
  return new Map(
    [...inner.outputs].map(([name, { link: old, ...rest }]) => {
      const link = links ? links.get(name) : old && nodes.has(old.node) ? old : undefined;
      return [name, link instanceof Link ? { link, ...rest } : rest] as const;
    }),
  );
}

/** Whether a subgraph is another, or holds an instance of it at any depth. */
export function holds(workflow: Workflow, id: Id, other: Id): boolean {
  const seen = new Set<Id>();
  const waiting = [id];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (at === other) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const node of workflow.subgraphs.get(at)?.nodes.values() ?? []) if (isInstance(node)) waiting.push(subgraphIdOf(node));
  }
  return false;
}

// The boundary

type Side = "inputs" | "outputs";

/** A name that is not taken: itself, or with a number. */
export function freeName(taken: ReadonlyMap<string, unknown>, wanted: string): string {
  const stem = wanted || "value";
  let [name, count] = [stem, 1];
  while (taken.has(name)) name = `${stem}_${(count += 1)}`;
  return name;
}

function changeSubgraph(id: Id, change: (inner: Subgraph) => Subgraph): Command {
  return (workflow) => {
    const inner = workflow.subgraphs.get(id);
    if (!inner) return workflow;
    const changed = change(inner);
    return changed === inner ? workflow : { ...workflow, subgraphs: new Map(workflow.subgraphs).set(id, changed) };
  };
}

export function setSubgraphTitle(id: Id, title: string): Command {
  return changeSubgraph(id, (inner) => (inner.title === title ? inner : { ...inner, title }));
}

/** Links a node within to a new input of the subgraph. */
export function addInput(id: Id, target: Id, input: string, types: readonly string[]): Command {
  return changeSubgraph(id, (inner) => {
    const node = inner.nodes.get(target);
    if (!node) return inner;
    const name = freeName(inner.inputs, input);
    const old = node.inputs.get(input);
    const extra = old === undefined || old instanceof Link ? node.extra : withHidden(node, input, old);
    const linked = { ...node, extra, inputs: new Map(node.inputs).set(input, new Link(INPUTS, name)) };
    return { ...inner, inputs: new Map(inner.inputs).set(name, boundaryOf(types)), nodes: new Map(inner.nodes).set(target, linked) };
  });
}

/** A value stays behind the link that takes its place, and counts where that leads to nothing. */
function withHidden(node: Node, input: string, value: Json): Node["extra"] {
  const hidden = node.extra.get("hidden_values");
  const old = hidden instanceof Map ? (hidden as ReadonlyMap<string, Json>) : new Map<string, Json>();
  return new Map(node.extra).set("hidden_values", new Map(old).set(input, value));
}

/** Gives an output of a node within as a new output of the subgraph. */
export function addOutput(id: Id, source: Id, output: string, types: readonly string[]): Command {
  return changeSubgraph(id, (inner) => {
    const name = freeName(inner.outputs, output);
    const found: Boundary = { link: new Link(source, output), ...boundaryOf(types) };
    return { ...inner, outputs: new Map(inner.outputs).set(name, found) };
  });
}

function boundaryOf(types: readonly string[]): Boundary {
  return { type: types.includes("*") ? "" : types.join(","), label: "", extra: new Map() };
}

/** Renames an input or output, and what all instances have at it. */
export function renameSocket(id: Id, side: Side, from: string, to: string): Command {
  return (workflow) => {
    const ends = workflow.subgraphs.get(id)?.[side];
    if (!to || !ends?.has(from) || ends.has(to)) return workflow;
    const renamed = new Map([...ends].map(([name, item]) => [name === from ? to : name, item] as const));
    const named = (name: string): string => (name === from ? to : name);
    return changeSubgraph(id, (inner) => ({ ...inner, [side]: renamed }))(withSocket(workflow, id, side, named));
  };
}

/** Takes an input or output away, with what is linked to it inside and at all instances. */
export function removeSocket(id: Id, side: Side, gone: string): Command {
  return (workflow) => {
    const ends = workflow.subgraphs.get(id)?.[side];
    if (!ends?.has(gone)) return workflow;
    const left = new Map([...ends].filter(([name]) => name !== gone));
    const named = (name: string): string | undefined => (name === gone ? undefined : name);
    return changeSubgraph(id, (inner) => ({ ...inner, [side]: left }))(withSocket(workflow, id, side, named));
  };
}

/** The workflow with a socket of a subgraph called otherwise, or gone, wherever it is linked. */
function withSocket(workflow: Workflow, id: Id, side: Side, named: (name: string) => string | undefined): Workflow {
  const type = `${SUBGRAPH}${id}`;
  const change = (nodes: ReadonlyMap<Id, Node>, own: boolean): ReadonlyMap<Id, Node> => {
    const links = (value: Value): Value | undefined => {
      const isOurs = value instanceof Link && (side === "inputs" ? own && value.node === INPUTS : nodes.get(value.node)?.type === type);
      if (!isOurs) return value;
      const name = named(value.output);
      return name === undefined ? undefined : name === value.output ? value : new Link(value.node, name);
    };
    return mapped(nodes, (node) => {
      const key = (name: string): string | undefined => (side === "inputs" && node.type === type ? named(name) : name);
      return mappedInputs(node, key, links);
    });
  };
  const subgraphs = new Map(
    [...workflow.subgraphs].map(([key, inner]) => {
      const nodes = change(inner.nodes, key === id);
      const outputs = side === "outputs" ? mapped(inner.outputs, (item) => relinked(item, inner.nodes, type, named)) : inner.outputs;
      return [key, nodes === inner.nodes && outputs === inner.outputs ? inner : { ...inner, nodes, outputs }] as const;
    }),
  );
  return { ...workflow, nodes: change(workflow.nodes, false), subgraphs };
}

function relinked(item: Boundary, nodes: ReadonlyMap<Id, Node>, type: string, named: (name: string) => string | undefined): Boundary {
  const { link, ...rest } = item;
  if (!link || nodes.get(link.node)?.type !== type) return item;
  const name = named(link.output);
  return name === link.output ? item : name === undefined ? rest : { ...rest, link: new Link(link.node, name) };
}

function mapped<Item>(items: ReadonlyMap<string, Item>, change: (item: Item) => Item): ReadonlyMap<string, Item> {
  const made = [...items].map(([key, item]) => [key, change(item)] as const);
  return made.every(([key, item]) => items.get(key) === item) ? items : new Map(made);
}

function mappedInputs(node: Node, key: (name: string) => string | undefined, value: (old: Value) => Value | undefined): Node {
  const made = [...node.inputs].flatMap(([name, old]) => {
    const [newName, newValue] = [key(name), value(old)];
    return newName === undefined || newValue === undefined ? [] : [[newName, newValue] as const];
  });
  const isSame = made.length === node.inputs.size && made.every(([name, item]) => node.inputs.get(name) === item);
  return isSame ? node : { ...node, inputs: new Map(made) };
}
