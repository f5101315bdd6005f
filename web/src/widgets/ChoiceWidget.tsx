import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { createPortal } from "react-dom";
import { readFiles, trying } from "../actions";
import { printJson, type Json } from "../document/json";
import type { Widget } from "../document/schema";
import { closeness } from "../search/closeness";
import { useEditor } from "../editor";
import { T } from "../texts";
import type { WidgetProps } from "./Widget";

type Kind = Extract<Widget, { kind: "choice" | "file" | "image" }>;
interface Option {
  readonly value: Json;
  readonly text: string;
  readonly hint: string;
}

const MOST_SHOWN = 200;

/** One of many: a button that opens a list with a search field. */
export function ChoiceWidget({ name, widget, value, set }: WidgetProps<Kind>) {
  const [box, setBox] = useState<DOMRect | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const popup = useId();
  const shown = value === undefined || value === null ? T.widget.choose : textOf(value);
  const show = (): void => {
    if (widget.kind !== "choice") trying(() => readFiles(widget.folder));
    setBox(button.current?.getBoundingClientRect() ?? null);
  };
  const close = (): void => {
    setBox(null);
    button.current?.focus();
  };
  return (
    <div className="field nodrag">
      <span className="field-name">{name}</span>
      <button
        ref={button}
        type="button"
        role="combobox"
        className="field-value choice"
        aria-label={name}
        aria-haspopup="listbox"
        aria-controls={popup}
        aria-expanded={box !== null}
        title={shown}
        onClick={show}
      >
        <span>{shown}</span>
      </button>
      {box &&
        createPortal(
          <Popup
            id={popup}
            name={name}
            widget={widget}
            box={box}
            value={value}
            close={close}
            choose={(chosen) => {
              set(chosen);
              close();
            }}
          />,
          document.body,
        )}
    </div>
  );
}

const textOf = (value: Json): string => (typeof value === "string" ? value : printJson(value));

function useOptions(widget: Kind): readonly Option[] {
  const files = useEditor((state) => (widget.kind === "choice" ? undefined : state.files.get(widget.folder)));
  return useMemo(() => {
    if (widget.kind === "choice") return widget.options.map((value) => ({ value, text: textOf(value), hint: "" }));
    return (files ?? []).map((file) => ({ value: file.name, text: file.name, hint: file.hint }));
  }, [widget, files]);
}

interface PopupProps {
  readonly id: string;
  readonly name: string;
  readonly widget: Kind;
  readonly box: DOMRect;
  readonly value: Json | undefined;
  readonly close: () => void;
  readonly choose: (value: Json) => void;
}

function Popup({ id, name, widget, box, value, close, choose }: PopupProps) {
  const options = useOptions(widget);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(() => Math.max(options.findIndex((option) => option.value === value), 0));
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => {
    const needle = words.trim().toLowerCase();
    if (!needle) return options.slice(0, MOST_SHOWN);
    const scored = options.map((option) => ({ option, score: closeness(option.text, needle) })).filter(({ score }) => score > 0);
    return scored.sort((a, b) => b.score - a.score).map(({ option }) => option).slice(0, MOST_SHOWN);
  }, [options, words]);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at, found]);
  const onKey = (event: KeyboardEvent): void => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setAt((place) => Math.min(Math.max(place + move, 0), found.length - 1));
    const chosen = found[at];
    if (event.key === "Enter" && chosen) choose(chosen.value);
    if (event.key === "Escape" || event.key === "Tab") close();
    if (move || ["Enter", "Escape"].includes(event.key)) event.preventDefault();
    event.stopPropagation();
  };
  const below = innerHeight - box.bottom > 300 || box.top < 300;
  const place = below ? { top: box.bottom + 4 } : { bottom: innerHeight - box.top + 4 };
  return (
    <div className="popup-back" onPointerDown={close}>
      <div
        className="popup"
        style={{ left: Math.min(box.left, innerWidth - 300), minWidth: Math.max(box.width, 220), ...place }}
        onPointerDown={(event) => {
          event.stopPropagation();
        }}
        onKeyDown={onKey}
      >
        <input
          autoFocus
          type="search"
          aria-label={T.widget.filter}
          placeholder={T.widget.filter}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setAt(0);
          }}
        />
        <ul ref={list} id={id} role="listbox" aria-label={name} tabIndex={-1}>
          {found.map((option, index) => (
            <li
              key={option.text}
              role="option"
              aria-selected={option.value === value}
              className={index === at ? "at" : ""}
              onPointerEnter={() => {
                setAt(index);
              }}
              onClick={() => {
                choose(option.value);
              }}
            >
              <span>{option.text}</span>
              {option.hint && <small>{option.hint}</small>}
            </li>
          ))}
          {!found.length && <li className="nothing">{T.widget.none}</li>}
        </ul>
      </div>
    </div>
  );
}
