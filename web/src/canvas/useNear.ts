import { useStoreApi, type ReactFlowState } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";
import { NO_SCENE, type Scene } from "./flow";
import { changesOnlyNear, nextNear, NOTHING_NEAR, type Near } from "./near";

/** So many nodes become elements in one frame, so that panning stays smooth; those of a workflow just opened at once. */
const MOST = { frame: 3, opened: 80 };
/** Nothing new becomes an element before the zoom has stood still so long (ms). */
const STILL = 120;

export interface Nearness {
  readonly now: Near;
  /** Makes the node under the pointer an element, whatever the zoom. */
  readonly hold: (id: string | undefined) => void;
}

/** The nodes that are elements now. opened: changes when another workflow is looked at. */
export function useNear(scene: Scene, opened: unknown): Nearness {
  const store = useStoreApi();
  const [now, setNow] = useState(NOTHING_NEAR);
  const watch = useMemo(() => watchNear(store.getState, setNow), [store]);
  useEffect(() => watch.opened(), [watch, opened]);
  useEffect(() => watch.show(scene), [watch, scene]);
  useEffect(() => {
    const stop = store.subscribe((after, before) => {
      if (after.transform !== before.transform || after.width !== before.width || after.height !== before.height)
        watch.moved(after.transform[2] !== before.transform[2]);
    });
    return () => {
      stop();
      watch.stop();
    };
  }, [store, watch]);
  return { now, hold: watch.hold };
}

function watchNear(view: () => ReactFlowState, changed: (near: Near) => void) {
  let [scene, near, held]: [Scene, Near, string] = [NO_SCENE, NOTHING_NEAR, ""];
  let [isOpening, zoomed, frame] = [true, -Infinity, 0];

  const look = (): void => {
    const isStill = performance.now() - zoomed > STILL;
    const most = isOpening ? MOST.opened : isStill ? MOST.frame : 0;
    const next = nextNear(scene, view(), near, heldIn(view(), held), most);
    isOpening &&= !scene.nodes.size;
    if (next.wantsMore) later();
    if (next.near !== near) changed((near = next.near));
  };
  const later = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      look();
    });
  };
  return {
    opened: () => {
      isOpening = true;
    },
    show: (next: Scene) => {
      const isOnlyNear = changesOnlyNear(scene, next, near);
      scene = next;
      if (!isOnlyNear) look();
    },
    moved: (isZoom: boolean) => {
      if (isZoom) zoomed = performance.now();
      later();
    },
    hold: (id = "") => {
      if (id === held) return;
      held = id;
      look();
    },
    stop: () => {
      cancelAnimationFrame(frame);
      frame = 0;
    },
  };
}

/** What must stay an element: the node under the pointer, the one that has the keyboard, the one a link is drawn from. */
function heldIn({ connection }: ReactFlowState, held: string): string[] {
  const focused = document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset["id"] ?? "";
  return [held, focused, connection.inProgress ? connection.fromNode.id : ""].filter(Boolean);
}
