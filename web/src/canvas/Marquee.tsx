import { useRef, useState, type MouseEvent, type PointerEvent } from "react";
import { select, useEditor } from "../editor";
import { nodesIn, type Box } from "./boxes";
import type { Scene } from "./flow";
import { onCanvas } from "./view";

interface Start {
  readonly x: number;
  readonly y: number;
  /** What was selected and stays so: with both Shift and Ctrl the frame adds. */
  readonly kept: readonly string[];
}

/** A pointer that moved less than this clicks. */
const CLICK = 4;

export interface MarqueeGesture {
  /** The rectangle on the screen while it is drawn. */
  readonly box: Box | null;
  readonly handlers: {
    readonly onPointerDownCapture: (event: PointerEvent) => void;
    readonly onMouseDownCapture: (event: MouseEvent) => void;
    readonly onClickCapture: (event: MouseEvent) => void;
    readonly onPointerMoveCapture: (event: PointerEvent) => void;
    readonly onPointerUpCapture: (event: PointerEvent) => void;
  };
}

/** Chooses with a rectangle, drawn with Shift or Ctrl: also what is no element of the page. */
export function useMarquee(scene: Scene): MarqueeGesture {
  const start = useRef<Start | null>(null);
  const drawn = useRef(false);
  const [box, setBox] = useState<Box | null>(null);
  const onPointerMoveCapture = (event: PointerEvent): void => {
    if (!start.current) return;
    const next = between(start.current, { x: event.clientX, y: event.clientY });
    if (!drawn.current && Math.max(next.width, next.height) < CLICK) return;
    if (!drawn.current) event.currentTarget.setPointerCapture(event.pointerId);
    drawn.current = true;
    setBox(next);
    const [left, top] = onCanvas([next.x, next.y]);
    const [right, bottom] = onCanvas([next.x + next.width, next.y + next.height]);
    const found = nodesIn(scene, { x: left, y: top, width: right - left, height: bottom - top });
    select([...start.current.kept, ...found]);
  };
  return {
    box,
    handlers: {
      onPointerDownCapture: (event) => {
        drawn.current = false;
        if (begins(event)) start.current = { x: event.clientX, y: event.clientY, kept: keptOf(event) };
      },
      onMouseDownCapture: (event) => {
        if (!start.current) return;
        event.stopPropagation();
        event.preventDefault(); // else a text that was selected grows as far as here
        (event.currentTarget as HTMLElement).focus({ preventScroll: true });
      },
      onClickCapture: (event) => {
        if (drawn.current) event.stopPropagation();
        drawn.current = false;
      },
      onPointerMoveCapture,
      onPointerUpCapture: () => {
        start.current = null;
        setBox(null);
      },
    },
  };
}

const keptOf = (event: PointerEvent): readonly string[] => (event.shiftKey && isCtrl(event) ? [...useEditor.getState().selection] : []);

const isCtrl = ({ ctrlKey, metaKey }: PointerEvent): boolean => ctrlKey || metaKey;

function begins({ shiftKey, ctrlKey, metaKey, button, isPrimary, target }: PointerEvent): boolean {
  return (shiftKey || ctrlKey || metaKey) && button === 0 && isPrimary && target instanceof Element && !target.closest(".nodrag, input, textarea, .react-flow__handle, .map");
}

function between(a: Pick<Start, "x" | "y">, b: Pick<Start, "x" | "y">): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

export function Marquee({ box }: Pick<MarqueeGesture, "box">) {
  if (!box) return null;
  return <div className="marquee" style={{ left: box.x, top: box.y, width: box.width, height: box.height }} />;
}
