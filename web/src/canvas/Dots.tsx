import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import type { View } from "./boxes";

const GAP = 20;
const NARROWEST = 14;

/** The dots behind all: a pattern that is moved, not drawn, while the view moves. */
export function Dots() {
  const store = useStoreApi();
  const dots = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = (): void => {
      if (dots.current) Object.assign(dots.current.style, placeOf(store.getState()));
    };
    place();
    return store.subscribe((now, before) => {
      if (now.transform !== before.transform) place();
    });
  }, [store]);
  return <div ref={dots} className="canvas-dots" aria-hidden />;
}

function placeOf({ transform: [x, y, zoom] }: Pick<View, "transform">): { transform: string; backgroundSize: string; margin: string } {
  let gap = GAP * zoom;
  while (gap < NARROWEST) gap *= 2;
  const shift = (by: number): number => (((by % gap) + gap) % gap) - gap;
  return { transform: `translate(${shift(x)}px, ${shift(y)}px)`, backgroundSize: `${gap}px ${gap}px`, margin: `0 ${-gap}px ${-gap}px 0` };
}
