/** The server's API for saved workflows, templates and what is missing. */

import { API, ask, json, JSON_HEADERS, post } from "./client";

export interface Entry {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Version {
  readonly id: string;
  readonly etag: string;
  readonly saved: number;
  readonly size: number;
  /** Saved without being asked for. */
  readonly auto: boolean;
}

export interface Template {
  readonly name: string;
  readonly title: string;
  readonly category: string;
  readonly pack: string;
  readonly notes: readonly string[];
  readonly picture: string | null;
  readonly models: readonly { readonly kind: string; readonly name: string; readonly here: boolean }[];
  readonly unknown: readonly string[];
}

export interface Match {
  readonly name: string;
  readonly why: "hash" | "name" | "alike";
  readonly likeness: number;
  readonly family: string | null;
}

export interface MissingFile {
  readonly node: string;
  readonly input: string;
  readonly kind: string;
  readonly name: string;
  readonly hash: string;
  readonly url: string;
  readonly matches: readonly Match[];
  readonly pending: boolean;
}

export interface MissingType {
  readonly type: string;
  readonly nodes: readonly string[];
  readonly pack: string;
  readonly url: string;
}

export interface Missing {
  readonly types: readonly MissingType[];
  readonly files: readonly MissingFile[];
}

/** A workflow's text with the tag of its file. */
export interface Stored {
  readonly text: string;
  readonly etag: string;
}

const at = (name: string, more = ""): string => `${API}/workflows/${encodeURIComponent(name)}${more}`;
const unquoted = (tag: string | null): string => (tag ?? "").replace(/^W\//, "").replaceAll('"', "");

export async function savedWorkflows(deleted = false): Promise<readonly Entry[]> {
  return (await json<{ workflows: Entry[] }>(`${API}/workflows?limit=1000${deleted ? "&deleted=true" : ""}`)).workflows;
}

export async function loadWorkflow(name: string, version = ""): Promise<Stored> {
  const response = await ask(at(name, version ? `?version=${encodeURIComponent(version)}` : ""));
  return { text: await response.text(), etag: unquoted(response.headers.get("ETag")) };
}

/** The workflow if it is not the one of this tag any more, null elsewhere. */
export async function loadNewer(name: string, etag: string): Promise<Stored | null> {
  const response = await fetch(at(name), { headers: { "If-None-Match": `"${etag}"` } }).catch(() => null);
  if (!response?.ok) return null;
  const found = unquoted(response.headers.get("ETag"));
  return found === etag ? null : { text: await response.text(), etag: found };
}

/** Saves over the file of a tag, over nothing (null), or over whatever is there ("*"). Gives the new tag. */
export async function saveWorkflow(name: string, text: string, over: string | null, auto = false): Promise<string> {
  const condition: Record<string, string> = over === null ? { "If-None-Match": "*" } : over === "*" ? {} : { "If-Match": `"${over}"` };
  const options = { method: "PUT", body: text, headers: { ...JSON_HEADERS, ...condition } };
  return (await json<{ etag: string }>(at(name, auto ? "?auto=true" : ""), options)).etag;
}

export async function renameWorkflow(name: string, to: string): Promise<void> {
  await ask(at(name, "/rename"), post(JSON.stringify({ to })));
}

export async function deleteWorkflow(name: string): Promise<void> {
  await ask(at(name), { method: "DELETE" });
}

export async function versionsOf(name: string): Promise<readonly Version[]> {
  return (await json<{ versions: Version[] }>(at(name, "/versions"))).versions;
}

export async function templates(): Promise<readonly Template[]> {
  return (await json<{ templates: Template[] }>(`${API}/templates`)).templates;
}

export async function loadTemplate(name: string): Promise<string> {
  return (await ask(`${API}/templates/${encodeURIComponent(name)}`)).text();
}

export async function missingIn(text: string, hash = false): Promise<Missing> {
  return json(`${API}/workflows/missing${hash ? "?hash=true" : ""}`, post(text));
}

/** A small picture of the last picture of each workflow, by the title its jobs had. */
export async function lastPictures(): Promise<ReadonlyMap<string, string>> {
  const { jobs } = await json<{ jobs: Listed[] }>(`${API}/jobs?state=done&outputs=true&limit=300`);
  const found = new Map<string, string>();
  for (const { title, outputs } of jobs) {
    const file = outputs?.flatMap((output) => output.files).find(({ name, kind }) => kind === "output" && /\.(png|jpe?g|webp)$/i.test(name));
    if (title && file && !found.has(title)) found.set(title, `${API}/assets/output/${encodeURIComponent(file.name)}/thumbnail?size=256`);
  }
  return found;
}

interface Listed {
  readonly title: string;
  readonly outputs: readonly { readonly files: readonly { readonly name: string; readonly kind: string }[] }[] | null;
}
