import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import type { Problem } from "../api/client";
import type { Id } from "../document/document";
import type { Input, Output } from "../document/schema";
import { useEditor } from "../editor";
import { T } from "../texts";
import { colourOf } from "./flow";

interface Side {
  readonly id: Id;
  readonly input: Input;
  readonly y: number;
  readonly linked: boolean;
}

const markOf = (problems: readonly Problem[] = []): string => (problems.some(({ severity }) => severity !== "todo") ? " wrong" : problems.length ? " todo" : "");

export const InputHandle = memo(function InputHandle({ id, input, y, linked }: Side) {
  const mark = useEditor((state) => markOf(state.problemsOf.get(id)?.filter((item) => item.input === input.name)));
  const name = `socket type-${colourOf(input.types[0])}${mark}${linked ? " linked" : ""}${input.widget ? " of-widget" : ""}`;
  return <Handle id={input.name} type="target" position={Position.Left} className={name} style={{ top: y }} role="button" tabIndex={-1} aria-label={T.canvas.input(input.name)} />;
});

export const OutputHandle = memo(function OutputHandle({ output, y }: { readonly output: Output; readonly y: number }) {
  const name = `socket type-${colourOf(output.types[0])}`;
  return <Handle id={output.name} type="source" position={Position.Right} className={name} style={{ top: y }} role="button" tabIndex={-1} aria-label={T.canvas.output(output.name)} />;
});
