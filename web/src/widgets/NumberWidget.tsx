import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { asNumber, isList, isObject, numeral, Numeral, printJson, type Json } from "../document/json";
import { numberValue, type WidgetOf } from "../document/widgets";
import { Icon } from "../panels/Icon";
import { evaluate } from "./arithmetic";
import { FieldName } from "./FieldName";
import { beyond, digitsFor, dragged, factorOf, filled, fitted, slidTo, stepOf, type Keys } from "./numbers";
import type { WidgetProps } from "./props";
import { W } from "./texts";

type Kind = WidgetOf<"number">;
/** Pixels that a pointer may move and still only click. */
const STILL = 3;
const HINT_FOR = 2500;
const NO_KEYS: Keys = { shiftKey: false, altKey: false };

/** A number: drag it, type it or an arithmetic text, step it with the arrow keys, the buttons or, focused, the wheel. */
export function NumberWidget({ name, widget, value, set, reset }: WidgetProps<Kind>) {
  const [typed, setTyped] = useState<string | null>(null);
  const [isFocused, setFocused] = useState(false);
  const [hint, tellHint] = useHint();
  const field = useRef<HTMLInputElement>(null);
  const drag = useRef<{ x: number; sum: number; start: number; isMoving: boolean } | null>(null);
  const isOnName = useRef(false); // a pointer that is held tells nothing of what it is over
  const visit = useRef(0);
  const now = asNumber(value, 0);
  const outside = beyond(now, widget);

  const move = (next: number, gesture: string, digits: number | undefined): void => {
    const found = fitted(next, widget, digits);
    tellHint(found.met && boundText(found.met, widget));
    if (found.value !== now || !isNumber(value)) set(numberValue(found.value, widget.whole), gesture);
  };
  const step = (direction: number, keys: Keys, gesture: string): void => {
    setTyped(null);
    move(now + direction * stepOf(widget, keys), gesture && `${gesture} ${visit.current}`, digitsFor(widget, now, keys));
  };
  const endTyping = (): void => {
    setFocused(false);
    if (typed === null || typed.trim() === "") return setTyped(null);
    setTyped(null);
    const exact = widget.whole && /^-?\d{16,}$/.test(typed.trim()) ? numeral(typed.trim()) : undefined;
    const next = evaluate(typed, now);
    if (next === undefined) tellHint(W.noNumber);
    else if (exact && !fitted(next, widget, undefined).met) set(exact);
    else move(next, "", widget.digits);
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>): void => {
    const direction = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (event.key === "Enter") event.currentTarget.blur();
    if (event.key === "Escape") setTyped(null);
    if (!direction) return;
    event.preventDefault();
    step(direction, event, "keys");
  };
  const onDown = (event: PointerEvent<HTMLDivElement>): void => {
    const isTyping = event.target === field.current && isFocused;
    if (event.button !== 0 || isTyping || (event.target as Element).closest("button")) return;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    isOnName.current = (event.target as Element).closest(".field-name") !== null;
    event.currentTarget.setPointerCapture(event.pointerId);
    visit.current += 1;
    drag.current = { x: event.clientX, sum: 0, start: now, isMoving: false };
  };
  const onMove = (event: PointerEvent<HTMLDivElement>): void => {
    const old = drag.current;
    if (!old) return;
    const by = event.clientX - old.x;
    if (!old.isMoving && Math.abs(by) < STILL) return;
    drag.current = { ...old, x: event.clientX, sum: old.sum + by * factorOf(event), isMoving: true };
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const next = widget.slider && !event.altKey ? slidTo(widget, (event.clientX - left) / width) : dragged(widget, old.start, drag.current.sum);
    move(next, `drag ${visit.current}`, digitsFor(widget, old.start, NO_KEYS));
  };
  const onUp = (): void => {
    if (drag.current && !drag.current.isMoving && !isOnName.current) field.current?.focus();
    drag.current = null;
  };
  return (
    <div
      className={`field number nodrag${widget.slider ? " slider" : ""}${outside ? " outside" : ""}${isFocused ? " nowheel" : ""}`}
      style={{ ["--filled" as string]: `${filled(now, widget)}%` }}
      title={outside ? outsideText(outside, widget) : undefined}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => (drag.current = null)}
      onDoubleClick={() => {
        if (isOnName.current) reset?.();
      }}
      onMouseDown={(event) => {
        if (!isFocused) event.preventDefault();
      }}
      onWheel={(event) => {
        if (isFocused && event.deltaY) step(event.deltaY < 0 ? 1 : -1, event, "wheel");
      }}
    >
      <FieldName name={name} reset={undefined} className="scrub" title={W.numberHelp} />
      <input
        ref={field}
        className="field-value"
        role="spinbutton"
        aria-label={name}
        aria-valuenow={now}
        {...(Number.isFinite(widget.min) ? { "aria-valuemin": widget.min } : {})}
        {...(Number.isFinite(widget.max) ? { "aria-valuemax": widget.max } : {})}
        aria-invalid={outside ? true : undefined}
        inputMode="decimal"
        autoComplete="off"
        value={typed ?? shown(value)}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onFocus={(event) => {
          visit.current += 1;
          setFocused(true);
          event.target.select();
        }}
        onBlur={endTyping}
        onKeyDown={onKey}
      />
      <span className="steppers">
        <button type="button" tabIndex={-1} aria-label={W.more1(name)} onClick={(event) => step(1, event, "")}>
          <Icon name="up" />
        </button>
        <button type="button" tabIndex={-1} aria-label={W.less1(name)} onClick={(event) => step(-1, event, "")}>
          <Icon name="down" />
        </button>
      </span>
      <small className="hint" role="status">
        {hint}
      </small>
    </div>
  );
}

const isNumber = (value: Json | undefined): boolean => typeof value === "number" || value instanceof Numeral;

function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return isList(value) || isObject(value) || typeof value !== "string" ? printJson(value) : value;
}

const boundText = (met: "min" | "max", { min, max }: Kind): string => (met === "min" ? W.atLeast(String(min)) : W.atMost(String(max)));
const outsideText = (side: "min" | "max", { min, max }: Kind): string => (side === "min" ? W.below(String(min)) : W.above(String(max)));

/** A sentence that is shown for a moment. */
function useHint(): readonly [hint: string, tell: (text: string) => void] {
  const [hint, setHint] = useState("");
  useEffect(() => {
    if (!hint) return;
    const timer = setTimeout(() => setHint(""), HINT_FOR);
    return () => {
      clearTimeout(timer);
    };
  }, [hint]);
  return [hint, setHint];
}
