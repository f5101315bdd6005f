/** The focus is never lost: where what had it is taken away, the canvas gets it. */

import { useOpen } from "../commands/open";
import { useEditor } from "../editor";
import { focusCanvas } from "./view";

export function guardFocus(): () => void {
  let [last, frame]: [EventTarget | null, number] = [null, 0];
  const remember = (event: FocusEvent): void => {
    last = event.target;
  };
  const look = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      const isLost = document.activeElement === document.body && last instanceof Element && !last.isConnected;
      if (isLost) focusCanvas();
    });
  };
  document.addEventListener("focusin", remember);
  const stops = [useEditor.subscribe(look), useOpen.subscribe(look)];
  return () => {
    document.removeEventListener("focusin", remember);
    for (const stop of stops) stop();
  };
}
