import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { holds, seenBox, type Box, type View } from "./boxes";

const GAP = 20;
/** Dots are further apart where they would come closer than so many pixels on the screen. */
const NARROWEST = 14;
/** Dots lie so many pixels beyond what is seen. */
const MARGIN = 300;
const DOT = 1.6;

/** The dots behind all, as dashed lines: the browser draws them in a tenth of the time that a pattern takes. */
export function Dots() {
  const store = useStoreApi();
  const dots = useRef<SVGGElement>(null);
  useEffect(() => {
    let laid: Laid | undefined;
    const lay = (): void => {
      const view = store.getState();
      if (!dots.current || (laid?.zoom === view.transform[2] && holds(laid.box, seenBox(view)))) return;
      laid = laidFor(view);
      draw(dots.current, laid);
    };
    lay();
    return store.subscribe((now, before) => {
      if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) lay();
    });
  }, [store]);
  return (
    <svg className="canvas-dots" aria-hidden>
      <g ref={dots} />
    </svg>
  );
}

interface Laid {
  readonly box: Box;
  readonly zoom: number;
  readonly gap: number;
}

function laidFor(view: View): Laid {
  const zoom = view.transform[2];
  let gap = GAP;
  while (gap * zoom < NARROWEST) gap *= 2;
  const { x, y, width, height } = seenBox(view, MARGIN);
  const [left, top] = [Math.floor(x / gap) * gap, Math.floor(y / gap) * gap];
  return { box: { x: left, y: top, width: width + gap, height: height + gap }, zoom, gap };
}

function draw(dots: SVGGElement, { box, zoom, gap }: Laid): void {
  const dot = DOT / Math.min(zoom, 1);
  const count = Math.ceil(box.height / gap);
  while (dots.childElementCount < count) dots.append(document.createElementNS("http://www.w3.org/2000/svg", "line"));
  while (dots.childElementCount > count) dots.lastElementChild?.remove();
  [...dots.children].forEach((line, row) => {
    const y = box.y + row * gap;
    setAll(line, { x1: box.x, x2: box.x + box.width, y1: y, y2: y });
  });
  setAll(dots, { "stroke-dasharray": `${dot} ${gap - dot}`, "stroke-width": dot });
}

function setAll(element: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}
