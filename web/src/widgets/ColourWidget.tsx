import { useRef, useState } from "react";
import { asNumber, type Json } from "../document/json";
import { colourIn, hexOf } from "./colours";
import { FieldName } from "./FieldName";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { textOf } from "./TextWidget";
import { W } from "./texts";

/** A colour: chosen from a palette, or typed as #rrggbb, 255, 0, 0 or a name. */
export function ColourWidget({ name, widget, value, set, reset }: WidgetProps<WidgetOf<"colour">>) {
  const [typed, setTyped] = useState<string | null>(null);
  const visit = useRef(0);
  const colour = typeof value === "string" ? colourIn(value) : asNumber(value, 0);
  const choose = (next: number, gesture = ""): void => set(asValue(next, widget.as), gesture);
  const endTyping = (): void => {
    const found = typed === null ? undefined : colourIn(typed);
    if (found !== undefined) choose(found);
    else if (typed !== null && widget.as === "text") set(typed);
    setTyped(null);
  };
  return (
    <div className="field nodrag">
      <FieldName name={name} reset={reset} />
      <input
        className="field-value"
        aria-label={name}
        spellCheck={false}
        value={typed ?? (colour === undefined ? textOf(value) : hexOf(colour))}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
        }}
        onBlur={endTyping}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setTyped(null);
        }}
      />
      <input
        type="color"
        className="swatch"
        aria-label={W.colour(name)}
        value={hexOf(colour ?? 0)}
        onFocus={() => (visit.current += 1)}
        onChange={(event) => {
          choose(colourIn(event.target.value) ?? 0, `colour ${visit.current}`);
        }}
      />
    </div>
  );
}

const asValue = (colour: number, as: "number" | "text"): Json => (as === "number" ? colour : hexOf(colour));
