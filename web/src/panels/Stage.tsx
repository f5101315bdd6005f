import { useCallback, useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type PointerEvent, type WheelEvent } from "react";
import { mediaOf } from "../jobs/media";
import { R } from "../texts-runs";
import type { Shot } from "./viewing";
import { centred, fitted, moved, zoomedAt, type Size, type View } from "./zoom";

export type Comparison = "slider" | "sides" | "difference";

interface Props {
  readonly shot: Shot;
  readonly other: Shot | null;
  readonly comparison: Comparison;
}

const STEP = 1.25;

/** A picture to zoom at the pointer and to drag; with another one, the two laid over or beside each other. */
export function Stage({ shot, other, comparison }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const room = useRoom(stage);
  const [picture, setPicture] = useState<Size | null>(null);
  const [chosen, setChosen] = useState<View | null>(null);
  const [share, setShare] = useState(0.5);
  const isBeside = other !== null && comparison === "sides";
  const pane: Size | null = room && (isBeside ? { width: room.width / 2, height: room.height } : room);
  const view = pane && picture && (chosen ?? fitted(picture, pane));
  const wasShown = useRef(shot.url);
  useEffect(() => {
    if (wasShown.current !== shot.url && !other) setChosen(null);
    wasShown.current = shot.url;
  }, [shot.url, other]);
  const actual = (): void => {
    if (picture && pane) setChosen(centred(picture, pane, 1));
  };
  const zoom = (factor: number, x = (pane?.width ?? 0) / 2, y = (pane?.height ?? 0) / 2): void => {
    if (view) setChosen(zoomedAt(view, factor, x, y));
  };
  const onWheel = (event: WheelEvent): void => {
    const box = stage.current?.getBoundingClientRect();
    if (!box || !pane) return;
    zoom(Math.exp(-event.deltaY * 0.0016), (event.clientX - box.left) % pane.width, event.clientY - box.top);
  };
  const onKey = (event: KeyboardEvent): void => {
    const does: Readonly<Record<string, () => void>> = { "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": () => setChosen(null), "1": actual };
    does[event.key]?.();
  };
  const pan = usePan((dx, dy) => {
    if (view && picture && pane) setChosen(moved(view, dx, dy, picture, pane));
  });
  if (mediaOf(shot.name) === "video")
    return (
      <div className="stage">
        <video src={shot.url} controls autoPlay loop muted aria-label={shot.name} />
      </div>
    );
  const style = view && picture ? { width: picture.width, height: picture.height, transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` } : { visibility: "hidden" as const };
  const onLoad = (size: Size): void => {
    setPicture(size);
  };
  return (
    <>
      <div
        ref={stage}
        className={`stage${(view?.scale ?? 1) >= 2 ? " sharp" : ""}`}
        tabIndex={0}
        role="group"
        aria-label={shot.name}
        onKeyDown={onKey}
        onWheel={onWheel}
        onDoubleClick={() => (chosen ? setChosen(null) : actual())}
        {...pan}
      >
        <div className="pane">
          {other && !isBeside && <Picture shot={other} style={style} />}
          <Picture shot={isBeside ? other : shot} style={{ ...style, ...overlaid(other, comparison, share) }} onLoad={isBeside ? undefined : onLoad} />
        </div>
        {isBeside && (
          <div className="pane">
            <Picture shot={shot} style={style} onLoad={onLoad} />
          </div>
        )}
        {other && comparison === "slider" && view && picture && (
          <Slider at={view.x + share * picture.width * view.scale} share={share} move={setShare} toShare={(x) => (x - view.x) / (picture.width * view.scale)} stage={stage} />
        )}
      </div>
      <div className="zoom-tools" role="group" aria-label={R.full.fit}>
        <button type="button" onClick={() => setChosen(null)}>
          {R.full.fit}
        </button>
        <button type="button" onClick={actual}>
          {R.full.actual}
        </button>
        <output>{view ? R.full.zoom(view.scale) : ""}</output>
      </div>
    </>
  );
}

function overlaid(other: Shot | null, comparison: Comparison, share: number): CSSProperties {
  if (!other || comparison === "sides") return {};
  return comparison === "difference" ? { mixBlendMode: "difference" } : { clipPath: `inset(0 0 0 ${share * 100}%)` };
}

interface PictureProps {
  readonly shot: Shot;
  readonly style: CSSProperties;
  readonly onLoad?: ((size: Size) => void) | undefined;
}

function Picture({ shot, style, onLoad }: PictureProps) {
  return (
    <img
      src={shot.url}
      alt={shot.name}
      style={style}
      draggable={false}
      onLoad={(event) => {
        onLoad?.({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight });
      }}
    />
  );
}

/** The size of the stage, whenever it changes. */
function useRoom(stage: React.RefObject<HTMLDivElement | null>): Size | null {
  const [room, setRoom] = useState<Size | null>(null);
  useLayoutEffect(() => {
    const element = stage.current;
    if (!element) return;
    const measure = (): void => {
      setRoom({ width: element.clientWidth, height: element.clientHeight });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [stage]);
  return room;
}

function usePan(move: (dx: number, dy: number) => void) {
  const from = useRef<readonly [number, number] | null>(null);
  return {
    onPointerDown: (event: PointerEvent): void => {
      if (event.button !== 0 || event.altKey) return;
      from.current = [event.clientX, event.clientY];
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent): void => {
      if (!from.current) return;
      move(event.clientX - from.current[0], event.clientY - from.current[1]);
      from.current = [event.clientX, event.clientY];
    },
    onPointerUp: (): void => {
      from.current = null;
    },
  };
}

interface SliderProps {
  readonly at: number;
  readonly share: number;
  readonly move: (share: number) => void;
  readonly toShare: (x: number) => number;
  readonly stage: React.RefObject<HTMLDivElement | null>;
}

const within = (share: number): number => Math.min(Math.max(share, 0), 1);

/** The line where two pictures meet: dragged, or moved with the arrow keys. */
function Slider({ at, share, move, toShare, stage }: SliderProps) {
  const onKey = useCallback(
    (event: KeyboardEvent) => {
      const by = { ArrowLeft: -0.01, ArrowRight: 0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
      const to = { Home: 0, End: 1 }[event.key];
      if (by === undefined && to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      move(to ?? within(share + (by ?? 0) * (event.shiftKey ? 10 : 1)));
    },
    [share, move],
  );
  return (
    <div
      className="meeting"
      role="slider"
      tabIndex={0}
      aria-label={R.full.handle}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={R.full.place(share)}
      style={{ left: at }}
      onKeyDown={onKey}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (event.buttons) move(within(toShare(event.clientX - (stage.current?.getBoundingClientRect().left ?? 0))));
      }}
    />
  );
}
