import { useEffect, useLayoutEffect, useMemo, useState, type KeyboardEvent, type RefObject } from "react";
import { createPortal } from "react-dom";
import { readFiles, trying } from "../actions";
import { filesOf, NO_FILES, type FilePage } from "../api/options";
import { useEditor } from "../editor";
import { fileOption, fitting } from "./options";
import { embeddingWord } from "./syntax";
import { W } from "./texts";
import { placeOnScreen } from "./writing";

interface Props {
  readonly id: string;
  readonly words: string;
  /** A copy of the text that is laid out alike, and where in it the words begin. */
  readonly copy: RefObject<HTMLElement | null>;
  readonly at: number;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  readonly complete: (word: string) => void;
  readonly close: () => void;
  /** Is given what a key does here; it tells whether it did something. */
  readonly keys: RefObject<(event: KeyboardEvent) => boolean>;
}

const FOLDER = "embeddings";
const MOST = 12;

/** The embeddings that fit what is being written, below the cursor; the field keeps the focus. */
export function Completions({ id, words, copy, at, area, complete, close, keys }: Props) {
  const found = useEmbeddings(words);
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
      const word = found[index];
      if (event.key === "Escape") close();
      else if (move && found.length && !event.ctrlKey) setPlace({ words, index: (index + move + found.length) % found.length });
      else if ((event.key === "Enter" || event.key === "Tab") && word && !event.ctrlKey) complete(word);
      else return false;
      return true;
    };
  });
  if (!found.length || !box) return null;
  return createPortal(
    <ul id={id} role="listbox" aria-label={W.completions} className="popup completions" style={{ left: Math.min(box.left, innerWidth - 300), top: box.bottom + 4 }}>
      {found.map((word, row) => (
        <li
          key={word}
          id={`${id}-${row}`}
          role="option"
          aria-selected={row === index}
          className={row === index ? "at" : ""}
          onPointerDown={(event) => {
            event.preventDefault();
            complete(word);
          }}
        >
          <span>{word.slice(word.indexOf(":") + 1)}</span>
          <small>{W.embedding}</small>
        </li>
      ))}
    </ul>,
    document.body,
  );
}

/** The words for embeddings whose names hold `words`: of those that are known, or of the server where it has more. */
function useEmbeddings(words: string): readonly string[] {
  const known = useEditor((state) => state.files.get(FOLDER));
  const [searched, setSearched] = useState<FilePage>(NO_FILES);
  const isLarge = known !== undefined && known.total > known.files.length;
  useEffect(() => {
    if (!known) trying(() => readFiles(FOLDER));
  }, [known]);
  useEffect(() => {
    if (!isLarge) return;
    let isOld = false;
    trying(async () => {
      const page = await filesOf(FOLDER, words);
      if (!isOld) setSearched(page);
    });
    return () => {
      isOld = true;
    };
  }, [isLarge, words]);
  return useMemo(() => {
    const { files } = isLarge ? searched : (known ?? NO_FILES);
    const options = files.map((file) => fileOption({ ...file, name: embeddingWord(file.name) }, "", () => "")).filter((option) => option.text);
    return fitting(options, words).slice(0, MOST).map((option) => option.text);
  }, [known, searched, isLarge, words]);
}
