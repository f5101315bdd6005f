/** Space that is held moves the canvas with the pointer, over nodes too; pressed alone it does what it stands for. */

import type { Point } from "../document/commands";
import { panBy } from "./view";

/** From the press of Space until it is let go. */
export function holdSpace(run: () => void): void {
  const end = new AbortController();
  let from: Point | null = null;
  let isUsed = false;
  const on = <Kind extends keyof DocumentEventMap>(kind: Kind, hear: (event: DocumentEventMap[Kind]) => void): void => {
    document.addEventListener(kind, hear, { capture: true, signal: end.signal });
  };
  const swallow = (event: Event): void => {
    if (!isOnCanvas(event)) return;
    event.stopPropagation();
    event.preventDefault();
  };
  on("pointerdown", (event) => {
    if (!isOnCanvas(event)) return;
    [from, isUsed] = [[event.clientX, event.clientY], true];
    swallow(event);
  });
  on("pointermove", ({ clientX, clientY }) => {
    if (!from) return;
    panBy(clientX - from[0], clientY - from[1]);
    from = [clientX, clientY];
  });
  on("pointerup", () => {
    from = null;
  });
  for (const kind of ["mousedown", "click", "dblclick"] as const) on(kind, swallow);
  on("keyup", ({ key }) => {
    if (key !== " ") return;
    end.abort();
    if (!isUsed) run();
  });
  window.addEventListener("blur", () => { end.abort(); }, { signal: end.signal });
}

const isOnCanvas = ({ target }: Event): boolean => target instanceof Element && target.closest("main.canvas") !== null;
