import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import { trying } from "../actions";
import { deleteAsset, type Asset, type AssetKind } from "../api/assets";
import { tell } from "../editor";
import { forgetResult } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import { GalleryItem } from "./GalleryItem";
import { chosenBy, dayOf, neighbour, type Way } from "./galleryKeys";
import { Icon } from "./Icon";
import { usePages, type Wanted } from "./galleryPages";
import { comparePictures, showGallery, viewPicture } from "./viewing";
import "./gallery.css";

const close = (): void => {
  showGallery(false);
};

const NOTHING: ReadonlySet<string> = new Set();

/** Every file of the output, input or temp folder, to look at, compare, drag onto inputs and delete. */
export function Gallery() {
  const [wanted, setWanted] = useState<Wanted>({ kind: "output", search: "", sort: "newest" });
  const [side, setSide] = useState(150);
  const { files, total, isRead, more, forget } = usePages(wanted);
  const [chosen, setChosen] = useState(NOTHING);
  const [last, setLast] = useState<string | null>(null);
  const [isCarrying, setCarrying] = useState(false);
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.focus();
  }, []);
  const picked = files.filter((file) => chosen.has(file.url));
  const change = (next: Partial<Wanted>): void => {
    setWanted({ ...wanted, ...next });
    setChosen(NOTHING);
  };
  const choose = (url: string, isRange: boolean): void => {
    setChosen(chosenBy(files.map((file) => file.url), chosen, url, isRange ? last : null));
    setLast(url);
  };
  const remove = async (gone: readonly Asset[]): Promise<void> => {
    if (!gone.length || !confirm(R.full.deleteSure(gone.length))) return;
    await Promise.all(gone.map((file) => deleteAsset(file.kind, file.name)));
    for (const file of gone) forgetResult(file.url);
    forget(gone);
    setChosen(NOTHING);
    box.current?.focus();
    tell(R.full.deleted(gone.length));
  };
  const onKey = (event: KeyboardEvent<HTMLElement>): void => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    const url = (event.target as HTMLElement).dataset["url"];
    if (url === undefined) return;
    const way = WAYS[event.key];
    if (way) neighbour(event.currentTarget, event.target as HTMLElement, way)?.focus();
    else if (event.key === " ") choose(url, event.shiftKey);
    else if (event.key === "Enter") viewPicture(url, files);
    else if (event.key === "Delete") trying(() => remove(picked.length ? picked : files.filter((file) => file.url === url)));
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) setChosen(new Set(files.map((file) => file.url)));
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent, file: Asset): void => {
    if (event.shiftKey || event.ctrlKey || event.metaKey) choose(file.url, event.shiftKey);
    else viewPicture(file.url, files);
  };
  return (
    <section
      ref={box}
      role="dialog"
      aria-label={R.results.gallery}
      tabIndex={-1}
      className={`gallery${isCarrying ? " carrying" : ""}`}
      onKeyDown={onKey}
      onDragStart={() => {
        requestAnimationFrame(() => {
          setCarrying(true);
        });
      }}
      onDragEnd={() => {
        setCarrying(false);
      }}
    >
      <Head wanted={wanted} change={change} total={total} side={side} setSide={setSide} />
      <div className="gallery-files" style={{ "--side": `${side}px` } as React.CSSProperties} role="listbox" aria-multiselectable aria-label={R.gallery.files}>
        <Days files={files} isByName={wanted.sort === "name"}>
          {(file, index) => (
            <GalleryItem key={file.url} file={file} isFirst={index === 0} isChosen={chosen.has(file.url)} choose={choose} onClick={onClick} />
          )}
        </Days>
        {isRead && !files.length && <p className="nothing">{wanted.search ? R.gallery.nothingFound : R.gallery.nothing}</p>}
        {files.length < total && <More key={files.length} show={more} />}
      </div>
      <footer>
        {picked.length ? (
          <>
            <b>{R.gallery.chosen(picked.length)}</b>
            <button type="button" disabled={picked.length !== 2} onClick={() => comparePictures(picked[1]?.url ?? "", picked[0]?.url ?? "", files)}>
              {R.gallery.compare}
            </button>
            <button type="button" onClick={() => setChosen(NOTHING)}>
              {R.gallery.clear}
            </button>
            <span className="space" />
            <button type="button" className="dangerous" onClick={() => trying(() => remove(picked))}>
              {R.full.delete}
            </button>
          </>
        ) : (
          <small>{R.gallery.hint}</small>
        )}
      </footer>
    </section>
  );
}

const WAYS: Readonly<Record<string, Way>> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" };

interface HeadProps {
  readonly wanted: Wanted;
  readonly change: (next: Partial<Wanted>) => void;
  readonly total: number;
  readonly side: number;
  readonly setSide: (side: number) => void;
}

function Head({ wanted, change, total, side, setSide }: HeadProps) {
  return (
    <header>
      <h2>{R.results.gallery}</h2>
      <div className="kinds" role="radiogroup" aria-label={R.gallery.kind}>
        {(Object.keys(R.gallery.kinds) as AssetKind[]).map((kind) => (
          <button key={kind} type="button" role="radio" aria-checked={kind === wanted.kind} onClick={() => change({ kind })}>
            {R.gallery.kinds[kind]}
          </button>
        ))}
      </div>
      <input type="search" aria-label={R.gallery.search} placeholder={R.gallery.search} value={wanted.search} onChange={(event) => change({ search: event.target.value })} />
      <select aria-label={R.gallery.sort} value={wanted.sort} onChange={(event) => change({ sort: event.target.value as Wanted["sort"] })}>
        {Object.entries(R.gallery.sorts).map(([sort, text]) => (
          <option key={sort} value={sort}>
            {text}
          </option>
        ))}
      </select>
      <small>{R.gallery.count(total)}</small>
      <span className="space" />
      <input type="range" aria-label={R.gallery.size} min={90} max={320} value={side} onChange={(event) => setSide(Number(event.target.value))} />
      <button type="button" className="icon-button" aria-label={T.panel.close} onClick={close}>
        <Icon name="close" />
      </button>
    </header>
  );
}

interface DaysProps {
  readonly files: readonly Asset[];
  readonly isByName: boolean;
  readonly children: (file: Asset, index: number) => React.ReactNode;
}

/** The files, those of a day together where the newest come first. */
function Days({ files, isByName, children }: DaysProps) {
  const days = useMemo(() => {
    const found = new Map<string, { file: Asset; index: number }[]>();
    files.forEach((file, index) => {
      const day = isByName ? "" : dayOf(file.modified);
      found.set(day, [...(found.get(day) ?? []), { file, index }]);
    });
    return [...found];
  }, [files, isByName]);
  return days.map(([day, own]) => (
    <div key={day} role="group" aria-label={day || R.gallery.files} className="day">
      {day && (
        <span role="presentation" className="day-name">
          {day}
        </span>
      )}
      {own.map(({ file, index }) => children(file, index))}
    </div>
  ));
}

/** Shows more once it comes into sight. */
function More({ show }: { readonly show: () => void }) {
  const end = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (!end.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) show();
    });
    observer.observe(end.current);
    return () => {
      observer.disconnect();
    };
  }, [show]);
  return <p ref={end} className="nothing" aria-hidden>…</p>;
}
