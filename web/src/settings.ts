/** What people have chosen: kept on the server, in this browser where it is away, and the same in all windows. */

import { useSyncExternalStore } from "react";
import { create } from "zustand";
import { API, json, JSON_HEADERS } from "./api/client";

export interface Values {
  readonly theme: "system" | "dark" | "light";
  readonly links: "curved" | "straight" | "stepped";
  readonly motion: "system" | "reduced";
  readonly snap: number;
  readonly minimap: boolean;
  readonly shapes: boolean;
  readonly previews: boolean;
  /** Seconds after a change until it is saved; 0: never. */
  readonly autosave: number;
  readonly check: boolean;
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** What the editor keeps under names of its own. */
  readonly extra: Readonly<Record<string, unknown>>;
}

export const FIRST: Values = {
  theme: "system",
  links: "curved",
  motion: "system",
  snap: 10,
  minimap: true,
  shapes: false,
  previews: true,
  autosave: 5,
  check: true,
  keys: {},
  extra: {},
};

const KEPT = "darkroom.settings";
const CHANNEL = "darkroom.settings";

interface Settings {
  readonly values: Values;
}

export const useSettings = create<Settings>(() => ({ values: keptHere() }));

function keptHere(): Values {
  try {
    return valuesIn(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    return FIRST;
  }
}

/** The settings in an object; where one is no setting or of another kind, it is as it is at first. */
export function valuesIn(found: unknown): Values {
  if (typeof found !== "object" || found === null) return FIRST;
  const known = Object.entries(found).filter(([name, value]) => name in FIRST && typeof value === typeof FIRST[name as keyof Values]);
  return { ...FIRST, ...(Object.fromEntries(known) as Partial<Values>) };
}

function adopt(values: Values): void {
  useSettings.setState({ values });
  try {
    localStorage.setItem(KEPT, JSON.stringify(values));
  } catch {
    // The browser keeps nothing for this page; the server does.
  }
}

/** Asks the server, and listens to other windows. */
export async function readSettings(): Promise<void> {
  adopt(valuesIn((await json<{ values: unknown }>(`${API}/settings`)).values));
}

/** Changes settings here at once, then on the server and in other windows; null gives one its first value back. */
export async function changeSettings(changes: Partial<Record<keyof Values, unknown>>): Promise<void> {
  const now = useSettings.getState().values;
  const next = Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? FIRST[name as keyof Values]]));
  adopt({ ...now, ...(next as Partial<Values>) });
  tellOthers();
  await json(`${API}/settings`, { method: "PATCH", headers: JSON_HEADERS, body: JSON.stringify({ values: changes }) });
}

function tellOthers(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(useSettings.getState().values);
  channel.close();
}

/** Takes over what other windows choose; gives how to stop. */
export function followSettings(): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    adopt(valuesIn(data));
  };
  return () => {
    channel.close();
  };
}

// The theme

const light = (): MediaQueryList => matchMedia("(prefers-color-scheme: light)");

function onSystem(changed: () => void): () => void {
  const query = light();
  query.addEventListener("change", changed);
  return () => {
    query.removeEventListener("change", changed);
  };
}

/** The theme as it is now; "system" is what this machine says. */
export function useTheme(): "dark" | "light" {
  const isLight = useSyncExternalStore(onSystem, () => light().matches);
  const theme = useSettings((state) => state.values.theme);
  return theme === "system" ? (isLight ? "light" : "dark") : theme;
}

/** The other theme than the one that is seen. */
export async function toggleTheme(): Promise<void> {
  const { theme } = useSettings.getState().values;
  const isLight = theme === "system" ? light().matches : theme === "light";
  await changeSettings({ theme: isLight ? "dark" : "light" });
}
