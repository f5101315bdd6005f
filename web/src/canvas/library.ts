/** A node type that is dragged from the library onto the canvas. */

import type { DragEvent } from "react";
import { addNode } from "../actions";
import { useEditor } from "../editor";
import { onCanvas } from "./view";

const KIND = "application/x-darkroom-node";

export function dragType(event: DragEvent, id: string): void {
  event.dataTransfer.setData(KIND, id);
  event.dataTransfer.effectAllowed = "copy";
}

/** Adds the node type that is dropped; does nothing where something else is. */
export function dropNode(event: DragEvent): void {
  const type = useEditor.getState().types.get(event.dataTransfer.getData(KIND));
  const screen = [event.clientX, event.clientY] as const;
  if (type) addNode(type, { at: onCanvas(screen), screen, wanted: {} });
}
