import { useState } from "react";
import { JsonError, parseJson, printJson } from "../document/json";
import { FieldName } from "./FieldName";
import type { WidgetProps } from "./props";
import { W } from "./texts";

type Props = WidgetProps & { readonly trouble?: string };

/** The value of a widget that this editor cannot draw, as JSON; what is no JSON is taken as a text. */
export function JsonWidget({ name, widget, value, set, reset, trouble }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const why = trouble ?? W.unknown(widget.kind === "unknown" ? widget.told : widget.kind);
  const endTyping = (): void => {
    if (typed !== null) set(valueIn(typed));
    setTyped(null);
  };
  return (
    <div className={`field nodrag${trouble ? " broken" : ""}`} title={why}>
      <FieldName name={name} reset={reset} />
      <input
        className="field-value"
        aria-label={name}
        aria-description={why}
        spellCheck={false}
        value={typed ?? (value === undefined ? "" : printJson(value))}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onBlur={endTyping}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setTyped(null);
        }}
      />
      {trouble && (
        <small className="broken-text" role="alert">
          {trouble}
        </small>
      )}
    </div>
  );
}

function valueIn(text: string): ReturnType<typeof parseJson> {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return text;
  }
}
