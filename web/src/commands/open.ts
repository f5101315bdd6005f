/** What is open over the canvas, and what the commands mean that are chosen there. */

import { create } from "zustand";
import type { Id } from "../document/document";
import type { Point } from "../document/commands";

export type MenuPlace = "canvas" | "node" | "nodes" | "group" | "note" | "link";

export interface OpenMenu {
  readonly place: MenuPlace;
  readonly screen: Point;
}

/** An input that gets a link, named by its node and itself. */
export interface Aim {
  readonly node: Id;
  readonly input: string;
}

export interface Socket {
  readonly node: Id;
  readonly socket: string;
  readonly isOutput: boolean;
}

interface Open {
  readonly isPalette: boolean;
  readonly menu: OpenMenu | null;
  /** The link that commands of links mean. */
  readonly aim: Aim | null;
  /** The input whose row the menu was opened at. */
  readonly field: Aim | null;
  /** Where on the canvas commands put things that were chosen from a menu. */
  readonly at: Point | null;
  /** The node, group or note whose name is being written, by flow id. */
  readonly naming: string | null;
  /** The socket that is to be linked, from the keyboard. */
  readonly picking: Socket | null;
  /** The node type that is explained. */
  readonly help: string | null;
  readonly panel: "library" | "outline" | null;
  /** Nothing but the canvas is seen. */
  readonly isFocused: boolean;
}

export const useOpen = create<Open>(() => ({
  isPalette: false,
  menu: null,
  aim: null,
  field: null,
  at: null,
  naming: null,
  picking: null,
  help: null,
  panel: null,
  isFocused: false,
}));

const { getState: get, setState: set } = useOpen;

export function showPalette(isPalette: boolean): void {
  set({ isPalette, menu: null });
}

export function showMenu(menu: OpenMenu | null, more: Pick<Partial<Open>, "aim" | "at" | "field"> = {}): void {
  set({ menu, ...more });
}

export function startNaming(flow: string | null): void {
  set({ naming: flow });
}

export function pick(picking: Socket | null): void {
  set({ picking });
}

export function showHelp(type: string | null): void {
  set({ help: type });
}

export function togglePanel(panel: NonNullable<Open["panel"]>): void {
  set({ panel: get().panel === panel ? null : panel });
}

export function toggleFocus(): void {
  set({ isFocused: !get().isFocused });
}

export function aimAt(aim: Aim | null): void {
  set({ aim });
}
