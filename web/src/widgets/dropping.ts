/** Pictures that are dropped on a node or on the canvas, or pasted. */

import type { DragEvent } from "react";
import { trying } from "../actions";
import { Refused } from "../api/client";
import { pointerOnCanvas } from "../canvas/view";
import { setValue, type Point } from "../document/commands";
import type { Id } from "../document/document";
import type { NodeType } from "../document/schema";
import { nodeId, run, selectedNodes, useEditor, workflow } from "../editor";
import { openFile } from "../files";
import { assetIn, inputNameOf } from "../jobs/dragging";
import { addPicture, givePicture, holdsPicture, pictureIn, pictureInput } from "./pictures";

interface DropProps {
  readonly onDragOver?: (event: DragEvent<HTMLElement>) => void;
  readonly onDragLeave?: (event: DragEvent<HTMLElement>) => void;
  readonly onDrop?: (event: DragEvent<HTMLElement>) => void;
}

const OVER = "dropping-picture";

/** What makes a node that loads a picture take one that is dropped on it; nothing for other nodes. */
export function pictureDrop(id: Id, type: NodeType): DropProps {
  const input = pictureInput(type);
  if (!input) return {};
  return {
    onDragOver: (event) => {
      if (!holdsPicture(event.dataTransfer)) return;
      event.preventDefault();
      event.stopPropagation();
      event.currentTarget.classList.add(OVER);
    },
    onDragLeave: (event) => {
      event.currentTarget.classList.remove(OVER);
    },
    onDrop: (event) => {
      event.currentTarget.classList.remove(OVER);
      const [asset, file] = [assetIn(event.dataTransfer), event.dataTransfer.files[0]];
      event.preventDefault();
      event.stopPropagation();
      if (asset) run(setValue(id, input.name, inputNameOf(asset)));
      else if (file) trying(() => givePicture(id, input, file));
    },
  };
}

/** Opens the workflows of files that were dropped on the canvas; a picture without one gets a node that loads it. */
export function dropFiles(files: readonly File[], at: Point): void {
  trying(async () => {
    for (const file of files) await openOrLoad(file, at);
  });
}

async function openOrLoad(file: File, at: Point): Promise<void> {
  try {
    await openFile(file);
  } catch (error) {
    if (!file.type.startsWith("image/") || !hasNoWorkflow(error)) throw error;
    await addPicture(file, at);
  }
}

function hasNoWorkflow(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Refused && cause.problems.some((problem) => problem.code === "no_workflow");
}

/** Pastes a picture into the node that has the focus or is selected, else as a new node; tells whether there is one. */
export function pastePicture(data: DataTransfer, target: EventTarget | null): boolean {
  const file = pictureIn(data);
  if (!file) return false;
  const place = target instanceof Element ? target.closest<HTMLElement>("[data-id^='n/']")?.dataset["id"] : undefined;
  const [first, ...others] = place ? [nodeId(place)] : selectedNodes();
  const node = first !== undefined && !others.length ? workflow().nodes.get(first) : undefined;
  const input = pictureInput(node && useEditor.getState().types.get(node.type));
  trying(() => (first !== undefined && input ? givePicture(first, input, file) : addPicture(file, pointerOnCanvas())));
  return true;
}

const WRITES = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Whether what happens at an element is about the text in it. */
export const isWriting = (target: EventTarget | null): boolean => target instanceof Element && target.closest(WRITES) !== null;
