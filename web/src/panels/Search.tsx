import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { addNode } from "../actions";
import { colourOf } from "../canvas/flow";
import { focusNode } from "../canvas/keyboard";
import { focusCanvas } from "../canvas/view";
import type { NodeType } from "../document/schema";
import { search, useEditor, type Searching } from "../editor";
import { searchTypes } from "../search/types";
import { T } from "../texts";
import { useDeprecated, useFavourites, useRecent } from "../taste";
import { C } from "../texts-canvas";
import { StarMark } from "./Star";

const MOST_SHOWN = 60;
const SIZE = { width: 460, height: 420 };

export function Search() {
  const searching = useEditor((state) => state.searching);
  return searching && <SearchBox key={searching.at.join()} searching={searching} />;
}

/** Closes the search; the focus goes back to the socket it began at, or to the canvas. */
function leave({ link }: Searching): void {
  search(null);
  if (link) focusNode(link.node, { name: link.socket, isOutput: link.isOutput });
  else focusCanvas();
}

/** The nodes that fit words, and the link that was dropped; Enter or a click adds one. */
function SearchBox({ searching }: { readonly searching: Searching }) {
  const types = useEditor((state) => state.types);
  const [favourites, recent, deprecated] = [useFavourites(), useRecent((state) => state.types), useDeprecated()];
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => searchTypes(types, words, searching.wanted, { favourites, recent, deprecated }).slice(0, MOST_SHOWN), [types, words, searching, favourites, recent, deprecated]);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const add = (type: NodeType): void => {
    search(null);
    focusNode(addNode(type, searching));
  };
  const onKey = (event: KeyboardEvent): void => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setAt((place) => Math.min(Math.max(place + move, 0), found.length - 1));
    const chosen = found[at];
    if (event.key === "Enter" && chosen) add(chosen);
    if (event.key === "Escape") leave(searching);
    if (move || ["Enter", "Escape"].includes(event.key)) event.preventDefault();
    event.stopPropagation();
  };
  const [x, y] = searching.screen;
  const place = {
    left: Math.max(Math.min(x - 30, innerWidth - SIZE.width - 16), 8),
    top: Math.max(Math.min(y - 20, innerHeight - SIZE.height - 16), 8),
  };
  const wanted = searching.wanted.takes?.[0] ?? searching.wanted.gives?.[0];
  return (
    <div
      className="popup-back"
      onPointerDown={() => {
        search(null);
      }}
    >
      <div
        className="popup search"
        role="dialog"
        aria-label={T.search.label}
        style={{ width: SIZE.width, ...place }}
        onPointerDown={(event) => {
          event.stopPropagation();
        }}
        onKeyDown={onKey}
      >
        {wanted && (
          <p className={`wanted type-${colourOf(wanted)}`}>
            <i /> {searching.wanted.takes ? T.search.takes(wanted) : T.search.gives(wanted)}
          </p>
        )}
        <input
          autoFocus
          type="search"
          role="combobox"
          aria-expanded
          aria-controls="nodes-found"
          aria-label={T.search.label}
          placeholder={T.search.placeholder}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setAt(0);
          }}
        />
        <ul ref={list} id="nodes-found" role="listbox" aria-label={T.search.results}>
          {found.map((type, index) => (
            <li
              key={type.id}
              role="option"
              aria-selected={index === at}
              className={index === at ? "at" : ""}
              onPointerMove={() => {
                setAt(index);
              }}
              onClick={() => {
                add(type);
              }}
            >
              <div className="found-line">
                <b>{type.title}</b>
                {type.isDeprecated && <small>{C.library.old}</small>}
                <small>{type.category}</small>
                <span className="dots">
                  {type.outputs.slice(0, 5).map((output) => (
                    <i key={output.name} className={`type-${colourOf(output.types[0])}`} title={output.name} />
                  ))}
                </span>
                <StarMark type={type} />
              </div>
              <p>{type.description}</p>
            </li>
          ))}
          {!found.length && <li className="nothing">{T.search.nothing}</li>}
        </ul>
      </div>
    </div>
  );
}
