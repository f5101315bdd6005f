import { useRef } from "react";
import { printJson, type Json } from "../document/json";
import { FieldName } from "./FieldName";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";

/** A text of one line. */
export function TextWidget({ name, widget, value, set, reset }: WidgetProps<WidgetOf<"text">>) {
  const visit = useRef(0);
  return (
    <div className="field nodrag">
      <FieldName name={name} reset={reset} />
      <input
        className="field-value"
        aria-label={name}
        placeholder={widget.placeholder}
        spellCheck={false}
        value={textOf(value)}
        onFocus={() => (visit.current += 1)}
        onChange={(event) => {
          set(event.target.value, `typing ${visit.current}`);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
    </div>
  );
}

/** A value as a text widget shows it: what an imported workflow put there in place of a text is not lost. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : printJson(value);
}
