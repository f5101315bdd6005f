import { useRef, type KeyboardEvent } from "react";
import { asText } from "../document/json";
import type { Widget } from "../document/schema";
import type { WidgetProps } from "./Widget";

const WEIGHED = /^\((.*):(-?\d+(?:\.\d+)?)\)$/s;

/** A text; in prompts Ctrl+Up and Ctrl+Down weigh the words that are selected. */
export function TextWidget({ name, widget, value, set }: WidgetProps<Extract<Widget, { kind: "text" }>>) {
  const visit = useRef(0);
  const text = asText(value);
  const gesture = (): string => `typing ${visit.current}`;
  const begin = (): void => {
    visit.current += 1;
  };
  if (!widget.multiline)
    return (
      <label className="field nodrag">
        <span className="field-name">{name}</span>
        <input
          className="field-value"
          aria-label={name}
          value={text}
          onFocus={begin}
          onChange={(event) => {
            set(event.target.value, gesture());
          }}
        />
      </label>
    );
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    const change = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (!change || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const area = event.currentTarget;
    const weighed = weigh(text, area.selectionStart, area.selectionEnd, change);
    set(weighed.text, gesture());
    requestAnimationFrame(() => {
      area.setSelectionRange(weighed.start, weighed.end);
    });
  };
  return (
    <textarea
      className="prompt nodrag nowheel"
      aria-label={name}
      placeholder={name}
      spellCheck={false}
      value={text}
      onFocus={begin}
      onChange={(event) => {
        set(event.target.value, gesture());
      }}
      onKeyDown={onKey}
    />
  );
}

/** The text with its selected part, or the word at the cursor, weighing `change` more. */
export function weigh(text: string, from: number, to: number, change: number): { text: string; start: number; end: number } {
  let [start, end] = [from, to];
  if (start === end) {
    while (start > 0 && /[^\s,]/.test(text[start - 1] ?? "")) start -= 1;
    while (end < text.length && /[^\s,]/.test(text[end] ?? "")) end += 1;
  }
  const part = text.slice(start, end);
  if (!part) return { text, start, end };
  const [, words = part, weight = "1"] = WEIGHED.exec(part) ?? [];
  const next = Math.round((Number(weight) + change) * 100) / 100;
  const put = next === 1 ? words : `(${words}:${next})`;
  return { text: text.slice(0, start) + put + text.slice(end), start, end: start + put.length };
}
