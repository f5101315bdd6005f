import { FieldName } from "./FieldName";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";

/** Yes or no, with the words that the node has for them. */
export function ToggleWidget({ name, widget, value, set, reset }: WidgetProps<WidgetOf<"toggle">>) {
  const word = value === true ? widget.on : widget.off;
  return (
    <label className="field nodrag">
      <FieldName name={name} reset={reset} />
      <span className="field-value toggle-word">{word}</span>
      <input
        type="checkbox"
        role="switch"
        aria-label={name}
        checked={value === true}
        onChange={(event) => {
          set(event.target.checked);
        }}
      />
    </label>
  );
}
