import { useMemo } from "react";
import type { Workflow } from "../document/document";
import { sketchOf } from "../document/sketch";
import { useEditor } from "../editor";

/** A little drawing of a workflow, its boxes coloured as their categories are. */
export function Drawing({ workflow }: { readonly workflow: Workflow }) {
  const types = useEditor((state) => state.types);
  const { boxes, lines, frame } = useMemo(() => sketchOf(workflow), [workflow]);
  return (
    <svg className="drawing" viewBox={frame.join(" ")} preserveAspectRatio="xMidYMid meet" aria-hidden>
      {lines.map(([x1, y1, x2, y2], index) => (
        <path key={index} d={`M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`} />
      ))}
      {boxes.map((box, index) => (
        <rect key={index} x={box.x} y={box.y} width={box.width} height={box.height} rx={18} data-category={types.get(box.type)?.category.split("/")[0]} />
      ))}
    </svg>
  );
}
