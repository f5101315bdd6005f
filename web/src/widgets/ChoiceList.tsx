import { useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Id } from "../document/document";
import type { Json } from "../document/json";
import { labelOf, nearest, type Option } from "./options";
import { Popover } from "./Popover";
import { W } from "./texts";
import { useOptions, type Choosing } from "./useOptions";

interface Props {
  /** The id of the list, which the button that opens it names. */
  readonly id: string;
  readonly name: string;
  readonly node: Id;
  readonly widget: Choosing;
  readonly box: DOMRect;
  /** A chosen value that is not among the options, or undefined. */
  readonly gone?: Json | undefined;
  readonly several?: boolean;
  readonly isChosen: (value: Json) => boolean;
  readonly choose: (value: Json) => void;
  readonly close: () => void;
}

const ROW = 34;
const SHOWN = 9;
/** Rows beyond those in sight that are drawn too. */
const SPARE = 4;

/** A search field over a list of any length: only what is in sight is drawn. */
export function ChoiceList({ id, name, node, widget, box, gone, several = false, isChosen, choose, close }: Props) {
  const [words, setWords] = useState("");
  const { options: fitting, total, more } = useOptions(widget, node, words);
  const near = useMemo(() => (gone === undefined || words ? [] : nearest(labelOf(gone), fitting)), [gone, words, fitting]);
  const options = useMemo(() => (near.length ? [...near, ...fitting.filter((option) => !near.includes(option))] : fitting), [near, fitting]);
  const [moved, setMoved] = useState<number | null>(null);
  const at = Math.min(moved ?? Math.max(near.length ? 0 : options.findIndex((option) => isChosen(option.value)), 0), options.length - 1);
  const onKey = (event: KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + SHOWN, PageUp: at - SHOWN }[event.key];
    if (to !== undefined) setMoved(Math.min(Math.max(to, 0), options.length - 1));
    const chosen = options[at];
    if (event.key === "Enter" && chosen) choose(chosen.value);
    if (event.key === "Tab") close();
    if (to !== undefined || event.key === "Enter") event.preventDefault();
  };
  return (
    <Popover box={box} close={close} onKeyDown={onKey} className="choices" width={280}>
      <input
        autoFocus
        type="search"
        role="combobox"
        aria-label={W.filter}
        aria-expanded
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={options[at] ? `${id}-${at}` : undefined}
        placeholder={W.filter}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setMoved(0);
        }}
      />
      {gone !== undefined && !words && <p className="gone-text">{W.goneWhy(labelOf(gone))}</p>}
      <Rows id={id} name={name} options={options} total={total} at={at} near={near.length} several={several} isChosen={isChosen} choose={choose} point={setMoved} more={more} />
      {total > SHOWN && <small className="total">{W.more(total)}</small>}
    </Popover>
  );
}

interface RowsProps {
  readonly id: string;
  readonly name: string;
  readonly options: readonly Option[];
  readonly total: number;
  readonly at: number;
  readonly near: number;
  readonly several: boolean;
  readonly isChosen: (value: Json) => boolean;
  readonly choose: (value: Json) => void;
  readonly point: (at: number) => void;
  readonly more: () => void;
}

function Rows({ id, name, options, total, at, near, several, isChosen, choose, point, more }: RowsProps) {
  const list = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const box = list.current;
    if (!box || at < 0) return;
    if (at * ROW < box.scrollTop) box.scrollTop = at * ROW;
    if ((at + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = (at + 1) * ROW - box.clientHeight;
  }, [at, options]);
  const from = Math.max(Math.floor(top / ROW) - SPARE, 0);
  const inSight = options.slice(from, from + SHOWN + 2 * SPARE);
  return (
    <div
      ref={list}
      id={id}
      role="listbox"
      aria-label={name}
      aria-multiselectable={several || undefined}
      tabIndex={-1}
      className="rows"
      style={{ height: Math.min(Math.max(options.length, 1), SHOWN) * ROW }}
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop);
        if (event.currentTarget.scrollTop > (options.length - 3 * SHOWN) * ROW) more();
      }}
    >
      <div role="presentation" style={{ height: options.length * ROW }}>
        {inSight.map((option, index) => (
          <OptionRow
            key={`${from + index} ${option.text}`}
            id={`${id}-${from + index}`}
            place={from + index}
            total={total}
            option={option}
            hint={from + index < near ? W.nearest : option.hint}
            isAt={from + index === at}
            isChosen={isChosen(option.value)}
            choose={choose}
            point={point}
          />
        ))}
      </div>
      {!options.length && <p className="nothing">{W.none}</p>}
    </div>
  );
}

interface RowProps {
  readonly id: string;
  readonly place: number;
  readonly total: number;
  readonly option: Option;
  readonly hint: string;
  readonly isAt: boolean;
  readonly isChosen: boolean;
  readonly choose: (value: Json) => void;
  readonly point: (at: number) => void;
}

function OptionRow({ id, place, total, option, hint, isAt, isChosen, choose, point }: RowProps) {
  return (
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      aria-setsize={total}
      aria-posinset={place + 1}
      className={`option${isAt ? " at" : ""}${option.against ? " against" : ""}`}
      style={{ top: place * ROW, height: ROW }}
      title={option.against || option.text}
      onPointerMove={() => {
        point(place);
      }}
      onClick={() => {
        choose(option.value);
      }}
    >
      {option.picture && <img src={option.picture} alt="" loading="lazy" onError={(event) => event.currentTarget.remove()} />}
      <span>{option.text}</span>
      <small>{option.against || hint}</small>
    </div>
  );
}
