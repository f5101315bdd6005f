/** Results that are dragged onto an input or the canvas. */

import { setValue, addNode, type Point } from "../document/commands";
import { freshId } from "../document/document";
import { mediaOf } from "./media";
import { flowId, nodeId, run, select, typeOf, useEditor, workflow } from "../editor";

export const DRAGGED_ASSET = "application/x-darkroom-asset";

/** A file of the output, input or temp folder. */
export interface DraggedAsset {
  readonly kind: string;
  readonly name: string;
}

/** What is carried: for our inputs, and the address for everybody else. */
export function carryAsset(data: DataTransfer, { kind, name, url }: DraggedAsset & { readonly url: string }): void {
  const address = new URL(url, location.href).href;
  data.setData(DRAGGED_ASSET, JSON.stringify({ kind, name }));
  data.setData("text/uri-list", address);
  data.setData("DownloadURL", `application/octet-stream:${name.split("/").at(-1) ?? name}:${address}`);
  data.effectAllowed = "copyLink";
}

export const carriesAsset = (data: DataTransfer): boolean => data.types.includes(DRAGGED_ASSET);

export function assetIn(data: DataTransfer): DraggedAsset | null {
  try {
    const found = JSON.parse(data.getData(DRAGGED_ASSET)) as Partial<DraggedAsset> | null;
    return typeof found?.kind === "string" && typeof found.name === "string" ? { kind: found.kind, name: found.name } : null;
  } catch {
    return null; // something else is dragged
  }
}

/** How an input of the input folder names a file elsewhere: "fox.png [output]". */
export const inputNameOf = ({ kind, name }: DraggedAsset): string => (kind === "input" ? name : `${name} [${kind}]`);

/** Puts a dropped picture into the node it was dropped on, where that takes one, else into a new node at this place. */
export function dropAsset(asset: DraggedAsset, on: string | undefined, at: Point): void {
  if (mediaOf(asset.name) !== "image") return;
  const id = on?.startsWith(flowId("")) ? nodeId(on) : undefined;
  const node = id === undefined ? undefined : workflow().nodes.get(id);
  const input = node && id !== undefined ? typeOf(id, node).inputs.find((item) => item.widget?.kind === "image") : undefined;
  if (id !== undefined && input) run(setValue(id, input.name, inputNameOf(asset)));
  else addLoader(asset, at);
}

const LOADER = "LoadImage";

function addLoader(asset: DraggedAsset, [x, y]: Point): void {
  const id = freshId(workflow(), LOADER);
  const input = useEditor.getState().types.get(LOADER)?.inputs.find((item) => item.widget?.kind === "image");
  run(addNode(id, LOADER, [Math.round(x), Math.round(y)], new Map([[input?.name ?? "image", inputNameOf(asset)]])));
  select([flowId(id)]);
}
