import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { openJob } from "../files";
import { forgetResult, useRuns, type Result } from "../runs";
import { T } from "../texts";
import { Icon } from "./Icon";
import { useViewing, viewPicture } from "./viewing";

/** The pictures of the last runs, the newest first. */
export function ResultStrip() {
  const results = useRuns((state) => state.results);
  if (!results.length) return null;
  return (
    <section className="strip" aria-label={T.panel.results}>
      {[...results].reverse().map((result, index) => (
        <button
          key={`${result.job} ${result.picture.url}`}
          type="button"
          aria-label={T.panel.result(results.length - index)}
          title={result.picture.name}
          onClick={() => {
            viewPicture(result.picture.url);
          }}
        >
          <img
            src={result.picture.url}
            alt={result.picture.name}
            loading="lazy"
            onError={() => {
              forgetResult(result);
            }}
          />
        </button>
      ))}
    </section>
  );
}

export function FullView() {
  const url = useViewing((state) => state.picture);
  const results = useRuns((state) => state.results);
  if (!url) return null;
  return <Full key={url} url={url} results={results} />;
}

/** One picture as large as the page, with zoom and the arrow keys. */
function Full({ url, results }: { readonly url: string; readonly results: readonly Result[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [zoom, setZoom] = useState(1);
  const place = results.findIndex((result) => result.picture.url === url);
  const result = results[place];
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const step = (by: number): void => {
    const next = place < 0 ? undefined : results[place + by];
    if (next) viewPicture(next.picture.url);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
    event.stopPropagation();
  };
  return (
    <dialog
      ref={dialog}
      className="full-view"
      aria-label={T.panel.fullView}
      onKeyDown={onKey}
      onClose={() => {
        viewPicture(null);
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) viewPicture(null);
      }}
    >
      <div
        className="full-picture"
        onWheel={(event) => {
          setZoom((old) => Math.min(Math.max(old * (event.deltaY < 0 ? 1.2 : 1 / 1.2), 0.5), 16));
        }}
        onClick={(event) => {
          if (event.target === event.currentTarget) viewPicture(null);
        }}
      >
        <img src={url} alt={result?.picture.name ?? T.panel.fullView} style={{ transform: `scale(${zoom})` }} className={zoom > 1 ? "sharp" : ""} />
      </div>
      <footer>
        <span>{result?.picture.name}</span>
        {result && (
          <>
            <button type="button" aria-label={T.panel.previous} disabled={place <= 0} onClick={() => step(-1)}>
              <Icon name="left" />
            </button>
            <button type="button" aria-label={T.panel.next} disabled={place >= results.length - 1} onClick={() => step(1)}>
              <Icon name="right" />
            </button>
            <button
              type="button"
              onClick={() => {
                viewPicture(null);
                trying(() => openJob(result.job));
              }}
            >
              {T.panel.openWorkflow}
            </button>
          </>
        )}
        <a className="button" href={url} download>
          {T.panel.download}
        </a>
        <button
          type="button"
          onClick={() => {
            viewPicture(null);
          }}
        >
          {T.panel.close}
        </button>
      </footer>
    </dialog>
  );
}
