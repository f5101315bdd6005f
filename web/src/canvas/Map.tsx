import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useRef, type PointerEvent } from "react";
import { useTheme } from "../settings";
import { T } from "../texts";
import { boxOf, sceneBox, seenBox, type Box, type View } from "./boxes";
import type { Scene } from "./flow";
import { readPalette } from "./palette";

const SIZE = { width: 200, height: 150 };
/** The map is painted at most so often (ms). */
const EVERY = 200;
const EMPTY: Box = { x: 0, y: 0, width: 1, height: 1 };

interface Scale {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

/** The whole workflow in small, and which part of it is seen; drag in it to look elsewhere. */
export function MapOfAll({ scene }: { readonly scene: Scene }) {
  const flow = useReactFlow();
  const store = useStoreApi();
  const canvas = useRef<HTMLCanvasElement>(null);
  const seen = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const scale = useMemo(() => scaleOf(sceneBox(scene) ?? EMPTY), [scene]);
  const colour = useMemo(() => ({ theme, value: readPalette().of("--strong-line") }).value, [theme]);
  usePaintedMap(canvas, scene, scale, colour);
  useEffect(() => {
    const place = (): void => {
      if (seen.current) placeSeen(seen.current, store.getState(), scale);
    };
    place();
    return store.subscribe((now, before) => {
      if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) place();
    });
  }, [store, scale]);
  const look = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.buttons !== 1) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const { transform } = store.getState();
    void flow.setCenter((event.clientX - left) / scale.zoom + scale.x, (event.clientY - top) / scale.zoom + scale.y, { zoom: transform[2] });
  };
  return (
    <div
      className="map"
      role="img"
      aria-label={T.canvas.minimap}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        look(event);
      }}
      onPointerMove={look}
      onWheel={(event) => {
        void flow.zoomTo(flow.getZoom() * 2 ** (-event.deltaY * 0.002));
      }}
    >
      <canvas ref={canvas} style={SIZE} />
      <div ref={seen} className="map-seen" />
    </div>
  );
}

/** How the map shows a box of the canvas: whole and in its middle. */
function scaleOf(box: Box): Scale {
  const zoom = Math.min(SIZE.width / (box.width * 1.1), SIZE.height / (box.height * 1.1), 0.15);
  return { zoom, x: box.x + box.width / 2 - SIZE.width / zoom / 2, y: box.y + box.height / 2 - SIZE.height / zoom / 2 };
}

function placeSeen(element: HTMLElement, view: View, { zoom, x, y }: Scale): void {
  const box = seenBox(view);
  element.style.transform = `translate(${(box.x - x) * zoom}px, ${(box.y - y) * zoom}px)`;
  [element.style.width, element.style.height] = [`${box.width * zoom}px`, `${box.height * zoom}px`];
}

function usePaintedMap(canvas: React.RefObject<HTMLCanvasElement | null>, scene: Scene, scale: Scale, colour: string): void {
  const last = useRef(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      last.current = performance.now();
      if (canvas.current) paintMap(canvas.current, scene, scale, colour);
    }, Math.max(0, last.current + EVERY - performance.now()));
    return () => {
      clearTimeout(timer);
    };
  }, [canvas, scene, scale, colour]);
}

function paintMap(canvas: HTMLCanvasElement, scene: Scene, { zoom, x, y }: Scale, colour: string): void {
  const to = canvas.getContext("2d");
  if (!to) return;
  [canvas.width, canvas.height] = [SIZE.width * devicePixelRatio, SIZE.height * devicePixelRatio];
  to.scale(devicePixelRatio, devicePixelRatio);
  to.fillStyle = colour;
  for (const node of scene.nodes.values()) {
    const box = boxOf(node);
    to.globalAlpha = node.type === "group" ? 0.3 : 1;
    to.fillRect((box.x - x) * zoom, (box.y - y) * zoom, Math.max(box.width * zoom, 1), Math.max(box.height * zoom, 1));
  }
}
