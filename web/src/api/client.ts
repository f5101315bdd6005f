/** The server's API as functions. What it refuses is a Refused with its sentences. */

import { readNodeTypes, type NodeTypes, type ToldType } from "../document/schema";
import { T } from "../texts";

export const API = "/api/v1";

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly node: string | null;
  readonly input: string | null;
  readonly severity: "error" | "warning";
}

export type JobState = "queued" | "running" | "paused" | "done" | "failed" | "cancelled";

export interface Job {
  readonly id: string;
  readonly state: JobState;
  readonly title: string;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly error: { readonly message: string; readonly node: string } | null;
}

export interface JobEvent {
  readonly job: string;
  readonly number: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: number;
}

export interface Picture {
  readonly name: string;
  readonly kind: string;
  readonly url: string;
}

export class Refused extends Error {
  constructor(
    readonly problems: readonly Problem[],
    readonly status: number,
  ) {
    super(problems.map((problem) => `${problem.message} ${problem.fix}`.trim()).join("\n"));
  }
}

export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error(T.told.noServer);
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => null)) as { problems?: Problem[] } | null;
  if (told?.problems) throw new Refused(told.problems, response.status);
  throw new Error(`${response.status} ${response.statusText}`);
}

export async function json<Shape>(path: string, options?: RequestInit): Promise<Shape> {
  return (await ask(path, options)).json() as Promise<Shape>;
}

export const JSON_HEADERS = { "Content-Type": "application/json" };
export const post = (body: BodyInit, headers: HeadersInit = JSON_HEADERS): RequestInit => ({ method: "POST", body, headers });

export async function nodeTypes(): Promise<NodeTypes> {
  return readNodeTypes((await json<{ nodes: ToldType[] }>(`${API}/nodes`)).nodes);
}

/** A file that a node may choose. hint: what is known of it. */
export interface FileOption {
  readonly name: string;
  readonly hint: string;
}

/** The files of a folder, as far as a page of the server goes. */
export async function filesOf(folder: string, words = ""): Promise<readonly FileOption[]> {
  const search = encodeURIComponent(words);
  if (["input", "output", "temp"].includes(folder)) {
    const page = await json<{ assets: { name: string }[] }>(`${API}/assets?kind=${folder}&sort=name&limit=1000&search=${search}`);
    return page.assets.map(({ name }) => ({ name, hint: "" }));
  }
  const page = await json<{ models: { name: string; size: number; family: string | null }[] }>(
    `${API}/models/files?kind=${folder}&limit=200&search=${search}`,
  );
  return page.models.map(({ name, size, family }) => ({ name, hint: [family, T.size(size)].filter(Boolean).join(" · ") }));
}

// Jobs

/** Hands in a workflow (its JSON text goes as it is) and gives the job. */
export async function submit(text: string, title: string, targets?: readonly string[]): Promise<Job> {
  const asked = { title: title.slice(0, 200), ...(targets ? { targets } : {}) };
  return json(`${API}/jobs`, post(`{"workflow": ${text}, ${JSON.stringify(asked).slice(1)}`));
}

export async function jobs(): Promise<{ jobs: Job[]; remaining: number }> {
  return json(`${API}/jobs?limit=30`);
}

export async function eventsOf(job: string, from: number): Promise<JobEvent[]> {
  return (await json<{ events: JobEvent[] }>(`${API}/jobs/${job}/events?number=${from}`)).events;
}

export async function outputsOf(job: string): Promise<readonly { node: string; display_node: string; files: Picture[] }[]> {
  return (await json<{ outputs: { node: string; display_node: string; files: Picture[] }[] }>(`${API}/jobs/${job}`)).outputs;
}

export async function workflowOf(job: string): Promise<string> {
  return (await ask(`${API}/jobs/${job}/workflow`)).text();
}

export async function cancel(job: string): Promise<void> {
  await ask(`${API}/jobs/${job}/cancel`, { method: "POST" });
}

export async function retry(job: string): Promise<void> {
  await ask(`${API}/jobs/${job}/retry`, { method: "POST" });
}

// Workflows

export async function validate(text: string): Promise<readonly Problem[]> {
  return (await json<{ problems: Problem[] }>(`${API}/workflows/validate`, post(text))).problems;
}

/** A workflow of any format, or a picture that carries one, in another format. */
export async function convert(body: Blob | string, to: "darkroom" | "api" | "editor"): Promise<string> {
  const type = typeof body === "string" ? "application/json" : body.type || "application/json";
  return (await ask(`${API}/workflows/convert?to=${to}`, post(body, { "Content-Type": type }))).text();
}

// Pictures

export function pictureUrl(picture: { filename: string; subfolder?: string; type: string }): Picture {
  const name = picture.subfolder ? `${picture.subfolder}/${picture.filename}` : picture.filename;
  return { name, kind: picture.type, url: `${API}/files/${picture.type}?name=${encodeURIComponent(name)}` };
}

export function inputUrl(name: string): string {
  return `${API}/files/input?name=${encodeURIComponent(name)}`;
}

/** Puts a picture into the input folder and gives its name there. */
export async function upload(file: File): Promise<string> {
  const form = new FormData();
  form.append("file", file);
  const told = await json<{ assets: { name: string }[] }>(`${API}/assets`, { method: "POST", body: form });
  return told.assets[0]?.name ?? file.name;
}
