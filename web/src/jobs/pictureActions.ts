/** What people do with a picture that was made. */

import { SEED_KEY } from "../actions";
import { pictureDetail } from "../api/assets";
import { readWorkflow, type Workflow } from "../document/document";
import { seedsFor, withSeeds } from "../document/picture";
import { printJson } from "../document/json";
import { open, runWhole, tell, useEditor, whole } from "../editor";
import * as api from "../api/jobs";
import { R } from "../texts-runs";

interface Shown {
  readonly kind: string;
  readonly name: string;
  readonly url: string;
  readonly job?: string;
}

/** The workflow that made a picture: of its job, else the one it carries. */
async function workflowOf(shot: Shown): Promise<Workflow> {
  if (shot.job) return readWorkflow(await api.workflowOf(shot.job));
  const { workflow: found } = await pictureDetail(shot.kind, shot.name);
  if (!found) throw new Error(R.full.facts.none);
  return found;
}

export async function openPicture(shot: Shown): Promise<void> {
  open(await workflowOf(shot), "", null);
}

/** Sets the seeds that made a picture in the workflow that is open, and keeps them. */
export async function seedsOf(shot: Shown): Promise<void> {
  const seeds = seedsFor(whole(), await workflowOf(shot), useEditor.getState().types);
  const [first] = seeds;
  if (!first) throw new Error(R.full.noSeed);
  runWhole(withSeeds(whole(), seeds, SEED_KEY));
  tell(R.full.seedUsed(printJson(first.seed), seeds.length));
}

/** Puts a picture into the clipboard, as PNG: the one format that every browser takes. */
export async function copyPicture({ url }: Shown): Promise<void> {
  await navigator.clipboard.write([new ClipboardItem({ "image/png": pngOf(url) })]);
  tell(R.full.copied);
}

async function pngOf(url: string): Promise<Blob> {
  const found = await (await fetch(url)).blob();
  if (found.type === "image/png") return found;
  const bitmap = await createImageBitmap(found);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
