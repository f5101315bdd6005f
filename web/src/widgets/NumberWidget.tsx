import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { asNumber, Numeral, printJson } from "../document/json";
import { numberValue, type Widget } from "../document/schema";
import type { WidgetProps } from "./Widget";

type Kind = Extract<Widget, { kind: "number" }>;

/** Pixels of dragging that make one step. */
const STEP_PIXELS = 5;

/** A number: type it, drag it by its name, or step it with the arrow keys. */
export function NumberWidget({ name, widget, value, set }: WidgetProps<Kind>) {
  const [typed, setTyped] = useState<string | null>(null);
  const drag = useRef<{ x: number; start: number } | null>(null);
  const now = asNumber(value, 0);
  const { min, max, step, whole } = widget;

  const commit = (next: number, gesture = ""): void => {
    if (!Number.isFinite(next)) return;
    const digits = Math.max(String(step).split(".")[1]?.length ?? 0, 2);
    const rounded = whole ? Math.round(next) : Number(next.toFixed(digits));
    set(numberValue(Math.min(Math.max(rounded, min), max), whole), gesture);
  };
  const endTyping = (): void => {
    if (typed !== null && typed.trim() !== "") commit(Number(typed.replace(",", ".")));
    setTyped(null);
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>): void => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Enter") event.currentTarget.blur();
    if (event.key === "Escape") setTyped(null);
    if (!direction) return;
    event.preventDefault();
    setTyped(null);
    commit(now + direction * step * (event.shiftKey ? 10 : 1), "keys");
  };
  const onMove = (event: PointerEvent): void => {
    if (drag.current) commit(drag.current.start + Math.round((event.clientX - drag.current.x) / STEP_PIXELS) * step, "drag");
  };
  const isRange = Number.isFinite(min) && Number.isFinite(max) && (max - min) / step <= 1000;
  const filled = isRange ? `${((now - min) / (max - min)) * 100}%` : "0%";
  return (
    <label className="field nodrag" style={{ ["--filled" as string]: filled }}>
      <span
        className="field-name scrub"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, start: now };
        }}
        onPointerMove={onMove}
        onPointerUp={() => (drag.current = null)}
        onPointerCancel={() => (drag.current = null)}
      >
        {name}
      </span>
      <input
        className="field-value"
        aria-label={name}
        inputMode="decimal"
        value={typed ?? shown(value, now)}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
        }}
        onBlur={endTyping}
        onKeyDown={onKey}
      />
    </label>
  );
}

function shown(value: WidgetProps<Kind>["value"], now: number): string {
  return value instanceof Numeral ? value.text : value === undefined ? "" : typeof value === "number" ? String(now) : printJson(value);
}
