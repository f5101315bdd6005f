import type { NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { Link } from "../document/document";
import { FREE, INPUTS, removeSocket, renameSocket, subgraphAt } from "../document/subgraphs";
import { pathIn, runWhole, useEditor, whole } from "../editor";
import { Icon } from "../panels/Icon";
import { T } from "../texts";
import { looksSame, type CardNode } from "./flow";
import { socketY } from "./geometry";
import { InputHandle, OutputHandle } from "./Handles";
import "./subgraphs.css";

/** One side of a subgraph's boundary: its inputs or outputs, each to be renamed or removed, and a free socket for one more. */
export const BoundaryCard = memo(function BoundaryCard({ data, selected }: NodeProps<CardNode>) {
  const { id, node, type, shape } = data;
  return (
    <article className={`card boundary${selected ? " selected" : ""}`} style={{ width: shape.width, height: shape.height }} aria-label={T.canvas.node(type.title)}>
      <header title={type.description}>
        <h3>{type.title}</h3>
      </header>
      {shape.rows.map((row) => {
        const name = row.input?.name ?? row.output?.name ?? FREE;
        return (
          <div key={name}>
            {row.input && <InputHandle id={id} input={row.input} y={socketY(row)} linked={node.inputs.get(name) instanceof Link} />}
            {row.output && <OutputHandle output={row.output} y={socketY(row)} />}
            <div className="row sockets" style={{ top: row.top, height: row.height }}>
              {name === FREE ? <em>{T.subgraphs.addSocket}</em> : <SocketName side={id === INPUTS ? "inputs" : "outputs"} name={name} />}
            </div>
          </div>
        );
      })}
    </article>
  );
}, looksSame);

function SocketName({ side, name }: { readonly side: "inputs" | "outputs"; readonly name: string }) {
  const [isNaming, setNaming] = useState(false);
  const id = subgraphAt(whole(), pathIn(useEditor.getState()));
  if (isNaming)
    return (
      <input
        autoFocus
        className="nodrag"
        aria-label={T.subgraphs.socketName(name)}
        defaultValue={name}
        onBlur={(event) => {
          setNaming(false);
          runWhole(renameSocket(id, side, name, event.target.value.trim()));
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setNaming(false);
        }}
      />
    );
  return (
    <>
      <button type="button" className="socket-name nodrag" aria-label={T.subgraphs.socketName(name)} title={T.subgraphs.socketName(name)} onClick={() => setNaming(true)}>
        {name}
      </button>
      <button
        type="button"
        className="socket-gone nodrag"
        aria-label={T.subgraphs.removeSocket(name)}
        title={T.subgraphs.removeSocket(name)}
        onClick={() => {
          runWhole(removeSocket(id, side, name));
        }}
      >
        <Icon name="close" />
      </button>
    </>
  );
}
