import { memo, useMemo, useState, type KeyboardEvent } from "react";
import { addNode } from "../actions";
import { colourOf } from "../canvas/flow";
import { focusNode } from "../canvas/keyboard";
import { dragType } from "../canvas/library";
import { onCanvas } from "../canvas/view";
import type { NodeType, NodeTypes } from "../document/schema";
import { useEditor } from "../editor";
import { searchTypes } from "../search/types";
import { keep, useDeprecated, useFavourites, useRecent } from "../taste";
import { C } from "../texts-canvas";
import { Star } from "./Star";

/** Every node type by category, to be dragged onto the canvas. */
export function Library() {
  const types = useEditor((state) => state.types);
  const favourites = useFavourites();
  const recent = useRecent((state) => state.types);
  const deprecated = useDeprecated();
  const [words, setWords] = useState("");
  const found = useMemo(() => (words.trim() ? searchTypes(types, words, {}, { deprecated }) : null), [types, words, deprecated]);
  const shelves = useMemo(() => shelvesOf(types, deprecated), [types, deprecated]);
  const known = (ids: readonly string[]): NodeType[] => ids.flatMap((id) => types.get(id) ?? []);
  return (
    <>
      <input
        autoFocus
        type="search"
        aria-label={C.library.filter}
        placeholder={C.library.filter}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
        }}
      />
      <div className="beside-body" onKeyDown={moveFocus}>
        {found ? (
          <Shelf types={found} />
        ) : (
          <>
            <Category title={C.library.favourites} types={known(favourites)} isOpen />
            <Category title={C.library.recent} types={known(recent).slice(0, 6)} isOpen={!favourites.length} />
            {shelves.map(([title, shelf]) => (
              <Category key={title} title={title} types={shelf} />
            ))}
          </>
        )}
      </div>
      <footer>
        <label>
          <input type="checkbox" checked={deprecated} onChange={(event) => keep("deprecated", event.target.checked)} /> {C.library.deprecated}
        </label>
      </footer>
    </>
  );
}

function shelvesOf(types: NodeTypes, deprecated: boolean): [string, NodeType[]][] {
  const shelves = new Map<string, NodeType[]>();
  for (const type of types.values()) {
    if (type.isDeprecated && !deprecated) continue;
    const title = type.category.split("/").join(" › ") || C.library.other;
    shelves.set(title, [...(shelves.get(title) ?? []), type]);
  }
  for (const shelf of shelves.values()) shelf.sort((a, b) => a.title.localeCompare(b.title));
  return [...shelves].sort(([a], [b]) => Number(a.startsWith("_")) - Number(b.startsWith("_")) || a.localeCompare(b));
}

function Category({ title, types, isOpen = false }: { readonly title: string; readonly types: readonly NodeType[]; readonly isOpen?: boolean }) {
  const [open, setOpen] = useState(isOpen);
  if (!types.length) return null;
  return (
    <details
      open={open}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>
        {title} <small>{types.length}</small>
      </summary>
      {open && <Shelf types={types} />}
    </details>
  );
}

function Shelf({ types }: { readonly types: readonly NodeType[] }) {
  return (
    <ul className="shelf">
      {types.map((type) => (
        <Book key={type.id} type={type} />
      ))}
    </ul>
  );
}

function addInMiddle(type: NodeType): void {
  const screen = [innerWidth / 2, innerHeight / 3] as const;
  focusNode(addNode(type, { at: onCanvas(screen), screen, wanted: {} }));
}

const Book = memo(function Book({ type }: { readonly type: NodeType }) {
  return (
    <li>
      <button
        type="button"
        draggable
        data-category={type.category.split("/")[0]}
        title={type.description}
        onDragStart={(event) => {
          dragType(event, type.id);
        }}
        onDoubleClick={() => {
          addInMiddle(type);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          addInMiddle(type);
        }}
      >
        <b>
          {type.title}
          {type.isDeprecated && <small> {C.library.old}</small>}
        </b>
        <span className="dots">
          {type.outputs.slice(0, 4).map((output) => (
            <i key={output.name} className={`type-${colourOf(output.types[0])}`} />
          ))}
        </span>
        <span className="book-text">{type.description}</span>
      </button>
      <Star type={type} />
    </li>
  );
});

/** Up and down go from entry to entry. */
export function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("summary, li > button:first-child")];
  const next = items[items.indexOf(document.activeElement as HTMLElement) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
