import { useRef, type KeyboardEvent } from "react";
import { asText } from "../document/json";
import type { Widget } from "../document/schema";
import { weigh } from "./weigh";
import type { WidgetProps } from "./Widget";

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
