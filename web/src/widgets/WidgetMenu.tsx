import { useEffect, useRef, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { searchAt } from "../canvas/view";
import type { Id } from "../document/document";
import { JsonError, parseJson, printJson, type Json } from "../document/json";
import type { Input } from "../document/schema";
import { portAt, togglePort } from "../document/ports";
import { run, tell, workflow } from "../editor";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { Popover } from "./Popover";
import { W } from "./texts";

interface Props {
  readonly box: DOMRect;
  readonly id: Id;
  readonly input: Input;
  readonly value: Json | undefined;
  readonly set: (value: Json) => void;
  readonly reset: (() => void) | undefined;
  readonly close: () => void;
}

/** What can be done with a widget: reset it, copy its value, get it from another node, show it in the form. */
export function WidgetMenu({ box, id, input, value, set, reset, close }: Props) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
  }, []);
  const copy = (): void => {
    const text = typeof value === "string" ? value : printJson(value ?? null);
    trying(() => navigator.clipboard.writeText(text).then(() => tell(W.copied(text.slice(0, 80)))));
  };
  const paste = (): void => trying(async () => pasted(await navigator.clipboard.readText(), value, set));
  const link = (): void => searchAt([box.left, box.top], { gives: input.types }, { node: id, socket: input.name, isOutput: false });
  const port = portAt(workflow(), id, input.name);
  const actions: readonly (readonly [text: string, action: (() => void) | undefined])[] = [
    [resetText(input.initial), reset],
    [W.copyValue, copy],
    [W.pasteValue, paste],
    [W.linkFrom, link],
    [port === undefined ? C.commands.port : T.form.remove(port), () => run(togglePort(id, input.name))],
  ];
  return (
    <Popover box={box} close={close} className="widget-menu" onKeyDown={(event) => moveFocus(event, list.current)}>
      <div ref={list} role="menu" aria-label={W.menu(input.label)}>
        {actions.map(([text, action]) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            disabled={!action}
            onClick={() => {
              close();
              action?.();
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </Popover>
  );
}

function resetText(initial: Json | undefined): string {
  const text = initial === undefined ? "" : typeof initial === "string" ? initial : printJson(initial);
  return text && text.length <= 24 ? W.reset(text) : W.resetPlain;
}

function pasted(text: string, value: Json | undefined, set: (value: Json) => void): void {
  if (typeof value === "string") {
    set(text);
    return;
  }
  try {
    set(parseJson(text.trim()));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    tell(W.badPaste(text.slice(0, 40)));
  }
}

/** The arrow keys go from one action to the next. */
export function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !list) return;
  event.preventDefault();
  const items = [...list.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + by + items.length) % items.length]?.focus();
}
