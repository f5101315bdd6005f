/** Making a subgraph of chosen nodes, and unpacking an instance into the nodes it stands for. */

import type { Command, Point } from "./commands";
import { freshId, Link, placeIn, type Boundary, type Id, type Node, type Subgraph, type Value, type Workflow } from "./document";
import { isObject, type Json } from "./json";
import { freeName, INPUTS, isBoundary, SUBGRAPH, subgraphIdOf, subgraphOf } from "./subgraphs";

export interface Folding {
  readonly nodes: readonly Id[];
  readonly title: string;
  readonly placeOf: (id: Id) => Point;
}

/** The ids of the subgraph and of its instance that `fold` makes in this workflow. */
export function foldedIds(workflow: Workflow, title: string): { readonly subgraph: Id; readonly instance: Id } {
  const stem = freshId({ nodes: new Map() }, title || "subgraph");
  return { subgraph: freeName(workflow.subgraphs, stem), instance: freshId(workflow, title || "subgraph") };
}

/** Makes a subgraph of nodes, with an instance in their place that is linked as they were. */
export function fold({ nodes: chosen, title, placeOf }: Folding): Command {
  return (workflow) => {
    const ids = new Set(chosen.filter((id) => workflow.nodes.has(id) && !isBoundary(id)));
    if (!ids.size) return workflow;
    const { subgraph, instance } = foldedIds(workflow, title);
    const border = borderOf(workflow, ids);
    const places = new Map([...ids].map((id) => [id, placeOf(id)] as const));
    const inner: Subgraph = {
      title,
      inputs: new Map([...border.inputs.values()].map((name) => [name, bare()])),
      outputs: new Map([...border.outputs.values()].map(({ name, link }) => [name, { link, ...bare() }])),
      nodes: new Map([...ids].map((id) => [id, cutOff(workflow.nodes.get(id) as Node, ids, border)])),
      layout: new Map([...ids].map((id) => [id, sized(placeOf(id), workflow.layout.get(id))])),
      groups: [],
      notes: [],
      extra: new Map(),
    };
    const links = [...border.sources].map(([key, link]) => [border.inputs.get(key) ?? "", link] as const);
    const made: Node = { type: `${SUBGRAPH}${subgraph}`, inputs: new Map(links), title: "", mode: "run", extra: new Map() };
    return {
      ...workflow,
      nodes: new Map([...rest(workflow, ids, instance, border), [instance, made]]),
      layout: new Map([...[...workflow.layout].filter(([id]) => !ids.has(id)), [instance, middleOf([...places.values()])]]),
      ports: new Map([...workflow.ports].map(([name, port]) => [name, portWithin(port, ids, instance, border)])),
      subgraphs: new Map(workflow.subgraphs).set(subgraph, inner),
    };
  };
}

const bare = (): Boundary => ({ type: "", label: "", extra: new Map() });
const keyOf = (link: Link): string => `${link.node}\n${link.output}`;

interface Border {
  /** Links from outside by key, and the names of the inputs they become. */
  readonly sources: ReadonlyMap<string, Link>;
  readonly inputs: ReadonlyMap<string, string>;
  /** What is used outside, by key. */
  readonly outputs: Map<string, { readonly name: string; readonly link: Link }>;
}

function borderOf(workflow: Workflow, ids: ReadonlySet<Id>): Border {
  const [sources, inputs, outputs] = [new Map<string, Link>(), new Map<string, string>(), new Map<string, { name: string; link: Link }>()];
  const [takenIn, takenOut] = [new Map<string, true>(), new Map<string, true>()];
  const give = (link: Link): void => {
    if (outputs.has(keyOf(link))) return;
    const name = freeName(takenOut, link.output);
    takenOut.set(name, true);
    outputs.set(keyOf(link), { name, link });
  };
  for (const [id, node] of workflow.nodes)
    for (const [input, value] of node.inputs) {
      if (!(value instanceof Link) || ids.has(id) === ids.has(value.node)) continue;
      if (!ids.has(id)) give(value);
      else if (workflow.nodes.has(value.node) && !sources.has(keyOf(value))) {
        const name = freeName(takenIn, input);
        takenIn.set(name, true);
        sources.set(keyOf(value), value);
        inputs.set(keyOf(value), name);
      }
    }
  for (const port of workflow.ports.values()) {
    const [node, output] = isObject(port) ? [port.get("node"), port.get("output")] : [];
    if (typeof node === "string" && typeof output === "string" && output && ids.has(node)) give(new Link(node, output));
  }
  return { sources, inputs, outputs };
}

function cutOff(node: Node, ids: ReadonlySet<Id>, border: Border): Node {
  return withLinks(node, (link) => {
    const name = ids.has(link.node) ? undefined : border.inputs.get(keyOf(link));
    return name === undefined ? link : new Link(INPUTS, name);
  });
}

function* rest(workflow: Workflow, ids: ReadonlySet<Id>, instance: Id, border: Border): Generator<[Id, Node]> {
  for (const [id, node] of workflow.nodes)
    if (!ids.has(id))
      yield [
        id,
        withLinks(node, (link) => {
          const output = ids.has(link.node) ? border.outputs.get(keyOf(link)) : undefined;
          return output ? new Link(instance, output.name) : link;
        }),
      ];
}

function withLinks(node: Node, change: (link: Link) => Value | undefined): Node {
  const inputs = [...node.inputs].flatMap(([name, value]) => {
    const changed = value instanceof Link ? change(value) : value;
    return changed === undefined ? [] : [[name, changed] as const];
  });
  const isSame = inputs.length === node.inputs.size && inputs.every(([name, value]) => node.inputs.get(name) === value);
  return isSame ? node : { ...node, inputs: new Map(inputs) };
}

function portWithin(port: Json, ids: ReadonlySet<Id>, instance: Id, border: Border): Json {
  const node = isObject(port) ? port.get("node") : undefined;
  if (!isObject(port) || typeof node !== "string" || !ids.has(node)) return port;
  const [input, output] = [port.get("input"), port.get("output")];
  const moved = new Map(port).set("node", instance);
  if (typeof input === "string" && input) return moved.set("input", `${node}.${input}`);
  const end = typeof output === "string" ? border.outputs.get(keyOf(new Link(node, output))) : undefined;
  return end ? moved.set("output", end.name) : moved;
}

function middleOf(places: readonly Point[]): Json {
  const mean = (of: 0 | 1): number => Math.round(places.reduce((sum, place) => sum + place[of], 0) / places.length);
  return [mean(0), mean(1)];
}

function sized([x, y]: Point, old: Json | undefined): Json {
  const place = placeIn(old);
  return place?.width && place.height ? [x, y, place.width, place.height] : [x, y];
}

// Unpacking

/** Puts the nodes of a subgraph in the place of an instance; the subgraph goes where no other one is left. */
export function unfold(id: Id): Command {
  return (workflow) => {
    const instance = workflow.nodes.get(id);
    const inner = subgraphOf(workflow, instance);
    if (!instance || !inner) return workflow;
    const names = freshNames(workflow, inner, id);
    const moved = (link: Link): Value | undefined => outside(link, instance, names);
    const by = shiftOf(workflow, inner, id);
    const nodes = new Map<Id, Node>();
    for (const [key, node] of inner.nodes) nodes.set(names.get(key) ?? key, unpacked(key, node, instance, moved));
    const left = [...workflow.nodes].filter(([key]) => key !== id).map(([key, node]) => [key, withLinks(node, (link) => fromInside(link, id, inner, instance, names))] as const);
    const layout = new Map([...workflow.layout].filter(([key]) => key !== id));
    for (const [key, name] of names) layout.set(name, shifted(inner.layout.get(key), by));
    const whole = {
      ...workflow,
      nodes: new Map([...left, ...nodes]),
      layout,
      groups: [...workflow.groups, ...inner.groups.map((item) => shiftedItem(item, "bounds", by))],
      notes: [...workflow.notes, ...inner.notes.map((item) => shiftedItem(item, "at", by))],
      ports: new Map([...workflow.ports].flatMap(([name, port]) => portOutside(name, port, id, inner, names))),
    };
    return withoutUnused(whole, subgraphIdOf(instance), workflow);
  };
}

function freshNames(workflow: Workflow, inner: Subgraph, id: Id): Map<Id, Id> {
  const taken = new Map<Id, unknown>([...workflow.nodes].filter(([key]) => key !== id));
  const names = new Map<Id, Id>();
  for (const key of inner.nodes.keys()) {
    const name = taken.has(key) || isBoundary(key) ? freeName(taken, `${id}_${key}`) : key;
    taken.set(name, true);
    names.set(key, name);
  }
  return names;
}

/** Where a link within leads once its node is outside. */
function outside(link: Link, instance: Node, names: ReadonlyMap<Id, Id>): Value | undefined {
  if (link.node === INPUTS) return instance.inputs.get(link.output);
  const name = names.get(link.node);
  return name === undefined ? undefined : new Link(name, link.output);
}

function fromInside(link: Link, id: Id, inner: Subgraph, instance: Node, names: ReadonlyMap<Id, Id>): Value | undefined {
  if (link.node !== id) return link;
  const end = inner.outputs.get(link.output)?.link;
  return end && outside(end, instance, names);
}

function unpacked(key: Id, node: Node, instance: Node, moved: (link: Link) => Value | undefined): Node {
  const inputs = new Map<string, Value>();
  const hidden = node.extra.get("hidden_values");
  for (const [name, value] of node.inputs) {
    const behind = isObject(hidden) ? hidden.get(name) : undefined;
    const found = value instanceof Link ? (moved(value) ?? behind) : value;
    if (found !== undefined) inputs.set(name, found);
  }
  for (const [address, value] of instance.inputs)
    if (address.startsWith(`${key}.`)) inputs.set(address.slice(key.length + 1), value);
    else if (address.startsWith(`${key}:`)) inputs.set(address.slice(key.length + 1), value);
  return { ...node, inputs, mode: instance.mode === "run" ? node.mode : "mute" };
}

function shiftOf(workflow: Workflow, inner: Subgraph, id: Id): Point {
  const places = [...inner.nodes.keys()].flatMap((key) => placeIn(inner.layout.get(key)) ?? []);
  const at = placeIn(workflow.layout.get(id)) ?? { x: 0, y: 0 };
  if (!places.length) return [0, 0];
  return [Math.round(at.x - Math.min(...places.map(({ x }) => x))), Math.round(at.y - Math.min(...places.map(({ y }) => y)))];
}

function shifted(place: Json | undefined, [dx, dy]: Point): Json {
  const at = placeIn(place) ?? { x: 0, y: 0 };
  return at.width && at.height ? [at.x + dx, at.y + dy, at.width, at.height] : [at.x + dx, at.y + dy];
}

function shiftedItem(item: Json, key: string, by: Point): Json {
  return isObject(item) ? new Map(item).set(key, shifted(item.get(key), by)) : item;
}

function portOutside(name: string, port: Json, id: Id, inner: Subgraph, names: ReadonlyMap<Id, Id>): [string, Json][] {
  if (!isObject(port) || port.get("node") !== id) return [[name, port]];
  const [input, output] = [port.get("input"), port.get("output")];
  const found = typeof input === "string" && input ? innerInput(input, inner) : typeof output === "string" ? inner.outputs.get(output)?.link : undefined;
  const node = found && names.get(found.node);
  if (!found || !node) return [];
  return [[name, new Map<string, Json>([["node", node], [input ? "input" : "output", found.output]])]];
}

/** The first inner node and input that an instance's input sets. */
function innerInput(input: string, inner: Subgraph): Link | undefined {
  for (const [id, node] of inner.nodes) {
    if (input.startsWith(`${id}.`)) return new Link(id, input.slice(id.length + 1));
    for (const [name, value] of node.inputs)
      if (value instanceof Link && value.node === INPUTS && value.output === input) return new Link(id, name);
  }
  return undefined;
}

function withoutUnused(workflow: Workflow, id: Id, before: Workflow): Workflow {
  const type = `${SUBGRAPH}${id}`;
  const canvases = [workflow.nodes, ...[...workflow.subgraphs.values()].map(({ nodes }) => nodes)];
  if (canvases.some((nodes) => [...nodes.values()].some((node) => node.type === type))) return { ...workflow, subgraphs: before.subgraphs };
  return { ...workflow, subgraphs: new Map([...before.subgraphs].filter(([key]) => key !== id)) };
}

