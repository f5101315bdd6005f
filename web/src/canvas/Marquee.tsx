import { useRef, useState, type MouseEvent, type PointerEvent } from "react";
import { select } from "../editor";
import { nodesIn, type Box } from "./boxes";
import type { Scene } from "./flow";
import { onCanvas } from "./view";

interface Start {
  readonly x: number;
  readonly y: number;
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

/** Chooses with a rectangle, drawn with Shift: also what is no element of the page. */
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
    select(nodesIn(scene, { x: left, y: top, width: right - left, height: bottom - top }));
  };
  return {
    box,
    handlers: {
      onPointerDownCapture: (event) => {
        drawn.current = false;
        if (begins(event)) start.current = { x: event.clientX, y: event.clientY };
      },
      onMouseDownCapture: (event) => {
        if (start.current) event.stopPropagation();
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

function begins({ shiftKey, button, isPrimary, target }: PointerEvent): boolean {
  return shiftKey && button === 0 && isPrimary && target instanceof Element && !target.closest(".nodrag, input, textarea, .react-flow__handle, .map");
}

function between(a: Start, b: Start): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) };
}

export function Marquee({ box }: Pick<MarqueeGesture, "box">) {
  if (!box) return null;
  return <div className="marquee" style={{ left: box.x, top: box.y, width: box.width, height: box.height }} />;
}
