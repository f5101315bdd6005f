import type { Widget } from "../document/schema";
import type { WidgetProps } from "./Widget";

export function ToggleWidget({ name, value, set }: WidgetProps<Extract<Widget, { kind: "toggle" }>>) {
  return (
    <label className="field nodrag">
      <span className="field-name">{name}</span>
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
