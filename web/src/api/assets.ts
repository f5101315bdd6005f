/** The server's API for files that went in and came out. */

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

export interface AssetDetail extends Asset {
  readonly width: number | null;
  readonly height: number | null;
  readonly workflow: object | null;
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

export async function assetDetail(kind: string, name: string): Promise<AssetDetail> {
  return json(addressOf(kind, name));
}

export async function deleteAsset(kind: string, name: string): Promise<void> {
  await ask(addressOf(kind, name), { method: "DELETE" });
}

export function thumbnailUrl({ kind, name }: { readonly kind: string; readonly name: string }, size: number): string {
  return `${addressOf(kind, name)}/thumbnail?size=${size}`;
}

export const fileUrl = (kind: string, name: string): string => `${API}/files/${kind}?name=${encodeURIComponent(name)}`;
