import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { startNaming, useOpen } from "../commands/open";
import { setItem } from "../document/commands";
import { tintOf } from "../document/looks";
import { asText, isObject, type Json } from "../document/json";
import { run } from "../editor";
import { T } from "../texts";
import { Markdown } from "../panels/Markdown";
import { looksSame, titleIn, type ItemNode } from "./flow";
import { tinted } from "./ResizeGrip";

const MIN = { minWidth: 120, minHeight: 60 };

function resized(list: "groups" | "notes", index: number): (event: unknown, box: { x: number; y: number; width: number; height: number }) => void {
  const key = list === "groups" ? "bounds" : "at";
  return (_, { x, y, width, height }) => {
    run(setItem(list, index, new Map<string, Json>([[key, [x, y, width, height].map(Math.round)]])), `resize ${list} ${index}`);
  };
}

/** A remark on the canvas, written in Markdown. */
export const NoteCard = memo(function NoteCard({ data, selected }: NodeProps<ItemNode>) {
  const [isWriting, setWriting] = useState(false);
  const text = isObject(data.item) ? asText(data.item.get("text")) : "";
  const tint = isObject(data.item) ? tintOf(data.item) : "";
  const write = (written: string): void => {
    setWriting(false);
    if (written !== text) run(setItem("notes", data.index, new Map([["text", written]])));
  };
  return (
    <aside
      className={`note${selected ? " selected" : ""}`}
      style={tinted(tint)}
      data-tint={tint ? "" : undefined}
      aria-label={T.canvas.note}
      onDoubleClick={() => {
        setWriting(true);
      }}
    >
      <NodeResizer isVisible={selected} {...MIN} onResize={resized("notes", data.index)} />
      {isWriting ? (
        <textarea
          autoFocus
          className="nodrag nowheel"
          aria-label={T.canvas.note}
          defaultValue={text}
          onBlur={(event) => {
            write(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      ) : (
        <Markdown text={text || T.canvas.noteText} />
      )}
    </aside>
  );
}, looksSame);

/** A frame around nodes that move with it. */
export const GroupFrame = memo(function GroupFrame({ data, selected }: NodeProps<ItemNode>) {
  const flow = `groups/${data.index}`;
  const isNaming = useOpen((state) => state.naming === flow);
  const setNaming = (isOn: boolean): void => {
    startNaming(isOn ? flow : null);
  };
  const tint = isObject(data.item) ? tintOf(data.item) : "";
  const title = titleIn(data.item) || T.canvas.group;
  const rename = (text: string): void => {
    setNaming(false);
    run(setItem("groups", data.index, new Map([["title", text]])));
  };
  return (
    <section className={`group${selected ? " selected" : ""}`} aria-label={title} style={tinted(tint)} data-tint={tint ? "" : undefined}>
      <NodeResizer isVisible={selected} {...MIN} onResize={resized("groups", data.index)} />
      {isNaming ? (
        <input
          autoFocus
          className="title-input nodrag"
          aria-label={T.canvas.group}
          defaultValue={title}
          onBlur={(event) => {
            rename(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
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
    </section>
  );
}, looksSame);
