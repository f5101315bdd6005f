/** The workflow as React Flow's nodes and edges. What did not change keeps its object, so it is not drawn again. */

import { bendsOf, endKey, type Bend } from "../document/bends";
import { Position, type Edge, type Node as FlowNode, type NodeHandle } from "@xyflow/react";
import type { Point } from "../document/commands";
import { EMPTY, Link, placeIn, type Id, type Node, type Place, type Workflow } from "../document/document";
import { asText, isObject, type Json } from "../document/json";
import { isPinned } from "../document/looks";
import type { NodeType, NodeTypes } from "../document/schema";
import { isBoundary, REROUTE } from "../document/subgraphs";
import { givenTypes, typeIn } from "../document/subgraphTypes";
import { flowId } from "../editor";
import { autoPlaces } from "./autoplace";
import { placeholderType, shapeOf, SIZES, socketY, type Shape } from "./geometry";

/** place: what the layout says of it, as long as that is the same object nothing has moved. */
export type CardNode = FlowNode<{ id: Id; node: Node; type: NodeType; shape: Shape }, "card" | "boundary" | "reroute"> & { readonly place: Json | undefined };
export type ItemNode = FlowNode<{ index: number; item: Json }, "note" | "group">;
export type AnyNode = CardNode | ItemNode;

/** All that can be drawn of a workflow, by flow id: groups and notes first, as they lie below. */
export interface Scene {
  readonly nodes: ReadonlyMap<string, AnyNode>;
  /** The flow ids in their order: the same list while none comes or goes. */
  readonly ids: readonly string[];
  readonly links: readonly Edge[];
  /** The cards by their nodes' ids. */
  readonly cards: ReadonlyMap<Id, CardNode>;
  /** The links into each node, to be kept while it and their sources stay the same. */
  readonly into: ReadonlyMap<Id, Into>;
  /** What it was made of, and the places of nodes that have none in it. */
  readonly of: Workflow;
  readonly arranged: ReadonlyMap<Id, Point> | undefined;
}

interface Into {
  readonly node: Node;
  readonly from: readonly Id[];
  readonly sources: readonly (Node | undefined)[];
  readonly links: readonly Edge[];
}

/** For memo(): a node that is only moved is not drawn anew, as React Flow puts it where it lies. */
export const looksSame = (a: Pick<AnyNode, "data" | "selected">, b: Pick<AnyNode, "data" | "selected">): boolean => a.data === b.data && a.selected === b.selected;

/** Whether a node of the canvas is one of the workflow, however it is drawn. */
export const isCard = (node: AnyNode | undefined): node is CardNode => node !== undefined && node.type !== "note" && node.type !== "group";

export const NO_SCENE: Scene = { nodes: new Map(), ids: [], links: [], cards: new Map(), into: new Map(), of: EMPTY, arranged: undefined };

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

/** The scene of a workflow. What did not change since the last one, made with the same types, keeps its object. */
export function sceneOf(workflow: Workflow, types: NodeTypes, old: Scene): Scene {
  const flows = linksIn(workflow, types, old);
  const hasSameLinks = flows.links === old.links && workflow.nodes.size === old.cards.size;
  const arranged = arranging(workflow, types, hasSameLinks ? old : NO_SCENE);
  const making: Making = { workflow, types, arrangedPlace: arranged.placeOf, hasSameNodes: workflow.nodes === old.of.nodes, hasSameLinks };
  const cards = remade(workflow.nodes, old.cards, (id, node, known) => cardNode(id, node, making, known));
  return { ...drawn(itemsIn(workflow, old), cards, old), cards, ...flows, of: workflow, arranged: arranged.places() };
}

/** All nodes in the order in which they lie; a list that stays long is not written anew for a few that change. */
function drawn(items: readonly ItemNode[], cards: Scene["cards"], old: Scene): Pick<Scene, "nodes" | "ids"> {
  const isSameList = items.length + cards.size === old.ids.length && items.every(({ id }, index) => id === old.ids[index]);
  const nodes = new Map<string, AnyNode>(isSameList && hasSameKeys(cards, old.cards) ? old.nodes : []);
  const stays = nodes.size > 0;
  for (const item of items) nodes.set(item.id, item);
  cards.forEach((card, id) => {
    if (!stays || card !== old.cards.get(id)) nodes.set(card.id, card);
  });
  return { nodes, ids: stays ? old.ids : [...nodes.keys()] };
}

const itemsIn = (workflow: Workflow, old: Scene): ItemNode[] =>
  (["groups", "notes"] as const).flatMap((list) => workflow[list].map((item, index) => itemNode(`${list}/${index}`, list, item, index, old.nodes.get(`${list}/${index}`))));

/** A map of what is made of each item of another; the old one where nothing changes, or a copy of it with what does. */
function remade<From, Made>(items: ReadonlyMap<Id, From>, old: ReadonlyMap<Id, Made>, make: (id: Id, item: From, known: Made | undefined) => Made): ReadonlyMap<Id, Made> {
  const changes = new Map<Id, Made>();
  items.forEach((item, id) => {
    const known = old.get(id);
    const made = make(id, item, known);
    if (made !== known) changes.set(id, made);
  });
  if (!hasSameKeys(items, old)) return new Map([...items.keys()].map((id) => [id, changes.get(id) ?? (old.get(id) as Made)]));
  if (!changes.size) return old;
  const next = new Map(old);
  changes.forEach((made, id) => next.set(id, made));
  return next;
}

function hasSameKeys(a: ReadonlyMap<Id, unknown>, b: ReadonlyMap<Id, unknown>): boolean {
  if (a.size !== b.size) return false;
  const others = b.keys();
  for (const id of a.keys()) if (others.next().value !== id) return false;
  return true;
}

/** Places for nodes that have none; they stay while neither links nor places change. */
function arranging(workflow: Workflow, types: NodeTypes, old: Scene): { placeOf: (id: Id) => Point; places: () => ReadonlyMap<Id, Point> | undefined } {
  let places = old.of.layout === workflow.layout ? old.arranged : undefined;
  return { placeOf: (id) => (places ??= autoPlaces(workflow, types)).get(id) ?? [0, 0], places: () => places };
}

interface Making {
  readonly workflow: Workflow;
  readonly types: NodeTypes;
  readonly arrangedPlace: (id: Id) => Point;
  /** Whether at most places have changed. */
  readonly hasSameNodes: boolean;
  /** Whether nothing is linked otherwise than before: of links, types that are not installed are guessed. */
  readonly hasSameLinks: boolean;
}

function cardNode(id: Id, node: Node, { workflow, types, arrangedPlace, hasSameNodes, hasSameLinks }: Making, known: CardNode | undefined): CardNode {
  const place = workflow.layout.get(id);
  if (hasSameNodes && place && known?.place === place) return known;
  const found = typeIn(workflow.nodes, id, node, types);
  const isSameType = found ? known?.data.type === found : hasSameLinks;
  const same = known?.data.node === node && isSameType ? known : undefined;
  if (same && place && same.place === place) return same;
  const at = placeIn(place);
  const [x, y] = at ? [at.x, at.y] : arrangedPlace(id);
  if (same && isSameSize(at, placeIn(same.place))) {
    const stays = same.position.x === x && same.position.y === y;
    if (stays && same.place === place) return same;
    return { ...same, position: stays ? same.position : { x, y }, place };
  }
  const type = found ?? placeholderType(id, node, workflow);
  const shape = shapeOf(type, node, at);
  const size = { width: shape.width, height: shape.height };
  const data = { id, node, type, shape };
  const kind = isBoundary(id) ? "boundary" : type.id === REROUTE ? "reroute" : "card";
  return { id: flowId(id), type: kind, position: { x, y }, draggable: !isPinned(node.extra), data, place, ...size, measured: size, handles: handlesOf(type, shape) };
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

const BENT = new WeakMap<Edge, Edge>();
export const pointsOf = ({ data }: Edge): readonly Bend[] => (data?.["points"] as readonly Bend[] | undefined) ?? [];

/** A link as it is drawn: through its points, where it has some. */
function bent(link: Edge, points: readonly Bend[] | undefined): Edge {
  if (!points) return link;
  const known = BENT.get(link);
  const made = known && pointsOf(known) === points ? known : { ...link, type: "bent", data: { points } };
  BENT.set(link, made);
  return made;
}

function linksIn(workflow: Workflow, types: NodeTypes, old: Scene): Pick<Scene, "links" | "into"> {
  const [{ nodes }, bends] = [workflow, bendsOf(workflow)];
  if (nodes === old.of.nodes && bends === bendsOf(old.of)) return { links: old.links, into: old.into };
  const into = remade(nodes, old.into, (id, node, known) => linksInto(id, node, nodes, types, known));
  const links: Edge[] = [];
  into.forEach(({ links: own }, id) => links.push(...(bends.size ? own.map((link) => bent(link, bends.get(endKey(id, link.targetHandle ?? "")))) : own)));
  const isSame = links.length === old.links.length && links.every((link, index) => link === old.links[index]);
  return { links: isSame ? old.links : links, into };
}

function linksInto(id: Id, node: Node, nodes: Workflow["nodes"], types: NodeTypes, known: Into | undefined): Into {
  if (known?.node === node && known.from.every((from, index) => nodes.get(from) === known.sources[index])) return known;
  const from = [...node.inputs.values()].flatMap((value) => (value instanceof Link ? [value.node] : []));
  const links = [...node.inputs].flatMap(([input, value]) => {
    const source = value instanceof Link ? nodes.get(value.node) : undefined;
    return source ? [linkOf(id, node, input, value as Link, source, nodes, types, known)] : [];
  });
  return { node, from, sources: from.map((source) => nodes.get(source)), links };
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
