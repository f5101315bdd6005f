/** Copy, cut, paste and duplicate what is selected: nodes, groups and notes. */

import { deleteSelected, wouldHoldItself } from "./actions";
import { selectedItems } from "./canvas/chosen";
import { placesOf } from "./canvas/flow";
import { pointerOnCanvas } from "./canvas/view";
import { putText } from "./copying";
import { clipOf, cornerOf, isEmptyClip, paste, readClip, withoutOutsideLinks, writeClip, type Clip } from "./document/clips";
import type { Point } from "./document/commands";
import * as editor from "./editor";
import { T } from "./texts";

const BESIDE: Point = [40, 40];

export function clipOfSelected(): Clip {
  const now = editor.workflow();
  const places = placesOf(now, editor.useEditor.getState().types);
  const cut = { nodes: editor.selectedNodes(), groups: selectedItems("groups"), notes: selectedItems("notes") };
  return clipOf({ ...now, subgraphs: editor.whole().subgraphs }, cut, (id) => places.get(id) ?? [0, 0]);
}

export function copySelected(): void {
  const clip = clipOfSelected();
  if (isEmptyClip(clip)) return;
  editor.useEditor.setState({ clip });
  putText(writeClip(clip)).catch(() => undefined); // for other windows; this one pastes without it, too
  editor.tell(T.told.copied(clip.nodes.size));
}

export function cutSelected(): void {
  copySelected();
  deleteSelected();
}

/** Pastes at a point of the canvas. linked: with links from nodes that were not copied. */
export function pasteAt([x, y]: Point, linked: boolean): void {
  const { clip } = editor.useEditor.getState();
  if (!clip) return;
  const [left, top] = cornerOf(clip);
  pasteClip(linked ? clip : withoutOutsideLinks(clip), [x - left, y - top]);
}

/** Pastes what was copied in another window; whether a text is such a copy. */
export function pasteClipText(text: string): boolean {
  const clip = readClip(text);
  if (!clip) return false;
  editor.useEditor.setState({ clip });
  pasteAt(pointerOnCanvas(), false);
  return true;
}

export function duplicateSelected(): void {
  pasteClip(clipOfSelected(), BESIDE);
}

/** Adds the copies and selects them. */
export function pasteClip(clip: Clip, by: Point, gesture = ""): void {
  if ([...clip.nodes.values()].some(({ type }) => wouldHoldItself(type))) {
    editor.tell(T.subgraphs.contains);
    return;
  }
  const command = paste(clip, by);
  const now = editor.workflow();
  const items = (["groups", "notes"] as const).flatMap((list) => clip[list].map((_, index) => `${list}/${now[list].length + index}`));
  const flows = [...command.idsFor(now).values()].map(editor.flowId);
  editor.run(command, gesture);
  editor.select([...flows, ...items]);
}
