/** What may be done to a workflow: each command gives a new one, and the same one where nothing changes. */

import { Link, placeIn, type Id, type Mode, type Node, type Value, type Workflow } from "./document";
import { isObject, type Json, type JsonObject } from "./json";

export type Command = (workflow: Workflow) => Workflow;
export type Point = readonly [x: number, y: number];

// Nodes

export function addNode(id: Id, type: string, at: Point, inputs: ReadonlyMap<string, Value> = new Map()): Command {
  return (workflow) => {
    if (workflow.nodes.has(id)) return workflow;
    const node: Node = { type, inputs, title: "", mode: "run", extra: new Map() };
    return { ...workflow, nodes: withEntry(workflow.nodes, id, node), layout: withEntry(workflow.layout, id, [...at]) };
  };
}

/** Removes nodes with their links, ports and places. */
export function deleteNodes(ids: Iterable<Id>): Command {
  const gone = new Set(ids);
  return (workflow) => {
    if (![...gone].some((id) => workflow.nodes.has(id))) return workflow;
    const kept = [...workflow.nodes].filter(([id]) => !gone.has(id));
    return {
      ...workflow,
      nodes: new Map(kept.map(([id, node]) => [id, withoutLinks(node, gone)])),
      layout: withoutKeys(workflow.layout, (id) => gone.has(id)),
      ports: withoutKeys(workflow.ports, (_, port) => isObject(port) && gone.has(port.get("node") as Id)),
    };
  };
}

function withoutLinks(node: Node, gone: ReadonlySet<Id>): Node {
  const kept = [...node.inputs].filter(([, value]) => !(value instanceof Link && gone.has(value.node)));
  return kept.length === node.inputs.size ? node : { ...node, inputs: new Map(kept) };
}

export function setTitle(id: Id, title: string): Command {
  return onNode(id, (node) => (node.title === title ? node : { ...node, title }));
}

/** Sets the mode of nodes; where all have it already, they run again. */
export function toggleMode(ids: readonly Id[], mode: Mode): Command {
  return (workflow) => {
    const all = ids.every((id) => workflow.nodes.get(id)?.mode === mode);
    return ids.reduce((so_far, id) => onNode(id, (node) => ({ ...node, mode: all ? "run" : mode }))(so_far), workflow);
  };
}

/** Sets a key of nodes that only the editor reads, such as "collapsed"; undefined removes it. */
export function setExtra(ids: readonly Id[], key: string, value: Json | undefined): Command {
  const change = (node: Node): Node => ({
    ...node,
    extra: value === undefined ? withoutKeys(node.extra, (name) => name === key) : withEntry(node.extra, key, value),
  });
  return (workflow) => ids.reduce((so_far, id) => onNode(id, change)(so_far), workflow);
}

// Inputs

export function setValue(id: Id, input: string, value: Value): Command {
  return onNode(id, (node) =>
    node.inputs.get(input) === value ? node : { ...node, inputs: withEntry(node.inputs, input, value) },
  );
}

export function connect(source: Id, output: string, target: Id, input: string): Command {
  return (workflow) => (workflow.nodes.has(source) ? setValue(target, input, new Link(source, output))(workflow) : workflow);
}

/** Takes a link away; its input then has its default again. */
export function disconnect(id: Id, input: string): Command {
  return onNode(id, (node) =>
    node.inputs.get(input) instanceof Link ? { ...node, inputs: withoutKeys(node.inputs, (name) => name === input) } : node,
  );
}

// Places

export function move(places: ReadonlyMap<Id, Point>): Command {
  return (workflow) => {
    const layout = new Map(workflow.layout);
    let isMoved = false;
    for (const [id, [x, y]] of places) {
      const old = placeIn(layout.get(id));
      const size = old?.width && old.height ? [old.width, old.height] : [];
      if (!workflow.nodes.has(id) || (old?.x === x && old.y === y)) continue;
      layout.set(id, [x, y, ...size]);
      isMoved = true;
    }
    return isMoved ? { ...workflow, layout } : workflow;
  };
}

// Groups and notes

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const numbers = ({ x, y, width, height }: Rectangle): Json => [x, y, width, height].map(Math.round);

export function addGroup(title: string, bounds: Rectangle): Command {
  const group: Json = new Map<string, Json>([
    ["title", title],
    ["bounds", numbers(bounds)],
  ]);
  return (workflow) => ({ ...workflow, groups: [...workflow.groups, group] });
}

export function addNote(text: string, at: Rectangle): Command {
  const note: Json = new Map<string, Json>([
    ["text", text],
    ["at", numbers(at)],
    ["markdown", true],
  ]);
  return (workflow) => ({ ...workflow, notes: [...workflow.notes, note] });
}

/** Changes keys of the group or note at a place of its list. */
export function setItem(list: "groups" | "notes", index: number, changes: JsonObject): Command {
  return (workflow) => {
    const old = workflow[list][index];
    if (!isObject(old)) return workflow;
    return { ...workflow, [list]: workflow[list].with(index, new Map([...old, ...changes])) };
  };
}

export function deleteItems(list: "groups" | "notes", places: ReadonlySet<number>): Command {
  return (workflow) => ({ ...workflow, [list]: workflow[list].filter((_, index) => !places.has(index)) });
}

/** Moves a group with the nodes in it. */
export function moveGroup(index: number, to: Rectangle, nodes: ReadonlyMap<Id, Point>): Command {
  return (workflow) => setItem("groups", index, new Map([["bounds", numbers(to)]]))(move(nodes)(workflow));
}

/** One command of several. */
export function all(...commands: readonly Command[]): Command {
  return (workflow) => commands.reduce((so_far, command) => command(so_far), workflow);
}

// Copies with a change

/** Changes one node, where it is there. */
export function onNode(id: Id, change: (node: Node) => Node): Command {
  return (workflow) => {
    const old = workflow.nodes.get(id);
    if (!old) return workflow;
    const changed = change(old);
    return changed === old ? workflow : { ...workflow, nodes: withEntry(workflow.nodes, id, changed) };
  };
}

function withEntry<Item>(entries: ReadonlyMap<string, Item>, key: string, item: Item): ReadonlyMap<string, Item> {
  return new Map(entries).set(key, item);
}

function withoutKeys<Item>(
  entries: ReadonlyMap<string, Item>,
  gone: (key: string, item: Item) => boolean,
): ReadonlyMap<string, Item> {
  return new Map([...entries].filter(([key, item]) => !gone(key, item)));
}
