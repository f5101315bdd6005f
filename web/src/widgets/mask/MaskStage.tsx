import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type Ref, type WheelEvent } from "react";
import { M } from "../texts";
import { fillPolygon, floodFill } from "./areas";
import { drawSegment, type Dab } from "./brush";
import { wholeOf, type Mask, type Point, type Rect } from "./buffer";
import { showMask } from "./overlay";
import { addToStroke, beginStroke, dropStroke, endStroke, type Session } from "./session";
import { radiusFor, resized, setTools, useTools, type Tool } from "./tools";
import { fitView, toPicture, zoomed, type View } from "./view";

export interface StageHandle {
  readonly show: (rect: Rect | undefined) => void;
  readonly fit: () => void;
  readonly zoom: (factor: number) => void;
}

interface Props {
  readonly session: Session;
  readonly url: string;
  readonly onPainted: () => void;
  readonly handle: Ref<StageHandle>;
}

/** What the pointer does until it is lifted. */
type Doing = { readonly kind: "stroke"; readonly last: Dab; readonly erases: boolean } | { readonly kind: "pan"; readonly from: Point } | { readonly kind: "area"; readonly erases: boolean };

const PEN_ERASER = 32;
/** The part of a brush's radius that it moves before more of the stroke is drawn. */
const APART = 0.12;
const ARROWS: Readonly<Record<string, Point>> = { ArrowLeft: { x: -1, y: 0 }, ArrowRight: { x: 1, y: 0 }, ArrowUp: { x: 0, y: -1 }, ArrowDown: { x: 0, y: 1 } };
const CLOSE = 10;

/** The picture, the mask over it, and the brush that follows the pointer. */
export function MaskStage({ session, url, onPainted, handle }: Props) {
  const { width, height } = session.mask;
  const { tool, size, hardness, opacity, colour, shown } = useTools();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const doing = useRef<Doing | null>(null);
  const last = useRef<Dab | null>(null);
  const held = useRef(false);
  const [view, setView] = useState<View>({ x: 0, y: 0, zoom: 1 });
  const [draft, setDraft] = useState<readonly Point[]>([]);
  const [pointed, setPointed] = useState<Point | null>(null);

  const show = (rect: Rect | undefined): void => {
    const context = canvas.current?.getContext("2d");
    if (context && rect) showMask(context, session.mask, rect, colour);
  };
  const fit = (): void => {
    if (box.current) setView(fitView(box.current.getBoundingClientRect(), { width, height }));
  };
  const middle = (): Point => ({ x: (box.current?.clientWidth ?? 0) / 2, y: (box.current?.clientHeight ?? 0) / 2 });
  useImperativeHandle(handle, () => ({ show, fit, zoom: (factor) => setView((old) => zoomed(old, factor, middle())) }));
  useLayoutEffect(() => {
    if (box.current) setView(fitView(box.current.getBoundingClientRect(), { width, height }));
  }, [width, height]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) showMask(context, session.mask, wholeOf(session.mask), colour);
  }, [session, colour]);

  const inBox = ({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): Point => {
    const { left, top } = box.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: clientX - left, y: clientY - top };
  };
  const place = (event: { readonly clientX: number; readonly clientY: number }): Point => toPicture(view, inBox(event));
  const draw = (change: (stroke: Mask) => Rect | undefined, erases: boolean): void => show(addToStroke(session, change, opacity, erases));
  const once = (change: (stroke: Mask) => Rect | undefined, erases: boolean): void => {
    beginStroke(session);
    draw(change, erases);
    endStroke(session);
    onPainted();
  };
  const fillDraft = (points: readonly Point[], erases: boolean): void => {
    once((stroke) => fillPolygon(stroke, points), erases);
    setDraft([]);
  };
  const begin = (point: Point, dab: Dab, erases: boolean, straight: boolean): void => {
    if (tool === "fill") once((stroke) => floodFill(session.mask, stroke, point), erases);
    else if (tool === "polygon") addCorner(point, erases);
    else if (tool === "brush" || tool === "eraser") {
      beginStroke(session);
      draw((stroke) => drawSegment(stroke, straight && last.current ? last.current : dab, dab, hardness), erases);
      doing.current = { kind: "stroke", last: dab, erases };
    } else {
      setDraft([point]);
      doing.current = { kind: "area", erases };
    }
  };
  const addCorner = (point: Point, erases: boolean): void => {
    const first = draft[0];
    const isClosed = first !== undefined && draft.length > 2 && Math.hypot(point.x - first.x, point.y - first.y) * view.zoom < CLOSE;
    if (isClosed) fillDraft(draft, erases);
    else setDraft([...draft, point]);
  };
  const onDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (doing.current) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const point = place(event);
    if (held.current || event.button === 1) doing.current = { kind: "pan", from: inBox(event) };
    else begin(point, { ...point, radius: radiusFor(size, event) }, isErasing(event, tool), event.shiftKey);
  };
  const onMove = (event: PointerEvent<HTMLDivElement>): void => {
    moveRing(ring.current, inBox(event));
    const now = doing.current;
    if (tool === "polygon") setPointed(place(event));
    if (now?.kind === "pan") {
      const to = inBox(event);
      setView((old) => ({ ...old, x: old.x + to.x - now.from.x, y: old.y + to.y - now.from.y }));
      doing.current = { kind: "pan", from: to };
    }
    if (now?.kind === "stroke") for (const each of eventsOf(event)) goOn({ ...place(each), radius: radiusFor(size, each) }, APART);
    if (now?.kind === "area") setDraft((old) => (tool === "rectangle" ? cornersOf(old[0] as Point, place(event)) : [...old, place(event)]));
  };
  const goOn = (dab: Dab, apart: number): void => {
    const now = doing.current;
    if (now?.kind !== "stroke" || Math.hypot(dab.x - now.last.x, dab.y - now.last.y) < Math.max(dab.radius * apart, 0.5)) return;
    draw((stroke) => drawSegment(stroke, now.last, dab, hardness), now.erases);
    doing.current = { ...now, last: dab };
  };
  const onUp = (event: PointerEvent<HTMLDivElement>): void => {
    const now = doing.current;
    if (now?.kind === "stroke") {
      goOn({ ...place(event), radius: now.last.radius }, 0);
      last.current = doing.current?.kind === "stroke" ? doing.current.last : null;
      endStroke(session);
      onPainted();
    }
    if (now?.kind === "area") fillDraft(draft, now.erases);
    doing.current = null;
  };
  const onCancel = (): void => {
    if (doing.current?.kind === "stroke") show(dropStroke(session));
    doing.current = null;
    setDraft([]);
  };
  const onWheel = (event: WheelEvent): void => {
    if (event.ctrlKey || event.metaKey) setView((old) => zoomed(old, event.deltaY < 0 ? 1.15 : 1 / 1.15, inBox(event)));
    else setTools({ size: resized(size, event.deltaY < 0 ? 1 : -1) });
  };
  const onKey = (event: KeyboardEvent): void => {
    const arrow = ARROWS[event.key];
    if (event.key === " ") held.current = true;
    else if (arrow) moveByKey(arrow, event.shiftKey);
    else if (event.key === "Enter" && !event.ctrlKey) finishByKey(event.altKey || tool === "eraser");
    else if (event.key === "Escape" && draft.length) setDraft([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const moveByKey = (arrow: Point, far: boolean): void => {
    const step = (far ? 40 : 8) / view.zoom;
    const from = pointed ?? toPicture(view, middle());
    const to = { x: from.x + arrow.x * step, y: from.y + arrow.y * step };
    setPointed(to);
    moveRing(ring.current, { x: to.x * view.zoom + view.x, y: to.y * view.zoom + view.y });
  };
  const finishByKey = (erases: boolean): void => {
    const point = pointed ?? toPicture(view, middle());
    if (tool === "polygon" && draft.length > 2) fillDraft(draft, erases);
    else if (tool === "brush" || tool === "eraser") once((stroke) => drawSegment(stroke, { ...point, radius: size / 2 }, { ...point, radius: size / 2 }, hardness), erases);
    else if (tool === "fill") once((stroke) => floodFill(session.mask, stroke, point), erases);
    else if (tool === "polygon") setDraft([...draft, point]);
    else if (draft[0]) fillDraft(cornersOf(draft[0], point), erases);
    else setDraft([point]);
  };
  const outline = tool === "polygon" && pointed ? [...draft, pointed] : draft;
  const across = tool === "brush" || tool === "eraser" ? size * view.zoom : 8;
  return (
    <div
      ref={box}
      className={`mask-stage tool-${tool}`}
      role="application"
      tabIndex={0}
      aria-label={M.surface}
      aria-description={M.surfaceHelp}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onCancel}
      onContextMenu={(event) => {
        event.preventDefault();
      }}
      onDoubleClick={() => {
        if (tool === "polygon" && draft.length > 2) fillDraft(draft, false);
      }}
      onWheel={onWheel}
      onKeyDown={onKey}
      onKeyUp={(event) => {
        if (event.key === " ") held.current = false;
      }}
      onBlur={() => (held.current = false)}
    >
      <div className="mask-picture" style={{ width, height, transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` }}>
        <img src={url} alt="" width={width} height={height} draggable={false} className={view.zoom > 2 ? "sharp" : ""} />
        <canvas ref={canvas} width={width} height={height} style={{ opacity: shown }} className={view.zoom > 2 ? "sharp" : ""} />
        {outline.length > 0 && (
          <svg viewBox={`0 0 ${width} ${height}`} aria-hidden>
            <polygon points={outline.map(({ x, y }) => `${x},${y}`).join(" ")} strokeWidth={1.5 / view.zoom} />
          </svg>
        )}
      </div>
      <div ref={ring} className="mask-ring" style={{ width: across, height: across }} />
    </div>
  );
}

const isErasing = (event: PointerEvent, tool: Tool): boolean => tool === "eraser" || event.button === 2 || (event.buttons & PEN_ERASER) !== 0;

const cornersOf = (from: Point, to: Point): readonly Point[] => [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];

/** Every place the pointer was at since the last event. */
function eventsOf({ nativeEvent }: PointerEvent): readonly globalThis.PointerEvent[] {
  const all = nativeEvent.getCoalescedEvents();
  return all.length ? all : [nativeEvent];
}

function moveRing(ring: HTMLElement | null, { x, y }: Point): void {
  if (ring) ring.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
}
