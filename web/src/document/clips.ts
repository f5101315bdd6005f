/** What is copied: nodes, groups and notes cut out of a workflow, to paste into any, also as a text. */

import type { Command, Point } from "./commands";
import { EMPTY, freshId, Link, placeIn, readWorkflow, writeWorkflow, type Id, type Node, type Subgraph, type Value, type Workflow } from "./document";
import { isObject, type Json, type JsonObject } from "./json";
import { SUBGRAPH } from "./subgraphs";

export type Clip = Pick<Workflow, "nodes" | "layout" | "groups" | "notes" | "subgraphs">;

/** What is cut out: nodes by id, groups and notes by their place in their lists. */
export interface Cut {
  readonly nodes: readonly Id[];
  readonly groups: readonly number[];
  readonly notes: readonly number[];
}

const MARK = "clip";
const PLACES = { groups: "bounds", notes: "at" } as const;

export function clipOf(workflow: Workflow, cut: Cut, placeOf: (id: Id) => Point): Clip {
  const nodes = new Map(cut.nodes.flatMap((id) => entryOf(workflow.nodes, id)));
  const layout = new Map([...nodes.keys()].map((id) => [id, [...placeOf(id), ...sizeOf(workflow.layout.get(id))]] as const));
  const items = (list: "groups" | "notes"): Json[] => cut[list].flatMap((index) => workflow[list][index] ?? []);
  return { nodes, layout, groups: items("groups"), notes: items("notes"), subgraphs: neededBy(nodes, workflow.subgraphs) };
}

export const isEmptyClip = ({ nodes, groups, notes }: Clip): boolean => nodes.size + groups.length + notes.length === 0;

const entryOf = <Item>(items: ReadonlyMap<Id, Item>, id: Id): (readonly [Id, Item])[] => {
  const item = items.get(id);
  return item === undefined ? [] : [[id, item]];
};

function sizeOf(place: Json | undefined): number[] {
  const { width, height } = placeIn(place) ?? {};
  return width && height ? [width, height] : [];
}

/** The subgraphs that nodes stand for, and those within them. */
function neededBy(nodes: Clip["nodes"], all: Workflow["subgraphs"]): Workflow["subgraphs"] {
  const found = new Map<Id, Subgraph>();
  const open = [nodes];
  for (let inner = open.pop(); inner; inner = open.pop())
    for (const { type } of inner.values()) {
      const id = type.startsWith(SUBGRAPH) ? type.slice(SUBGRAPH.length) : "";
      const subgraph = found.has(id) ? undefined : all.get(id);
      if (!subgraph) continue;
      found.set(id, subgraph);
      open.push(subgraph.nodes);
    }
  return found;
}

/** The upper left corner of all that was cut out. */
export function cornerOf(clip: Clip): Point {
  const places = [...clip.layout.values(), ...(["groups", "notes"] as const).flatMap((list) => clip[list].map((item) => rectangleIn(item, list)))];
  const points = places.flatMap((place) => placeIn(place) ?? []);
  return [Math.min(...points.map(({ x }) => x)), Math.min(...points.map(({ y }) => y))];
}

const rectangleIn = (item: Json, list: "groups" | "notes"): Json | undefined => (isObject(item) ? item.get(PLACES[list]) : undefined);

/** The clip without the links that come from nodes outside of it. */
export function withoutOutsideLinks(clip: Clip): Clip {
  const inside = [...clip.nodes].map(([id, node]) => {
    const kept = [...node.inputs].filter(([, value]) => !(value instanceof Link) || clip.nodes.has(value.node));
    return [id, { ...node, inputs: new Map(kept) }] as const;
  });
  return { ...clip, nodes: new Map(inside) };
}

/** Adds copies under new ids. Links among them stay among them; links from elsewhere are kept where their node is. */
export function paste(clip: Clip, by: Point): Command & { readonly idsFor: (workflow: Workflow) => ReadonlyMap<Id, Id> } {
  const idsFor = (workflow: Workflow): ReadonlyMap<Id, Id> => {
    const taken = new Map(workflow.nodes);
    const names = new Map<Id, Id>();
    for (const [id, node] of clip.nodes) {
      const name = freshId({ nodes: taken }, node.type);
      taken.set(name, node);
      names.set(id, name);
    }
    return names;
  };
  const command = (workflow: Workflow): Workflow => {
    if (isEmptyClip(clip)) return workflow;
    const names = idsFor(workflow);
    const [nodes, layout] = [new Map(workflow.nodes), new Map(workflow.layout)];
    for (const [id, node] of clip.nodes) {
      const name = names.get(id) ?? id;
      nodes.set(name, copied(node, names, workflow));
      layout.set(name, shifted(clip.layout.get(id), by));
    }
    const subgraphs = new Map([...clip.subgraphs, ...workflow.subgraphs]);
    return { ...workflow, nodes, layout, subgraphs, groups: withItems(workflow, clip, "groups", by), notes: withItems(workflow, clip, "notes", by) };
  };
  return Object.assign(command, { idsFor });
}

function withItems(workflow: Workflow, clip: Clip, list: "groups" | "notes", by: Point): readonly Json[] {
  const moved = clip[list].map((item): Json => (isObject(item) ? new Map([...item, [PLACES[list], shifted(rectangleIn(item, list), by)]]) : item));
  return moved.length ? [...workflow[list], ...moved] : workflow[list];
}

function shifted(place: Json | undefined, [right, down]: Point): Json {
  const { x, y, width, height } = placeIn(place) ?? { x: 0, y: 0 };
  return [Math.round(x + right), Math.round(y + down), ...(width && height ? [width, height] : [])];
}

function copied(node: Node, names: ReadonlyMap<Id, Id>, workflow: Workflow): Node {
  const inputs = new Map<string, Value>();
  for (const [input, value] of node.inputs) {
    if (!(value instanceof Link)) inputs.set(input, value);
    else if (names.has(value.node)) inputs.set(input, new Link(names.get(value.node) ?? "", value.output));
    else if (workflow.nodes.has(value.node)) inputs.set(input, value);
  }
  return { ...node, inputs };
}

// As a text, which other windows can paste

export function writeClip(clip: Clip): string {
  const extra: JsonObject = new Map([[MARK, true]]);
  return writeWorkflow({ ...EMPTY, ...clip, extra });
}

/** The clip in a text; undefined where it is something else. */
export function readClip(text: string): Clip | undefined {
  if (!text.startsWith("{") || !text.includes(`"${MARK}"`)) return undefined;
  try {
    const found = readWorkflow(text);
    return found.extra.get(MARK) === true ? found : undefined;
  } catch {
    return undefined; // some other text
  }
}
