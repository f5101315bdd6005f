/** The server's API for jobs. */

import { API, ask, json, post, type Problem } from "./client";

export type JobState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled";

export interface Job {
  readonly id: string;
  readonly state: JobState;
  readonly title: string;
  readonly client_id: string;
  readonly priority: number;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly error: { readonly message: string; readonly node: string } | null;
  readonly outputs?: readonly Output[] | null;
}

export interface Output {
  readonly node: string;
  readonly display_node: string;
  readonly files: readonly Picture[];
}

export interface JobEvent {
  readonly job: string;
  readonly number: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** A file that a node showed. */
export interface Picture {
  readonly name: string;
  readonly kind: string;
  readonly url: string;
}

export interface JobsPage {
  readonly jobs: readonly Job[];
  readonly total: number;
  readonly remaining: number;
  readonly queue_paused: boolean;
}

export function pictureUrl(picture: { filename: string; subfolder?: string; type: string }): Picture {
  const name = picture.subfolder ? `${picture.subfolder}/${picture.filename}` : picture.filename;
  return { name, kind: picture.type, url: `${API}/files/${picture.type}?name=${encodeURIComponent(name)}` };
}

const CLIENT = "darkroom.client";

/** Who this browser is to the server: it serves its clients in turn. */
export function clientId(): string {
  const known = localStorage.getItem(CLIENT);
  if (known) return known;
  const made = `editor-${Math.random().toString(36).slice(2, 8)}`;
  localStorage.setItem(CLIENT, made);
  return made;
}

export interface Submitted {
  readonly title: string;
  readonly targets?: readonly string[];
}

/** Hands in a workflow (its JSON text goes as it is) and gives the job. */
export async function submit(text: string, { title, targets }: Submitted): Promise<Job & { readonly warnings: readonly Problem[] }> {
  const asked = { title: title.slice(0, 200), client_id: clientId(), ...(targets ? { targets } : {}) };
  return json(`${API}/jobs`, post(`{"workflow": ${text}, ${JSON.stringify(asked).slice(1)}`));
}

export interface JobsAsked {
  readonly states?: readonly JobState[];
  readonly search?: string;
  readonly limit?: number;
  readonly outputs?: boolean;
}

export async function jobs({ states = [], search = "", limit = 30, outputs = false }: JobsAsked = {}): Promise<JobsPage> {
  const query = new URLSearchParams([...states.map((state) => ["state", state]), ["search", search], ["limit", String(limit)], ["outputs", String(outputs)]]);
  return json(`${API}/jobs?${query.toString()}`);
}

export async function jobOf(id: string): Promise<Job> {
  return json(`${API}/jobs/${id}`);
}

export async function eventsOf(job: string, from: number): Promise<JobEvent[]> {
  return (await json<{ events: JobEvent[] }>(`${API}/jobs/${job}/events?number=${from}`)).events;
}

export async function workflowOf(job: string): Promise<string> {
  return (await ask(`${API}/jobs/${job}/workflow`)).text();
}

export type JobAction = "cancel" | "pause" | "resume" | "retry";

export async function change(job: string, action: JobAction): Promise<void> {
  await ask(`${API}/jobs/${job}/${action}`, { method: "POST" });
}

export async function move(job: string, to: { readonly before?: string; readonly after?: string; readonly priority?: number }): Promise<void> {
  await ask(`${API}/jobs/${job}/move`, post(JSON.stringify(to)));
}

export async function forget(job: string): Promise<void> {
  await ask(`${API}/jobs/${job}`, { method: "DELETE" });
}

export async function changeQueue(action: "pause" | "resume" | "clear"): Promise<void> {
  await ask(`${API}/queue/${action}`, post("{}"));
}

export async function clearHistory(): Promise<void> {
  await ask(`${API}/history/clear`, { method: "POST" });
}
