/** Points that only bend the drawing of links, kept as ComfyUI's editor keeps its own reroutes: what flows is the same. */

import type { Command, Point } from "./commands";
import { placeIn, type Id, type Workflow } from "./document";
import { asNumber, isList, isObject, type Json, type JsonObject } from "./json";

const BENDS = "bends";

export interface Bend {
  readonly id: number;
  readonly at: Point;
}

interface Bends {
  readonly points: readonly JsonObject[];
  /** [node, input, the last point before that input]. */
  readonly links: readonly Json[];
}

const NONE: ReadonlyMap<string, readonly Bend[]> = new Map();
const READ = new WeakMap<JsonObject, ReadonlyMap<string, readonly Bend[]>>();

export const endKey = (node: Id, input: string): string => `${node}\n${input}`;

function bendsIn({ extra }: Pick<Workflow, "extra">): Bends {
  const kept = extra.get(BENDS);
  const list = (name: string): readonly Json[] => {
    const found = isObject(kept) ? kept.get(name) : undefined;
    return isList(found) ? found : [];
  };
  return { points: list("reroutes").filter(isObject), links: list("links") };
}

const idOf = (point: JsonObject): number => asNumber(point.get("id") ?? null, -1);
const aboveOf = (point: JsonObject | undefined): number => asNumber(point?.get("parentId") ?? null, -1);

/** The points of each link, from its source on, by the input it ends at. */
export function bendsOf(workflow: Pick<Workflow, "extra">): ReadonlyMap<string, readonly Bend[]> {
  const kept = workflow.extra.get(BENDS);
  if (!isObject(kept)) return NONE;
  const known = READ.get(kept) ?? readBends(bendsIn(workflow));
  READ.set(kept, known);
  return known;
}

function readBends({ points, links }: Bends): ReadonlyMap<string, readonly Bend[]> {
  const byId = new Map(points.map((point) => [idOf(point), point]));
  return new Map(
    links.flatMap((link) => {
      if (!isList(link) || typeof link[0] !== "string" || typeof link[1] !== "string") return [];
      const chain = chainFrom(asNumber(link[2] ?? null, -1), byId);
      return chain.length ? [[endKey(link[0], link[1]), chain] as const] : [];
    }),
  );
}

function chainFrom(last: number, byId: ReadonlyMap<number, JsonObject>): readonly Bend[] {
  const found = new Map<number, Bend>();
  for (let id = last; byId.has(id) && !found.has(id); id = aboveOf(byId.get(id))) {
    const place = placeIn(byId.get(id)?.get("pos"));
    found.set(id, { id, at: [place?.x ?? 0, place?.y ?? 0] });
  }
  return [...found.values()].reverse();
}

function changed(change: (bends: Bends) => Bends): Command {
  return (workflow) => {
    const old = bendsIn(workflow);
    const { points, links } = change(old);
    if (points === old.points && links === old.links) return workflow;
    const extra = new Map(workflow.extra);
    if (points.length) extra.set(BENDS, new Map<string, Json>([["reroutes", points], ["links", links]]));
    else extra.delete(BENDS);
    return { ...workflow, extra };
  };
}

const placed = ([x, y]: Point): Json => [Math.round(x), Math.round(y)];

export function moveBend(id: number, to: Point): Command {
  return changed((bends) => ({ ...bends, points: bends.points.map((point) => (idOf(point) === id ? new Map([...point, ["pos", placed(to)]]) : point)) }));
}

/** Takes a point away; what came after it follows what came before it. */
export function removeBend(id: number): Command {
  return changed(({ points, links }) => {
    const above = aboveOf(points.find((point) => idOf(point) === id));
    const led = (point: JsonObject): JsonObject => {
      if (aboveOf(point) !== id) return point;
      return new Map([...point].flatMap(([key, value]) => (key !== "parentId" ? [[key, value] as const] : above < 0 ? [] : [[key, above] as const])));
    };
    const left = links.flatMap((link) => (!isList(link) || asNumber(link[2] ?? null, -1) !== id ? [link] : above < 0 ? [] : [link.with(2, above)]));
    return { points: points.filter((point) => idOf(point) !== id).map(led), links: left };
  });
}

/** Bends a link at a point of the canvas, between those points of it that lie nearest; from: where it begins. */
export function addBend(node: Id, input: string, at: Point, from: Point): Command {
  return changed(({ points, links }) => {
    const chain = readBends({ points, links }).get(endKey(node, input)) ?? [];
    const place = placeFor(chain, at, from);
    const [before, after] = [chain[place - 1], chain[place]];
    const id = Math.max(0, ...points.map(idOf)) + 1;
    const made: JsonObject = new Map<string, Json>([["id", id], ...(before ? [["parentId", before.id] as const] : []), ["pos", placed(at)]]);
    const next = points.map((point) => (after && idOf(point) === after.id ? new Map([...point].filter(([key]) => key !== "parentId")).set("parentId", id) : point));
    const end = after ? links : [...links.filter((link) => !isList(link) || link[0] !== node || link[1] !== input), [node, input, id]];
    return { points: [...next, made], links: end };
  });
}

/** Before the first point that lies further along the link than the new one. */
function placeFor(chain: readonly Bend[], [x, y]: Point, [startX, startY]: Point): number {
  const far = ([a, b]: Point): number => Math.hypot(a - startX, b - startY);
  const found = chain.findIndex((bend) => far(bend.at) > far([x, y]));
  return found < 0 ? chain.length : found;
}
