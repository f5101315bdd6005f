/** What stands in each menu of the canvas, by the ids of commands; null draws a line. */

import { aimedLink } from "../canvas/aimed";
import { itemIn } from "../canvas/chosen";
import { fieldUnder } from "../canvas/under";
import { screenOf } from "../canvas/view";
import { useEditor } from "../editor";
import { C } from "../texts-canvas";
import { showMenu, type MenuPlace } from "./open";

export interface Submenu {
  readonly title: string;
  readonly ids: readonly (string | null)[];
}

export type Entry = string | Submenu | "colours" | null;

const ALIGN: Submenu = {
  title: C.menu.align,
  ids: [
    "arrange.left",
    "arrange.centre",
    "arrange.right",
    null,
    "arrange.top",
    "arrange.middle",
    "arrange.bottom",
    null,
    "arrange.across",
    "arrange.down",
  ],
};
const REACH: Submenu = { title: C.menu.select, ids: ["select.before", "select.after", "select.connected"] };
const CLIPBOARD = ["edit.copy", "edit.duplicate", "edit.delete"] as const;

export const MENUS: Readonly<Record<MenuPlace, readonly Entry[]>> = {
  canvas: ["add.node", "add.note", "add.reroute", null, "edit.paste", "select.all", null, "arrange.tidy", "view.fit", "arrange.snap", "view.shapes", "view.minimap"],
  node: [
    "edit.port",
    "edit.rename",
    "colours",
    null,
    "run.to",
    "edit.mute",
    "edit.bypass",
    null,
    "edit.collapse",
    "edit.pin",
    "size.reset",
    "subgraph.enter",
    "subgraph.fold",
    "subgraph.unfold",
    null,
    ...CLIPBOARD,
    null,
    REACH,
    "view.help",
  ],
  nodes: [
    "colours",
    null,
    "run.to",
    "edit.mute",
    "edit.bypass",
    null,
    "edit.group",
    "subgraph.fold",
    ALIGN,
    "arrange.tidy",
    "edit.collapse",
    "edit.pin",
    null,
    ...CLIPBOARD,
    null,
    REACH,
  ],
  group: ["edit.rename", "colours", null, "select.contents", "group.fit", "edit.pin", null, "edit.delete"],
  note: ["colours", null, "edit.delete"],
  link: ["link.insert", "link.bend", "add.reroute", null, "link.cut"],
};

/** The menu that fits what is selected. */
export function menuPlace(selection: ReadonlySet<string>): MenuPlace {
  const [first] = selection;
  if (first === undefined) return "canvas";
  if (selection.size > 1) return "nodes";
  const item = itemIn(first);
  return item ? (item.list === "groups" ? "group" : "note") : "node";
}

/** Opens the menu from the keyboard, beside what is selected. */
export function openMenuHere(): void {
  const { selection } = useEditor.getState();
  const [first] = selection;
  const place = aimedLink() ? "link" : menuPlace(selection);
  showMenu({ place, screen: screenOf(first) }, { at: null, field: fieldUnder(document.activeElement) });
}
