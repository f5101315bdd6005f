/** The workflow as React Flow's nodes and edges. What did not change keeps its object, so it is not drawn again. */

import { Position, type Edge, type Node as FlowNode, type NodeHandle } from "@xyflow/react";
import type { Point } from "../document/commands";
import { Link, placeIn, type Id, type Node, type Place, type Workflow } from "../document/document";
import { asText, isObject, type Json } from "../document/json";
import { isPinned } from "../document/looks";
import type { NodeType, NodeTypes } from "../document/schema";
import { isBoundary, REROUTE } from "../document/subgraphs";
import { givenTypes, typeIn } from "../document/subgraphTypes";
import { flowId } from "../editor";
import { autoPlaces } from "./autoplace";
import { placeholderType, shapeOf, SIZES, socketY, type Shape } from "./geometry";

/** place: what the layout says of it, as long as that is the same object nothing has moved. */
export type CardNode = FlowNode<{ id: Id; node: Node; type: NodeType; shape: Shape; place: Json | undefined }, "card" | "boundary" | "reroute">;
export type ItemNode = FlowNode<{ index: number; item: Json }, "note" | "group">;
export type AnyNode = CardNode | ItemNode;

/** All that can be drawn of a workflow, by flow id: groups and notes first, as they lie below. */
export interface Scene {
  readonly nodes: ReadonlyMap<string, AnyNode>;
  readonly links: readonly Edge[];
  /** The cards by their nodes' ids. */
  readonly cards: ReadonlyMap<Id, CardNode>;
  /** The links into each node, to be kept while it and their sources stay the same. */
  readonly into: ReadonlyMap<Id, Into>;
  /** The layout it was made with, and the places of nodes that have none in it. */
  readonly layout: Workflow["layout"];
  readonly arranged: ReadonlyMap<Id, Point> | undefined;
}

interface Into {
  readonly node: Node;
  readonly sources: readonly (Node | undefined)[];
  readonly links: readonly Edge[];
}

/** Whether a node of the canvas is one of the workflow, however it is drawn. */
export const isCard = (node: AnyNode | undefined): node is CardNode => node !== undefined && node.type !== "note" && node.type !== "group";

export const NO_SCENE: Scene = { nodes: new Map(), links: [], cards: new Map(), into: new Map(), layout: new Map(), arranged: undefined };

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

/** The scene of a workflow. What did not change since the last one keeps its object. */
export function sceneOf(workflow: Workflow, types: NodeTypes, old: Scene): Scene {
  const nodes = new Map<string, AnyNode>();
  for (const list of ["groups", "notes"] as const)
    workflow[list].forEach((item, index) => {
      const id = `${list}/${index}`;
      nodes.set(id, itemNode(id, list, item, index, old.nodes.get(id)));
    });
  const flows = linksIn(workflow.nodes, types, old);
  const stays = flows.links === old.links && workflow.nodes.size === old.cards.size;
  const arranged = arranging(workflow, types, stays ? old : NO_SCENE);
  const making: Making = { workflow, types, arrangedPlace: arranged.placeOf, hasSameLinks: stays };
  const cards = new Map<Id, CardNode>();
  for (const [id, node] of workflow.nodes) {
    const card = cardNode(id, node, making, old.cards.get(id));
    cards.set(id, card);
    nodes.set(card.id, card);
  }
  return { nodes, cards, ...flows, layout: workflow.layout, arranged: arranged.places() };
}

/** Places for nodes that have none; they stay while neither links nor places change. */
function arranging(workflow: Workflow, types: NodeTypes, old: Scene): { placeOf: (id: Id) => Point; places: () => ReadonlyMap<Id, Point> | undefined } {
  let places = old.layout === workflow.layout ? old.arranged : undefined;
  return { placeOf: (id) => (places ??= autoPlaces(workflow, types)).get(id) ?? [0, 0], places: () => places };
}

interface Making {
  readonly workflow: Workflow;
  readonly types: NodeTypes;
  readonly arrangedPlace: (id: Id) => Point;
  /** Whether nothing is linked otherwise than before: of links, types that are not installed are guessed. */
  readonly hasSameLinks: boolean;
}

function cardNode(id: Id, node: Node, { workflow, types, arrangedPlace, hasSameLinks }: Making, known: CardNode | undefined): CardNode {
  const place = workflow.layout.get(id);
  const found = typeIn(workflow.nodes, id, node, types);
  const isSameType = found ? known?.data.type === found : hasSameLinks;
  const same = known?.data.node === node && isSameType ? known : undefined;
  if (same && place && same.data.place === place) return same;
  const at = placeIn(place);
  const [x, y] = at ? [at.x, at.y] : arrangedPlace(id);
  if (same && isSameSize(at, placeIn(same.data.place))) {
    const stays = same.position.x === x && same.position.y === y;
    if (stays && same.data.place === place) return same;
    return { ...same, position: stays ? same.position : { x, y }, data: { ...same.data, place } };
  }
  const type = found ?? placeholderType(id, node, workflow);
  const shape = shapeOf(type, node, at);
  const size = { width: shape.width, height: shape.height };
  const data = { id, node, type, shape, place };
  const kind = isBoundary(id) ? "boundary" : type.id === REROUTE ? "reroute" : "card";
  return { id: flowId(id), type: kind, position: { x, y }, draggable: !isPinned(node.extra), data, ...size, measured: size, handles: handlesOf(type, shape) };
}

const isSameSize = (a: Place | undefined, b: Place | undefined): boolean => a?.width === b?.width && a?.height === b?.height;

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

function itemNode(id: string, list: "groups" | "notes", item: Json, index: number, known: AnyNode | undefined): ItemNode {
  if (known && !isCard(known) && known.data.item === item) return known;
  const place = isObject(item) ? placeIn(item.get(list === "groups" ? "bounds" : "at")) : undefined;
  const size = { width: place?.width ?? 240, height: place?.height ?? 120 };
  const kind = list === "groups" ? "group" : "note";
  const layer = { zIndex: kind === "group" ? -10 : -1, style: size };
  return { id, type: kind, position: { x: place?.x ?? 0, y: place?.y ?? 0 }, data: { index, item }, measured: size, ...size, ...layer };
}

function linksIn(nodes: Workflow["nodes"], types: NodeTypes, old: Scene): Pick<Scene, "links" | "into"> {
  const into = new Map<Id, Into>();
  const links: Edge[] = [];
  for (const [id, node] of nodes) {
    const found = linksInto(id, node, nodes, types, old.into.get(id));
    into.set(id, found);
    for (const link of found.links) links.push(link);
  }
  const isSame = links.length === old.links.length && links.every((link, index) => link === old.links[index]);
  return { links: isSame ? old.links : links, into };
}

function linksInto(id: Id, node: Node, nodes: Workflow["nodes"], types: NodeTypes, known: Into | undefined): Into {
  const sources: (Node | undefined)[] = [];
  for (const value of node.inputs.values()) if (value instanceof Link) sources.push(nodes.get(value.node));
  if (known?.node === node && sources.every((source, index) => source === known.sources[index])) return known;
  const links = [...node.inputs].flatMap(([input, value]) => {
    const source = value instanceof Link ? nodes.get(value.node) : undefined;
    return source ? [linkOf(id, node, input, value as Link, source, nodes, types, known)] : [];
  });
  return { node, sources, links };
}

function linkOf(id: Id, node: Node, input: string, { node: from, output }: Link, source: Node, nodes: Workflow["nodes"], types: NodeTypes, known: Into | undefined): Edge {
  const kind = givenTypes(nodes, new Link(from, output), types)[0] ?? "*";
  const className = `link type-${colourOf(kind)}${node.mode !== "run" || source.mode !== "run" ? " link-off" : ""}`;
  const key = `${flowId(id)} ${input}`;
  const old = known?.links.find((link) => link.id === key);
  if (old?.source === flowId(from) && old.sourceHandle === output && old.className === className) return old;
  return { id: key, source: flowId(from), sourceHandle: output, target: flowId(id), targetHandle: input, className, focusable: false };
}

const COLOURED = ["MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "MASK", "INT", "FLOAT", "STRING", "BOOLEAN", "CONTROL_NET", "SIGMAS", "NOISE", "SAMPLER", "GUIDER", "COMBO"];

/** The name of a socket type's colour in theme.css. */
export function colourOf(type: string | undefined): string {
  return type && COLOURED.includes(type) ? type : "OTHER";
}

export const titleIn = (item: Json): string => (isObject(item) ? asText(item.get("title")) : "");
