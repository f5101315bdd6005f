import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { Link } from "../document/document";
import { VALUE } from "../document/subgraphs";
import { givenTypes } from "../document/subgraphTypes";
import { useEditor, workflowIn } from "../editor";
import { T } from "../texts";
import { colourOf, looksSame, type CardNode } from "./flow";
import { InputHandle, OutputHandle } from "./Handles";
import { socketY } from "./geometry";
import "./subgraphs.css";

/** A reroute: two sockets in the colour of what it hands on. */
export const RerouteCard = memo(function RerouteCard({ data, selected }: NodeProps<CardNode>) {
  const { id, node, type, shape } = data;
  const kind = useEditor((state) => givenTypes(workflowIn(state).nodes, new Link(id, VALUE), state.types)[0] ?? "*");
  const [row] = shape.rows;
  const [input, output] = [type.inputs[0], type.outputs[0]];
  if (!row || !input || !output) return null;
  const title = node.title || type.title;
  return (
    <div
      className={`reroute type-${colourOf(kind)}${selected ? " selected" : ""}`}
      role="group"
      aria-label={T.canvas.node(title)}
      style={{ width: shape.width, height: shape.height }}
    >
      <InputHandle id={id} input={{ ...input, types: [kind] }} y={socketY(row)} linked={node.inputs.get(VALUE) instanceof Link} />
      <OutputHandle output={{ ...output, types: [kind] }} y={socketY(row)} />
      {node.title && <span>{node.title}</span>}
    </div>
  );
}, looksSame);
