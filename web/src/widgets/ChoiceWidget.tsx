import { useId, useRef, useState } from "react";
import type { Json } from "../document/json";
import { placeOf } from "../api/client";
import { useEditor } from "../editor";
import { ChoiceList } from "./ChoiceList";
import { FieldName } from "./FieldName";
import { isSame, labelOf } from "./options";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { W } from "./texts";
import { refresh, type Choosing } from "./useOptions";

/** One of many: a button that opens a list with a search field. */
export function ChoiceWidget({ name, widget, value, set, reset, id }: WidgetProps<WidgetOf<"choice" | "file" | "image">>) {
  const [box, setBox] = useState<DOMRect | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useId();
  const isGone = useGone(widget, value);
  const isNone = value === undefined || value === null || value === "";
  const shown = isNone ? W.choose : labelOf(value);
  const open = (): void => {
    refresh(widget);
    setBox(button.current?.getBoundingClientRect() ?? null);
  };
  return (
    <div className={`field nodrag${isGone ? " gone" : ""}`}>
      <FieldName name={name} reset={reset} />
      <button
        ref={button}
        type="button"
        role="combobox"
        className="field-value choice"
        aria-label={name}
        aria-haspopup="listbox"
        aria-controls={list}
        aria-expanded={box !== null}
        aria-invalid={isGone || undefined}
        title={isGone ? W.goneWhy(shown) : shown}
        onClick={open}
        onKeyDown={(event) => {
          if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
          event.preventDefault();
          open();
        }}
      >
        <span>{shown}</span>
      </button>
      {isGone && <small className="gone-mark">{W.gone}</small>}
      {box && (
        <ChoiceList
          id={list}
          name={name}
          node={id}
          widget={widget}
          box={box}
          gone={isGone ? value : undefined}
          isChosen={(option) => isSame(value, option)}
          choose={(chosen) => {
            set(chosen);
            setBox(null);
          }}
          close={() => {
            setBox(null);
          }}
        />
      )}
    </div>
  );
}

/** Whether a value is chosen that is not there; of a folder too long to know, the server's problems tell. */
function useGone(widget: Choosing, value: Json | undefined): boolean {
  return useEditor((state) => {
    if (value === undefined || value === null || value === "") return false;
    if ("options" in widget) return !widget.options.some((option) => isSame(value, option));
    const page = state.files.get(widget.folder);
    if (typeof value === "string" && placeOf(widget.folder, value).kind !== widget.folder) return false;
    return page !== undefined && page.files.length >= page.total && !page.files.some((file) => file.name === value);
  });
}
