/** The server's API for files that went in and came out. */

import { readWorkflow, type Workflow } from "../document/document";
import { asNumber, asText, isObject, parseJson, printJson } from "../document/json";
import { API, ask, json } from "./client";

export type AssetKind = "output" | "input" | "temp";

export interface Asset {
  readonly kind: AssetKind;
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  readonly type: string;
  readonly url: string;
}

/** What is in a picture. workflow: the one it carries, its seeds digit by digit. */
export interface PictureDetail {
  readonly name: string;
  readonly size: number;
  readonly modified: number;
  readonly width: number;
  readonly height: number;
  readonly workflow: Workflow | null;
}

export interface AssetsAsked {
  readonly kind: AssetKind;
  readonly search: string;
  readonly sort: "newest" | "name";
  readonly limit: number;
  readonly offset: number;
}

export async function assets(asked: AssetsAsked): Promise<{ readonly assets: readonly Asset[]; readonly total: number }> {
  const query = new URLSearchParams(Object.entries(asked).map(([key, value]) => [key, String(value)]));
  return json(`${API}/assets?${query.toString()}`);
}

const addressOf = (kind: string, name: string): string => `${API}/assets/${kind}/${encodeURIComponent(name)}`;

export async function pictureDetail(kind: string, name: string): Promise<PictureDetail> {
  const told = parseJson(await (await ask(addressOf(kind, name))).text());
  const found = isObject(told) ? told : new Map();
  const count = (key: string): number => asNumber(found.get(key), 0);
  const workflow = found.get("workflow");
  return {
    name: asText(found.get("name")),
    size: count("size"),
    modified: count("modified"),
    width: count("width"),
    height: count("height"),
    workflow: isObject(workflow) ? readWorkflow(printJson(workflow)) : null,
  };
}

export async function deleteAsset(kind: string, name: string): Promise<void> {
  await ask(addressOf(kind, name), { method: "DELETE" });
}

export function thumbnailUrl({ kind, name }: { readonly kind: string; readonly name: string }, size: number): string {
  return `${addressOf(kind, name)}/thumbnail?size=${size}`;
}
