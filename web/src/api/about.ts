/** What the server says of itself for the page "About". */

import { API, ask, json, post } from "./client";

export interface SystemTold {
  readonly version: string;
  readonly python: string;
  readonly os: string;
  readonly memory_total: number;
  readonly memory_free: number;
  readonly workers: readonly { readonly device: string; readonly state: string; readonly facts: { readonly name?: string } }[];
}

export interface PluginTold {
  readonly name: string;
  readonly version: string;
  readonly state: "loaded" | "failed" | "crashed" | "disabled" | "waiting";
  readonly nodes: readonly string[];
  readonly message: string;
  readonly trace: string;
  readonly notes: readonly string[];
}

export async function systemTold(): Promise<SystemTold> {
  return json(`${API}/system`);
}

export async function pluginsTold(): Promise<{ readonly plugins: readonly PluginTold[]; readonly clashes: readonly string[] }> {
  return json(`${API}/plugins`);
}

/** Turns a plugin on or off; workers load plugins again after their jobs. For admins. */
export async function switchPlugin(name: string, isOn: boolean): Promise<void> {
  await ask(`${API}/plugins/${encodeURIComponent(name)}/${isOn ? "enable" : "disable"}`, post("{}"));
}

/** Where each kind of file lies; for admins. */
export async function folderPaths(): Promise<Readonly<Record<string, readonly string[]>>> {
  return json("/internal/folder_paths");
}
