/** The files that nodes may choose, a page at a time. */

import { T } from "../texts";
import { API, json, post } from "./client";
import { thumbnailUrl } from "./assets";

/** A file that a node may choose. hint: what is known of it; picture: the address of a small one, or "". */
export interface FileOption {
  readonly name: string;
  readonly hint: string;
  readonly family: string;
  readonly picture: string;
}

/** Some files of a folder; total: how many there are that fit. */
export interface FilePage {
  readonly files: readonly FileOption[];
  readonly total: number;
  /** Whether the server is still reading what some of them are. */
  readonly isPending?: boolean;
}

export const NO_FILES: FilePage = { files: [], total: 0 };
const WORK: readonly string[] = ["input", "output", "temp"];
const PICTURE = /\.(png|jpe?g|webp|gif|bmp|avif|tiff?)$/i;
const ASSETS_PAGE = 1000;
const MODELS_PAGE = 200;

/** The files of a folder whose names hold words, from the one at `offset` on, as far as a page goes. wait: seconds for what is not known yet. */
export async function filesOf(folder: string, words = "", offset = 0, wait = 0): Promise<FilePage> {
  const search = `search=${encodeURIComponent(words)}&offset=${offset}`;
  if (WORK.includes(folder)) {
    const page = await json<{ assets: { name: string }[]; total: number }>(`${API}/assets?kind=${folder}&sort=name&limit=${ASSETS_PAGE}&${search}`);
    return { total: page.total, files: page.assets.map(({ name }) => ({ name, hint: "", family: "", picture: pictureOf(folder, name) })) };
  }
  const page = await json<{ models: ToldModel[]; total: number }>(`${API}/models/files?kind=${encodeURIComponent(folder)}&limit=${MODELS_PAGE}&wait=${wait}&${search}`);
  return { total: page.total, files: page.models.map(modelOption), isPending: page.models.some(({ pending }) => pending) };
}

interface ToldModel {
  readonly name: string;
  readonly size: number;
  readonly family: string | null;
  readonly preview: string | null;
  readonly pending: boolean;
}

function modelOption({ name, size, family, preview }: ToldModel): FileOption {
  return { name, hint: [family, T.size(size)].filter(Boolean).join(" · "), family: family ?? "", picture: preview ?? "" };
}

const pictureOf = (kind: string, name: string): string => (PICTURE.test(name) ? thumbnailUrl({ kind, name }, 64) : "");

/** The tokens of a prompt and the chunks they fill. */
export async function countTokens(text: string, signal: AbortSignal): Promise<{ readonly tokens: number; readonly chunks: number }> {
  return json(`${API}/prompts/tokens`, { ...post(JSON.stringify({ text })), signal });
}

/** The addresses of the modules that plugins bring to the editor. */
export async function pluginModules(): Promise<readonly string[]> {
  return (await json<{ modules: string[] }>(`${API}/plugins/modules`)).modules;
}

/** Keeps a picture of the folder `kind` again, with a mask (a PNG, white where it applies); gives its name in the input folder. */
export async function keepMask(kind: string, name: string, mask: Blob): Promise<string> {
  const place = `${API}/assets/${kind}/${encodeURIComponent(name)}/mask`;
  const told = await json<{ assets: { name: string }[] }>(place, post(mask, { "Content-Type": "image/png" }));
  return told.assets[0]?.name ?? name;
}

/** The address of a picture without its transparency. */
export const opaqueUrl = (kind: string, name: string): string => `${API}/assets/${kind}/${encodeURIComponent(name)}/opaque`;
