/** What somebody uses most: node types with a star on the server, what was used last in this browser. */

import { create } from "zustand";
import { trying } from "./actions";
import { changeSettings, useSettings } from "./settings";

interface Recent {
  /** Node types that were added last, and commands that were chosen last. */
  readonly types: readonly string[];
  readonly commands: readonly string[];
  /** Files that were run with last, as folder/name. */
  readonly files: readonly string[];
}

const KEPT = "darkroom.lately";
const MOST: Readonly<Record<keyof Recent, number>> = { types: 12, commands: 12, files: 60 };
const NONE: readonly string[] = [];

function kept(): Partial<Recent> {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Recent>;
  } catch {
    return {};
  }
}

export const useRecent = create<Recent>(() => ({ types: [], commands: [], files: [], ...kept() }));

export function remember(list: keyof Recent, id: string): void {
  useRecent.setState((old) => ({ [list]: [id, ...old[list].filter((other) => other !== id)].slice(0, MOST[list]) }));
  try {
    localStorage.setItem(KEPT, JSON.stringify(useRecent.getState()));
  } catch {
    // The browser keeps nothing for this page.
  }
}

export const useFavourites = (): readonly string[] =>
  useSettings(({ values }) => (Array.isArray(values.extra["favourites"]) ? (values.extra["favourites"] as string[]) : NONE));

/** Whether node types that are to go are found too. */
export const useDeprecated = (): boolean => useSettings(({ values }) => values.extra["deprecated"] === true);

/** Keeps something under a name of the editor's own. */
export function keep(name: "favourites" | "deprecated", value: unknown): void {
  const { extra } = useSettings.getState().values;
  trying(() => changeSettings({ extra: { ...extra, [name]: value } }));
}
