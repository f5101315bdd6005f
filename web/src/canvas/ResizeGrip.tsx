import { NodeResizeControl, ResizeControlVariant } from "@xyflow/react";
import type { CSSProperties } from "react";
import type { Id } from "../document/document";
import { resize } from "../document/looks";
import { run } from "../editor";
import { canGrow, SIZES, type Shape } from "./geometry";
import "./looks.css";

const drags = { count: 0 };

/** The edge and the corner by which a node gets its size; prompts and pictures grow with it. */
export function ResizeGrip({ id, shape }: { readonly id: Id; readonly shape: Shape }) {
  const common = {
    minWidth: SIZES.narrow,
    onResizeStart: () => {
      drags.count += 1;
    },
    onResize: (_: unknown, box: { x: number; y: number; width: number; height: number }) => {
      run(resize(id, { ...box, height: canGrow(shape) ? box.height : shape.height }), `resize ${drags.count}`);
    },
  };
  return (
    <>
      <NodeResizeControl {...common} variant={ResizeControlVariant.Line} position="right" className="resize-edge nodrag" />
      {shape.rows.length > 0 && (
        <NodeResizeControl {...common} minHeight={SIZES.header} position="bottom-right" className="resize-corner nodrag">
          <svg viewBox="0 0 10 10" aria-hidden>
            <path d="M9 2L2 9M9 6L6 9" />
          </svg>
        </NodeResizeControl>
      )}
    </>
  );
}

/** The colour of a node, group or note, for the theme to use. */
export const tinted = (tint: string): CSSProperties => (tint ? ({ "--tint": tint } as CSSProperties) : {});
