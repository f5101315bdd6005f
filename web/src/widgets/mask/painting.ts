/** Which picture a mask is being painted on. The painter itself is loaded when it is first opened. */

import { create } from "zustand";
import { placeOf } from "../../api/client";
import type { Id } from "../../document/document";
import { selectedNodes, tell, useEditor, workflow } from "../../editor";
import { pictureInput } from "../pictures";
import { M } from "../texts";

/** The folder whose inputs may get a mask: where the masked copy is put. */
export const MASKABLE = "input";

export interface Painting {
  readonly id: Id;
  readonly input: string;
  /** Where the picture lies. */
  readonly kind: string;
  readonly picture: string;
}

export const usePainting = create<{ readonly painting: Painting | null }>(() => ({ painting: null }));

/** Opens the painter for the picture that a node loads. */
export function paintMask(id: Id, input: string): void {
  const picture = workflow().nodes.get(id)?.inputs.get(input);
  if (typeof picture !== "string" || !picture) return tell(M.noImage);
  const place = placeOf(MASKABLE, picture);
  usePainting.setState({ painting: { id, input, kind: place.kind, picture: place.name } });
}

export function stopPainting(): void {
  usePainting.setState({ painting: null });
}

/** Opens the painter for the selected node that loads a picture. */
export function paintMaskOfSelected(): void {
  for (const id of selectedNodes()) {
    const node = workflow().nodes.get(id);
    const input = pictureInput(node && useEditor.getState().types.get(node.type));
    if (!input) continue;
    if (input.widget.folder === MASKABLE) paintMask(id, input.name);
    else tell(M.notInput);
    return;
  }
  tell(M.noImage);
}
