/** Instances, boundaries, reroutes and primitives as node types, made from what they hold and feed. */

import { Link, type Boundary, type Id, type Node, type Subgraph, type Workflow } from "./document";
import { isObject } from "./json";
import type { Input, NodeType, NodeTypes, Output } from "./schema";
import { FREE, INPUTS, isInstance, OUTPUTS, PRIMITIVE, REROUTE, SUBGRAPH, subgraphAt, subgraphIdOf, VALUE, type Path } from "./subgraphs";
import { T } from "../texts";

const ANY = ["*"] as const;

/** The node types there are, and those that a workflow makes itself, seen from the canvas at a path. */
export function typesWithin(types: NodeTypes, workflow: Workflow, path: Path): NodeTypes {
  if (!types.size) return types;
  const found = new Map(types);
  for (const [id, type] of [[REROUTE, rerouteType()], [PRIMITIVE, primitiveType(undefined)]] as const) if (!types.has(id)) found.set(id, type);
  if (!workflow.subgraphs.size) return found;
  const making = new Making(types, workflow);
  for (const id of workflow.subgraphs.keys()) found.set(`${SUBGRAPH}${id}`, making.typeOf(id));
  const own = workflow.subgraphs.get(subgraphAt(workflow, path));
  if (own) {
    const type = making.typeOf(subgraphAt(workflow, path));
    found.set(INPUTS, inputsType(type));
    found.set(OUTPUTS, outputsType(type));
  }
  return found;
}

/** The old types where the new ones say the same, so that what is drawn of them stays. */
export function sameTypes(made: NodeTypes, old: NodeTypes): NodeTypes {
  const kept = new Map<string, NodeType>();
  for (const [id, type] of made) {
    const before = old.get(id);
    kept.set(id, before && before !== type && textOf(before) === textOf(type) ? before : type);
  }
  const isSame = kept.size === old.size && [...kept].every(([id, type]) => old.get(id) === type);
  return isSame ? old : kept;
}

const textOf = (type: NodeType): string => JSON.stringify(type, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

function plainType(id: string, title: string, description: string): NodeType {
  return { id, title, category: "", description, inputs: [], outputs: [], isGoal: false, isDeprecated: false };
}

function rerouteType(): NodeType {
  const input: Input = { name: VALUE, label: T.subgraphs.reroute, types: ANY, required: true, tooltip: "", options: {} };
  return { ...plainType(REROUTE, T.subgraphs.reroute, T.subgraphs.rerouteHelp), inputs: [input], outputs: [{ name: VALUE, types: ANY, tooltip: "" }] };
}

const PRIMITIVES = new WeakMap<Input, NodeType>();
let bare: NodeType | undefined;

/** A primitive shows the widget of the input that it feeds. */
function primitiveType(fed: Input | undefined): NodeType {
  const known = fed ? PRIMITIVES.get(fed) : bare;
  if (known) return known;
  const input: Input = {
    name: VALUE,
    label: fed?.label ?? VALUE,
    types: fed?.types ?? ANY,
    required: false,
    tooltip: fed?.tooltip ?? "",
    widget: fed?.widget ?? { kind: "text", placeholder: "" },
    options: fed?.options ?? {},
    ...(fed?.initial === undefined ? {} : { initial: fed.initial }),
  };
  const made = { ...plainType(PRIMITIVE, T.subgraphs.primitive, T.subgraphs.primitiveHelp), inputs: [input], outputs: [{ name: VALUE, types: fed?.types ?? ANY, tooltip: "" }] };
  if (fed) PRIMITIVES.set(fed, made);
  else bare = made;
  return made;
}

/** The type of a node where it stands: a primitive's depends on what it feeds. */
export function typeIn(nodes: Workflow["nodes"], id: Id, node: Node, types: NodeTypes): NodeType | undefined {
  const found = types.get(node.type);
  if (node.type !== PRIMITIVE || found?.id !== PRIMITIVE) return found;
  for (const other of nodes.values())
    for (const [input, value] of other.inputs)
      if (value instanceof Link && value.node === id) {
        const fed = types.get(other.type)?.inputs.find((item) => item.name === input);
        if (fed?.widget) return primitiveType(fed);
      }
  return found;
}

/** The types that an output gives, seen through reroutes. */
export function givenTypes(nodes: Workflow["nodes"], link: Link, types: NodeTypes): readonly string[] {
  let at: Link = link;
  for (let steps = 0; steps < 1000; steps += 1) {
    const node = nodes.get(at.node);
    if (!node) return ANY;
    const before = node.inputs.get(VALUE);
    if (node.type !== REROUTE) return typeIn(nodes, at.node, node, types)?.outputs.find((item) => item.name === at.output)?.types ?? ANY;
    if (!(before instanceof Link)) return ANY;
    at = before;
  }
  return ANY;
}

function inputsType(type: NodeType): NodeType {
  const outputs: Output[] = type.inputs.filter(({ name }) => !name.includes(".")).map(({ name, types, tooltip }) => ({ name, types, tooltip }));
  return { ...plainType(INPUTS, T.subgraphs.inputs, T.subgraphs.inputsHelp), outputs: [...outputs, { name: FREE, types: ANY, tooltip: T.subgraphs.addSocket }] };
}

function outputsType(type: NodeType): NodeType {
  const inputs: Input[] = type.outputs.map(({ name, tooltip }) => ({ name, label: name, types: ANY, required: false, tooltip, options: {} }));
  const free: Input = { name: FREE, label: "", types: ANY, required: false, tooltip: T.subgraphs.addSocket, options: {} };
  return { ...plainType(OUTPUTS, T.subgraphs.outputs, T.subgraphs.outputsHelp), inputs: [...inputs, free] };
}

/** Makes the types of a workflow's subgraphs, each once, those within first. */
class Making {
  private readonly made = new Map<Id, NodeType>();
  private readonly begun = new Set<Id>();

  constructor(
    private readonly types: NodeTypes,
    private readonly workflow: Workflow,
  ) {}

  typeOf(id: Id): NodeType {
    const known = this.made.get(id);
    if (known) return known;
    const inner = this.workflow.subgraphs.get(id);
    const plain = plainType(`${SUBGRAPH}${id}`, inner?.title || id, T.subgraphs.instanceHelp);
    if (!inner || this.begun.has(id)) return plain;
    this.begun.add(id);
    const inputs = [...inner.inputs].map(([name, item]) => this.input(inner, name, item));
    const type = {
      ...plain,
      category: T.subgraphs.category,
      inputs: [...inputs, ...this.addressed(id, inner)],
      outputs: [...inner.outputs].map(([name, item]) => this.output(inner, name, item)),
    };
    this.made.set(id, type);
    return type;
  }

  private typeIn(inner: Subgraph, id: Id): NodeType | undefined {
    const node = inner.nodes.get(id);
    if (!node) return undefined;
    return isInstance(node) ? this.typeOf(subgraphIdOf(node)) : typeIn(inner.nodes, id, node, this.types);
  }

  /** As the first input within that it feeds and that has a widget, else as the first. */
  private input(inner: Subgraph, name: string, item: Boundary): Input {
    const fed = [...this.fedBy(inner, new Link(INPUTS, name))];
    const found = fed.find(({ input }) => input.widget) ?? fed[0];
    const types = item.type ? item.type.split(",") : (found?.input.types ?? ANY);
    const { widget, tooltip = "", required = false, options = {} } = found?.input ?? {};
    const initial = found?.hidden ?? found?.input.initial;
    return { name, label: item.label || name, types, required, tooltip, options, ...(widget ? { widget } : {}), ...(initial === undefined ? {} : { initial }) };
  }

  private *fedBy(inner: Subgraph, link: Link): Generator<{ readonly input: Input; readonly hidden: Input["initial"] }> {
    for (const [id, node] of inner.nodes)
      for (const [name, value] of node.inputs) {
        if (!(value instanceof Link) || value.node !== link.node || value.output !== link.output) continue;
        if (node.type === REROUTE) yield* this.fedBy({ ...inner, nodes: new Map([...inner.nodes].filter(([key]) => key !== id)) }, new Link(id, VALUE));
        const input = this.typeIn(inner, id)?.inputs.find((item) => item.name === name);
        const hidden = node.extra.get("hidden_values");
        if (input && node.type !== REROUTE) yield { input, hidden: isObject(hidden) ? hidden.get(name) : undefined };
      }
  }

  private output(inner: Subgraph, name: string, item: Boundary): Output {
    if (item.type) return { name, types: item.type.split(","), tooltip: item.label };
    return { name, types: this.given(inner, item.link), tooltip: item.label };
  }

  private given(inner: Subgraph, link: Link | undefined): readonly string[] {
    let at = link;
    for (let steps = 0; at && steps < 1000; steps += 1) {
      const [node, output] = [inner.nodes.get(at.node), at.output];
      const before = node?.inputs.get(VALUE);
      if (at.node === INPUTS) return inner.inputs.get(output)?.type.split(",").filter(Boolean) ?? ANY;
      if (node?.type !== REROUTE) return this.typeIn(inner, at.node)?.outputs.find((item) => item.name === output)?.types ?? ANY;
      at = before instanceof Link ? before : undefined;
    }
    return ANY;
  }

  /** Inputs of nodes within that some instance sets by address. */
  private addressed(id: Id, inner: Subgraph): Input[] {
    const type = `${SUBGRAPH}${id}`;
    const canvases = [this.workflow.nodes, ...[...this.workflow.subgraphs.values()].map(({ nodes }) => nodes)];
    const names = new Set<string>();
    for (const nodes of canvases)
      for (const node of nodes.values())
        if (node.type === type) for (const name of node.inputs.keys()) if (!inner.inputs.has(name) && name.includes(".")) names.add(name);
    return [...names].flatMap((name) => this.atAddress(inner, name) ?? []);
  }

  private atAddress(inner: Subgraph, address: string): Input | undefined {
    for (const [id, node] of inner.nodes) {
      const name = address.slice(id.length + 1);
      const input = address.startsWith(`${id}.`) ? this.typeIn(inner, id)?.inputs.find((item) => item.name === name) : undefined;
      if (input) return { ...input, name: address, label: `${node.title || this.typeIn(inner, id)?.title || id} · ${input.label || name}`, required: false };
      const deeper = isInstance(node) && address.startsWith(`${id}:`) ? this.workflow.subgraphs.get(subgraphIdOf(node)) : undefined;
      const found = deeper && this.atAddress(deeper, name);
      if (found) return { ...found, name: address };
    }
    return undefined;
  }
}
