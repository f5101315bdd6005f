/** The server's API about itself: devices, memory, log. */

import { API, ask, json, post } from "./client";

export type WorkerState = "starting" | "idle" | "busy" | "restarting" | "stopped";

export interface WorkerTold {
  readonly device: string;
  readonly state: WorkerState;
  readonly restarts: number;
  readonly memory: number;
  readonly facts: { readonly name?: string; readonly type?: string; readonly vram_total?: number; readonly vram_free?: number };
  readonly cache: { readonly bytes?: number; readonly entries?: number; readonly budget?: number; readonly models?: number; readonly model_bytes?: number };
}

export interface System {
  readonly version: string;
  readonly memory_total: number;
  readonly memory_free: number;
  readonly workers: readonly WorkerTold[];
  readonly trouble: string;
}

export async function system(): Promise<System> {
  return json(`${API}/system`);
}

/** Lets go of models, or of models and all results in memory. */
export async function free(all: boolean): Promise<void> {
  await ask(`${API}/system/free`, post(JSON.stringify({ unload_models: true, free_memory: all })));
}

export interface LogLine {
  readonly number: number;
  readonly time: number;
  readonly level: string;
  readonly message: string;
  readonly job: string;
  readonly node: string;
}

export async function logs(after: number, level: string): Promise<readonly LogLine[]> {
  return (await json<{ lines: LogLine[] }>(`${API}/logs?after=${after}&level=${level}&limit=1000`)).lines;
}
