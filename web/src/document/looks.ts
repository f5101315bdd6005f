/** How nodes, groups and notes look, under the keys that ComfyUI's editor keeps: flags, color, bgcolor. */

import { all, onNode, setItem, type Command } from "./commands";
import { placeIn, type Id, type Node } from "./document";
import { asText, isObject, type Json, type JsonObject } from "./json";

/** A colour that people choose: the one of the title and the one of the body. */
export interface Colour {
  readonly name: string;
  readonly color: string;
  readonly bgcolor: string;
}

/** They stand in documents, so that other editors show them too; the theme takes only their hue. */
export const COLOURS: readonly Colour[] = [
  { name: "red", color: "#7a3b3b", bgcolor: "#5c2e2e" },
  { name: "orange", color: "#85522b", bgcolor: "#633f24" },
  { name: "yellow", color: "#766a2a", bgcolor: "#585022" },
  { name: "green", color: "#3d6f47", bgcolor: "#2f5437" },
  { name: "teal", color: "#2f6f70", bgcolor: "#265354" },
  { name: "blue", color: "#365f92", bgcolor: "#2b496e" },
  { name: "purple", color: "#65508f", bgcolor: "#4c3e6b" },
  { name: "pink", color: "#87466d", bgcolor: "#653753" },
];

const HEX = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

/** The colour that something was given, "" where it was given none that is known how to draw. */
export function tintOf(keys: JsonObject): string {
  const given = asText(keys.get("bgcolor")) || asText(keys.get("color"));
  return HEX.test(given) ? given : "";
}

function flagsOf(keys: JsonObject): JsonObject {
  const flags = keys.get("flags");
  return isObject(flags) ? flags : new Map();
}

const hasFlag = (keys: JsonObject, name: string): boolean => flagsOf(keys).get(name) === true;
export const isCollapsed = (node: Node): boolean => hasFlag(node.extra, "collapsed");
/** Whether it stays where it is. */
export const isPinned = (keys: JsonObject): boolean => hasFlag(keys, "pinned");

export function setFlag(ids: readonly Id[], name: "collapsed" | "pinned", isOn: boolean): Command {
  return all(...ids.map((id) => onNode(id, (node) => withExtra(node, flagged(node.extra, name, isOn)))));
}

function flagged(keys: JsonObject, name: string, isOn: boolean): JsonObject {
  if (hasFlag(keys, name) === isOn) return keys;
  const flags = new Map(flagsOf(keys));
  if (isOn) flags.set(name, true);
  else flags.delete(name);
  return changed(keys, { flags: flags.size ? flags : undefined });
}

export function setColour(ids: readonly Id[], colour: Colour | null): Command {
  return all(...ids.map((id) => onNode(id, (node) => withExtra(node, coloured(node.extra, colour)))));
}

export function setItemColour(list: "groups" | "notes", index: number, colour: Colour | null): Command {
  return (workflow) => {
    const old = workflow[list][index];
    if (!isObject(old)) return workflow;
    const next = list === "groups" ? changed(old, { color: colour?.bgcolor }) : coloured(old, colour);
    return next === old ? workflow : { ...workflow, [list]: workflow[list].with(index, next) };
  };
}

export function pinGroup(index: number, isOn: boolean): Command {
  return (workflow) => {
    const old = workflow.groups[index];
    if (!isObject(old)) return workflow;
    const next = flagged(old, "pinned", isOn);
    return next === old ? workflow : setItem("groups", index, new Map([["flags", next.get("flags") ?? new Map<string, Json>()]]))(workflow);
  };
}

const coloured = (keys: JsonObject, colour: Colour | null): JsonObject => changed(keys, { color: colour?.color, bgcolor: colour?.bgcolor });

function changed(keys: JsonObject, changes: Readonly<Record<string, Json | undefined>>): JsonObject {
  const next = new Map(keys);
  for (const [key, value] of Object.entries(changes))
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  const isSame = next.size === keys.size && [...next].every(([key, value]) => keys.get(key) === value);
  return isSame ? keys : next;
}

const withExtra = (node: Node, extra: JsonObject): Node => (extra === node.extra ? node : { ...node, extra });

// Sizes

/** Gives a node a place and a size. */
export function resize(id: Id, { x, y, width, height }: { x: number; y: number; width: number; height: number }): Command {
  return (workflow) => {
    if (!workflow.nodes.has(id)) return workflow;
    return { ...workflow, layout: new Map(workflow.layout).set(id, [x, y, width, height].map(Math.round)) };
  };
}

/** Lets nodes have the size that their type asks for. */
export function resetSize(ids: readonly Id[]): Command {
  return (workflow) => {
    const layout = new Map(workflow.layout);
    for (const id of ids) {
      const place = placeIn(layout.get(id));
      if (place?.width ?? place?.height) layout.set(id, [place?.x ?? 0, place?.y ?? 0]);
    }
    return [...layout].every(([id, place]) => workflow.layout.get(id) === place) ? workflow : { ...workflow, layout };
  };
}
