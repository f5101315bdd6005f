import { BaseEdge, type EdgeProps } from "@xyflow/react";
import { memo, useRef, type KeyboardEvent, type PointerEvent } from "react";
import { bendsOf, moveBend, removeBend, type Bend } from "../document/bends";
import { run, useWorkflow } from "../editor";
import { C } from "../texts-canvas";
import { pathThrough } from "./bent";
import { onCanvas } from "./view";
import "./bends.css";

/** A link that is led through points of its own. */
export const BentLink = memo(function BentLink({ sourceX, sourceY, targetX, targetY, data }: EdgeProps) {
  const points = (data?.["points"] as readonly Bend[] | undefined) ?? [];
  return <BaseEdge path={pathThrough([sourceX, sourceY], points.map(({ at }) => at), [targetX, targetY])} />;
});

/** The points that links are led through, to be moved and taken away. */
export function Bends() {
  const found = new Map([...bendsOf(useWorkflow()).values()].flat().map((bend) => [bend.id, bend]));
  return [...found.values()].map((bend) => <Dot key={bend.id} bend={bend} />);
}

const BY: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 10;

function Dot({ bend: { id, at } }: { readonly bend: Bend }) {
  const drags = useRef(0);
  const onPointerMove = (event: PointerEvent): void => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) run(moveBend(id, onCanvas([event.clientX, event.clientY])), `bend ${id} ${drags.current}`);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = BY[event.key];
    if (by) run(moveBend(id, [at[0] + by[0] * STEP, at[1] + by[1] * STEP]), `bend ${id} keys`);
    else if (event.key === "Delete" || event.key === "Backspace") run(removeBend(id));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <button
      type="button"
      className="bend nopan nodrag"
      aria-label={C.bends.point(id)}
      title={C.bends.help}
      style={{ left: at[0], top: at[1] }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.stopPropagation();
        drags.current += 1;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onDoubleClick={(event) => {
        event.stopPropagation();
        run(removeBend(id));
      }}
      onKeyDown={onKeyDown}
    />
  );
}
