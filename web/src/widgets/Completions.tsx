import { useEffect, useLayoutEffect, useState, type KeyboardEvent, type RefObject } from "react";
import { createPortal } from "react-dom";
import type { Id } from "../document/document";
import type { Completion } from "./syntax";
import { W } from "./texts";
import { useNames, type Name } from "./useNames";
import { placeOnScreen } from "./writing";

interface Props {
  readonly id: string;
  readonly node: Id;
  readonly completion: Completion;
  /** A copy of the text that is laid out alike. */
  readonly copy: RefObject<HTMLElement | null>;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly complete: (name: Name) => void;
  readonly close: () => void;
  /** Is given what a key does here; it tells whether it did something. */
  readonly keys: RefObject<(event: KeyboardEvent) => boolean>;
}

/** The embeddings and LoRAs that fit what is being written, below the cursor; the field keeps the focus. */
export function Completions({ id, node, completion, copy, area, complete, close, keys }: Props) {
  const { words, from: at } = completion;
  const found = useNames(completion, node);
  const [place, setPlace] = useState({ words, index: 0 });
  const [box, setBox] = useState<DOMRect | null>(null);
  const index = place.words === words ? Math.min(place.index, found.length - 1) : 0;
  useLayoutEffect(() => {
    if (copy.current) setBox(placeOnScreen(copy.current, at));
  }, [copy, at]);
  useEffect(() => {
    const field = area.current;
    if (found[index]) field?.setAttribute("aria-activedescendant", `${id}-${index}`);
    return () => {
      field?.removeAttribute("aria-activedescendant");
    };
  }, [area, id, index, found]);
  useEffect(() => {
    keys.current = (event) => {
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const name = found[index];
      if (event.key === "Escape") close();
      else if (move && found.length && !event.ctrlKey) setPlace({ words, index: (index + move + found.length) % found.length });
      else if ((event.key === "Enter" || event.key === "Tab") && name && !event.ctrlKey) complete(name);
      else return false;
      return true;
    };
  });
  if (!found.length || !box) return null;
  return createPortal(
    <ul id={id} role="listbox" aria-label={W.completions} className="popup completions" style={{ left: Math.min(box.left, innerWidth - 300), top: box.bottom + 4 }}>
      {found.map((name, row) => (
        <li
          key={`${name.kind} ${name.value}`}
          id={`${id}-${row}`}
          role="option"
          aria-selected={row === index}
          className={`${row === index ? "at" : ""}${name.against ? " against" : ""}`}
          title={name.against || undefined}
          onPointerDown={(event) => {
            event.preventDefault();
            complete(name);
          }}
        >
          <span>{name.text}</span>
          <small>{[W.named[name.kind], name.against || name.hint].filter(Boolean).join(" · ")}</small>
        </li>
      ))}
    </ul>,
    document.body,
  );
}
