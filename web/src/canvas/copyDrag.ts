/** Alt and a drag: copies of what is under the pointer, or of all that is selected, come along with it. */

import { useRef, type MouseEvent, type PointerEvent } from "react";
import { clipOfSelected, pasteClip } from "../clips";
import { paste, type Clip } from "../document/clips";
import type { Point } from "../document/commands";
import type { Workflow } from "../document/document";
import { flowId, run, select, useEditor, workflow } from "../editor";
import { useSettings } from "../settings";
import { contentsOf, itemIn } from "./chosen";
import { onCanvas } from "./view";

/** A pointer that moved less than this clicks. */
const CLICK = 4;
const NO_DRAG = ".nodrag, input, textarea, .react-flow__handle";

interface Copying {
  readonly screen: Point;
  readonly from: Point;
  /** What is copied, by flow id. */
  readonly flow: string;
  readonly gesture: string;
  /** What is copied into what; not known before the pointer has moved. */
  readonly made?: { readonly clip: Clip; readonly base: Workflow };
}

export type CopyGesture = {
  readonly onPointerDownCapture: (event: PointerEvent) => void;
  readonly onMouseDownCapture: (event: MouseEvent) => void;
  readonly onPointerMoveCapture: (event: PointerEvent) => void;
  readonly onPointerUpCapture: () => void;
};

export function useCopyDrag(): CopyGesture {
  const copying = useRef<Copying | null>(null);
  return {
    onPointerDownCapture: (event) => {
      copying.current = begun(event);
    },
    onMouseDownCapture: (event) => {
      if (!copying.current) return;
      event.stopPropagation();
      event.preventDefault();
    },
    onPointerMoveCapture: (event) => {
      if (!copying.current) return;
      const { screen, made } = copying.current;
      if (!made && Math.hypot(event.clientX - screen[0], event.clientY - screen[1]) < CLICK) return;
      if (!made) copying.current = withCopies(copying.current);
      event.currentTarget.setPointerCapture(event.pointerId);
      moveCopies(copying.current, onCanvas([event.clientX, event.clientY]));
    },
    onPointerUpCapture: () => {
      copying.current = null;
    },
  };
}

function begun({ altKey, shiftKey, ctrlKey, button, isPrimary, target, clientX, clientY, timeStamp }: PointerEvent): Copying | null {
  if (!altKey || shiftKey || ctrlKey || button !== 0 || !isPrimary || !(target instanceof Element) || target.closest(NO_DRAG)) return null;
  const flow = target.closest<HTMLElement>(".react-flow__node")?.dataset["id"];
  const screen: Point = [clientX, clientY];
  return flow === undefined ? null : { screen, from: onCanvas(screen), flow, gesture: `copy ${timeStamp}` };
}

function withCopies(copying: Copying): Copying {
  const group = itemIn(copying.flow);
  const inside = group?.list === "groups" ? contentsOf(group.index).map(flowId) : [];
  if (!useEditor.getState().selection.has(copying.flow)) select([copying.flow, ...inside]);
  const made = { clip: clipOfSelected(), base: workflow() };
  pasteClip(made.clip, [0, 0], copying.gesture);
  return { ...copying, made };
}

/** Pastes anew into what was there before, so that nothing else moves. */
function moveCopies({ made, from, gesture }: Copying, to: Point): void {
  if (!made) return;
  const snap = useSettings.getState().values.snap || 1;
  const stepped = (length: number): number => Math.round(length / snap) * snap;
  run(() => paste(made.clip, [stepped(to[0] - from[0]), stepped(to[1] - from[1])])(made.base), gesture);
}
