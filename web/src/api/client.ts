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
  /** What is "todo" the editor tells apart (see document/todo.ts); the server does not. */
  readonly severity: "error" | "warning" | "todo";
  /** What the server called what is "todo". */
  readonly told?: Problem["severity"];
  /** The fix for programs, where one can make it. */
  readonly repair?: Repair | null;
}

/** What is done at the problem's node. safe: nothing is guessed and nothing is lost. */
export interface Repair {
  readonly action: "set" | "link" | "remove" | "rename" | "retype" | "unmute" | "lora";
  readonly value: unknown;
  readonly safe: boolean;
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

// Workflows

/** What is known of an output before anything runs. */
export interface Facts {
  readonly width?: number;
  readonly height?: number;
  readonly batch?: number;
  readonly family?: string;
  readonly latents?: string;
}

export interface Verdict {
  readonly problems: readonly Problem[];
  /** By node and output. */
  readonly facts: Readonly<Record<string, Readonly<Record<string, Facts>>>>;
}

export async function validate(text: string): Promise<Verdict> {
  return json<Verdict>(`${API}/workflows/validate`, post(text));
}

/** A workflow of any format, or a picture that carries one, in another format. */
export async function convert(body: Blob | string, to: "darkroom" | "api" | "editor"): Promise<string> {
  const type = typeof body === "string" ? "application/json" : body.type || "application/json";
  return (await ask(`${API}/workflows/convert?to=${to}`, post(body, { "Content-Type": type }))).text();
}

// Pictures

export const fileUrl = (kind: string, name: string): string => `${API}/files/${kind}?name=${encodeURIComponent(name)}`;

/** The address of the picture that an input of a folder names. */
export function inputUrl(input: string, folder = "input"): string {
  const { kind, name } = placeOf(folder, input);
  return fileUrl(kind, name);
}

/** Where the picture lies that an input of a folder names; "fox.png [output]" lies in the output folder. */
export function placeOf(folder: string, name: string): { readonly kind: string; readonly name: string } {
  const [, file = name, kind = folder] = /^(.*?)\s*\[(input|output|temp)\]$/.exec(name) ?? [];
  return { kind, name: file };
}

/** Puts a picture into the input folder and gives its name there. */
export async function upload(file: File): Promise<string> {
  const form = new FormData();
  form.append("file", file);
  const told = await json<{ assets: { name: string }[] }>(`${API}/assets`, { method: "POST", body: form });
  return told.assets[0]?.name ?? file.name;
}
