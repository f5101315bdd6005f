/** Pictures that become the value of a node: uploaded, pasted, dropped from a folder or from the results. */

import { addNode, readFiles } from "../actions";
import { upload } from "../api/client";
import { setValue, type Point } from "../document/commands";
import type { Id } from "../document/document";
import type { NodeType } from "../document/schema";
import type { WidgetOf } from "../document/widgets";
import { run, useEditor } from "../editor";
import { carriesAsset } from "../jobs/dragging";
import { W } from "./texts";

const LOADER = "LoadImage";

export interface PictureInput {
  readonly name: string;
  readonly widget: WidgetOf<"image" | "file">;
}

/** The input of a node type that takes a picture file, undefined where there is none. */
export function pictureInput(type: NodeType | undefined): PictureInput | undefined {
  const input = type?.inputs.find(({ widget }) => widget?.kind === "image");
  return input?.widget?.kind === "image" ? { name: input.name, widget: input.widget } : undefined;
}

/** Puts a file into the folder of a widget and gives its name there. Throws a sentence. */
export async function uploaded(file: File, { folder, accept }: PictureInput["widget"]): Promise<string> {
  const kind = accept.split("/")[0];
  if (kind && kind !== "*" && file.type && !file.type.startsWith(`${kind}/`)) throw new Error(W.noPicture(file.name));
  try {
    const name = await upload(file);
    await readFiles(folder);
    return name;
  } catch (error) {
    throw new Error(W.uploadFailed(file.name, error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

/** Makes a file the value of a node's picture input. */
export async function givePicture(id: Id, { name, widget }: PictureInput, file: File): Promise<void> {
  const value = await uploaded(file, widget);
  run(setValue(id, name, value));
}

/** Adds a node that loads a picture. */
export async function addPicture(file: File, at: Point): Promise<void> {
  const type = useEditor.getState().types.get(LOADER);
  const input = pictureInput(type);
  if (!type || !input) return;
  const name = await uploaded(file, input.widget);
  const id = addNode(type, { at, screen: at, wanted: {} });
  run(setValue(id, input.name, name));
}

export const holdsPicture = (data: DataTransfer): boolean => carriesAsset(data) || data.types.includes("Files");

/** The first picture among the files that were dropped or pasted. */
export const pictureIn = (data: DataTransfer): File | undefined => [...data.files].find(({ type }) => type.startsWith("image/"));
