import { useStore, type NodeProps } from "@xyflow/react";
import { Fragment, memo } from "react";
import { runWorkflow, SEED_KEY, toggleCollapsed, trying } from "../actions";
import { startNaming, useOpen } from "../commands/open";
import { setTitle } from "../document/commands";
import { Link, type Id } from "../document/document";
import { isCollapsed, isPinned, tintOf } from "../document/looks";
import { asText, isObject } from "../document/json";
import type { Input, Output } from "../document/schema";
import { flowId, ranId, run, useEditor } from "../editor";
import { lacking, useMe } from "../me";
import { nodeRunOf, useRuns } from "../runs";
import { Icon } from "../panels/Icon";
import { isInstance } from "../document/subgraphs";
import { enter } from "../subgraphActions";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { R } from "../texts-runs";
import { pictureDrop } from "../widgets/dropping";
import { Widget } from "../widgets/Widget";
import { looksSame, type CardNode } from "./flow";
import { SIZES, socketY, type Row } from "./geometry";
import { InputHandle, OutputHandle } from "./Handles";
import { isFar } from "./near";
import { OutputName } from "./Known";
import { NodeStatus } from "./NodeStatus";
import { PictureRow } from "./PictureRow";
import { ResizeGrip, tinted } from "./ResizeGrip";

export const NodeCard = memo(function NodeCard({ data, selected }: NodeProps<CardNode>) {
  const isSmall = useStore(isFar);
  const state = useRuns((runs) => nodeRunOf(data.id)(runs)?.state);
  const problem = useEditor((editor) => editor.problemsOf.get(data.id)?.some((item) => item.severity === "error"));
  const isKnown = useEditor((editor) => editor.types.has(data.node.type) || editor.types.size === 0);
  const { node, shape, type } = data;
  const classes = ["card", `mode-${node.mode}`, state && `run-${state}`, selected && "selected", problem && "has-problem", !isKnown && "missing"];
  const name = classes.filter(Boolean).join(" ");
  const title = node.title || type.title;
  const tint = tintOf(node.extra);
  if (isSmall && !isWrittenIn(data.id))
    return (
      <div className={`${name} far`} style={{ width: shape.width, height: shape.height, ...tinted(tint) }} data-tint={tint ? "" : undefined}>
        <span>{title}</span>
        <Sockets {...data} />
      </div>
    );
  return (
    <article
      tabIndex={-1}
      className={`${name}${isInstance(node) ? " instance" : ""}`}
      style={{ width: shape.width, height: shape.height, ...tinted(tint) }}
      data-tint={tint ? "" : undefined}
      aria-label={T.canvas.node(title)}
      title={isKnown ? undefined : T.canvas.missing}
      {...pictureDrop(data.id, type)}
      onDoubleClick={(event) => {
        if (isInstance(node) && isKnown && !isControl(event.target)) enter(data.id);
      }}
    >
      <Header {...data} title={title} />
      {shape.rows.map((row, index) => (
        <RowView key={index} row={row} {...data} />
      ))}
      {!shape.rows.length && <FoldedSockets id={data.id} inputs={type.inputs} outputs={type.outputs} />}
      {selected && <ResizeGrip id={data.id} shape={shape} />}
      <NodeStatus id={data.id} title={title} hasPicture={shape.rows.some((row) => row.kind === "picture")} />
    </article>
  );
}, looksSame);

/** A field keeps what is written in it, whatever the zoom. */
function isWrittenIn(id: Id): boolean {
  const field = document.activeElement;
  return Boolean(field?.matches("input, textarea") && field.closest<HTMLElement>(".react-flow__node")?.dataset["id"] === flowId(id));
}

function Header({ id, node, type, title }: CardNode["data"] & { readonly title: string }) {
  const isNaming = useOpen((state) => state.naming === flowId(id));
  const setNaming = (isOn: boolean): void => {
    startNaming(isOn ? flowId(id) : null);
  };
  const rename = (text: string): void => {
    setNaming(false);
    run(setTitle(id, text.trim() === type.title ? "" : text.trim()));
  };
  return (
    <header title={type.description} data-category={type.category.split("/")[0]}>
      <button
        type="button"
        className="fold nodrag"
        aria-label={T.canvas.collapse}
        aria-expanded={!isCollapsed(node)}
        onClick={() => {
          toggleCollapsed([id]);
        }}
      >
        <Icon name="down" />
      </button>
      {isNaming ? (
        <input
          autoFocus
          className="title-input nodrag"
          aria-label={T.canvas.rename}
          defaultValue={title}
          onBlur={(event) => {
            rename(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
            if (event.key === "Escape") setNaming(false);
          }}
        />
      ) : (
        <h3
          onDoubleClick={() => {
            setNaming(true);
          }}
        >
          {title}
        </h3>
      )}
      {isInstance(node) && <Enter id={id} title={title} />}
      {(type.isGoal || isInstance(node)) && node.mode === "run" && <RunHere id={id} title={title} />}
      {isPinned(node.extra) && <span className="mode pin">{C.pinned}</span>}
      {node.mode !== "run" && <span className="mode">{node.mode === "mute" ? T.canvas.muted : T.canvas.bypassed}</span>}
    </header>
  );
}

const isControl = (target: EventTarget): boolean => target instanceof Element && target.closest("button, input, textarea, select, h3") !== null;

/** Shows the inside of an instance. */
function Enter({ id, title }: { readonly id: Id; readonly title: string }) {
  return (
    <button type="button" className="enter nodrag" aria-label={T.subgraphs.enter(title)} title={T.subgraphs.enter(title)} onClick={() => enter(id)}>
      <Icon name="enter" />
    </button>
  );
}

/** Runs the workflow up to this node, and nothing that it does not need. */
function RunHere({ id, title }: { readonly id: Id; readonly title: string }) {
  const refused = useMe(lacking("runner"));
  return (
    <button
      type="button"
      className="run-here nodrag"
      aria-label={R.node.runHere(title)}
      disabled={refused !== ""}
      title={refused || R.node.runHere(title)}
      onClick={() => {
        trying(() => runWorkflow(1, [ranId(id)]));
      }}
    >
      <Icon name="play" />
    </button>
  );
}

function RowView({ row, id, node }: CardNode["data"] & { readonly row: Row }) {
  const { input, output } = row;
  const y = socketY(row);
  if (row.kind === "picture") return <PictureRow row={row} id={id} node={node} />;
  return (
    <>
      {input && <InputHandle id={id} input={input} y={y} linked={node.inputs.get(input.name) instanceof Link} />}
      {output && <OutputHandle output={output} y={y} />}
      <div className={`row ${row.kind}`} data-input={input?.name} style={{ top: row.top, height: row.height }}>
        {row.kind === "widget" && input ? (
          <div className="widget" title={input.tooltip}>
            <Widget id={id} input={input} value={node.inputs.get(input.name)} control={controlOf(node.extra.get(SEED_KEY), input.name)} />
          </div>
        ) : (
          <>
            <span className={input?.required ? "" : "optional"} title={input && `${input.types.join(" | ")}. ${input.tooltip}`}>
              {input?.label}
            </span>
            {output && <OutputName id={id} output={output} />}
          </>
        )}
      </div>
    </>
  );
}

function controlOf(controls: unknown, input: string): string {
  return isObject(controls as never) ? asText((controls as ReadonlyMap<string, never>).get(input)) : "";
}

/** The sockets of a card that shows nothing else: React Flow measures where its links end. */
function Sockets({ id, node, type, shape }: CardNode["data"]) {
  if (!shape.rows.length) return <FoldedSockets id={id} inputs={type.inputs} outputs={type.outputs} />;
  return shape.rows.map((row, index) => (
    <Fragment key={index}>
      {row.input && <InputHandle id={id} input={row.input} y={socketY(row)} linked={node.inputs.get(row.input.name) instanceof Link} />}
      {row.output && <OutputHandle output={row.output} y={socketY(row)} />}
    </Fragment>
  ));
}

function FoldedSockets({ id, inputs, outputs }: { readonly id: Id; readonly inputs: readonly Input[]; readonly outputs: readonly Output[] }) {
  return (
    <>
      {inputs.map((input) => (
        <InputHandle key={input.name} id={id} input={input} y={SIZES.header / 2} linked />
      ))}
      {outputs.map((output) => (
        <OutputHandle key={output.name} output={output} y={SIZES.header / 2} />
      ))}
    </>
  );
}
