import { useId, useRef, useState } from "react";
import { isList, type Json } from "../document/json";
import { ChoiceList } from "./ChoiceList";
import { FieldName } from "./FieldName";
import { isSame, labelOf } from "./options";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { W } from "./texts";

/** Several of many: the list stays open while options are chosen and taken back. */
export function ChoicesWidget({ name, widget, value, set, reset, id }: WidgetProps<WidgetOf<"choices">>) {
  const [box, setBox] = useState<DOMRect | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useId();
  const chosen = chosenIn(value);
  const shown = chosen.length && chosen.length <= 3 ? chosen.map(labelOf).join(", ") : W.chosen(chosen.length);
  return (
    <div className="field nodrag">
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
        title={chosen.map(labelOf).join(", ")}
        onClick={() => {
          setBox(button.current?.getBoundingClientRect() ?? null);
        }}
      >
        <span>{shown}</span>
      </button>
      {box && (
        <ChoiceList
          id={list}
          name={name}
          node={id}
          widget={widget}
          box={box}
          several
          isChosen={(option) => chosen.some((item) => isSame(item, option))}
          choose={(option) => {
            set(toggled(chosen, option));
          }}
          close={() => {
            setBox(null);
          }}
        />
      )}
    </div>
  );
}

const chosenIn = (value: Json | undefined): readonly Json[] => (isList(value) ? value : value === undefined || value === null ? [] : [value]);

/** The chosen options with one more, or without one that was among them. */
export function toggled(chosen: readonly Json[], option: Json): readonly Json[] {
  const left = chosen.filter((item) => !isSame(item, option));
  return left.length === chosen.length ? [...chosen, option] : left;
}
