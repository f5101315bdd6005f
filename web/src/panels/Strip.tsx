import type { DragEvent, MouseEvent } from "react";
import { thumbnailUrl } from "../api/assets";
import { carryAsset } from "../jobs/dragging";
import { progressOf } from "../jobs/estimate";
import { mediaOf } from "../jobs/media";
import { activeJobs, forgetResult, useRuns, type Result } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import { Icon } from "./Icon";
import { pinPicture, showGallery, useViewing, viewPicture, type Shot } from "./viewing";
import "./strip.css";

const THUMBNAIL = 160;

export const shotOf = ({ picture, job }: Result): Shot => ({ name: picture.name, kind: picture.kind, url: picture.url, job });

/** The pictures of the last runs, the newest first, after what is being made now. */
export function ResultStrip() {
  const results = useRuns((state) => state.results);
  const running = useRuns((state) => activeJobs(state).find((run) => run.job.state === "running")?.job.id);
  if (!results.length && !running) return null;
  return (
    <section className="strip" aria-label={T.panel.results}>
      <button type="button" className="to-gallery" aria-label={R.results.openGallery} title={R.results.openGallery} onClick={() => showGallery(true)}>
        <Icon name="grid" />
      </button>
      {running && <Making job={running} />}
      {[...results].reverse().map((result, index) => (
        <Thumbnail key={result.picture.url} result={result} label={T.panel.result(results.length - index)} />
      ))}
    </section>
  );
}

/** What runs now: its last preview, and how far it is. */
function Making({ job }: { readonly job: string }) {
  const title = useRuns((state) => state.jobs.get(job)?.job.title) ?? T.untitled;
  const preview = useRuns((state) => [...state.previews].findLast(([key]) => key.startsWith(`${job} `))?.[1]);
  const share = useRuns((state) => {
    const run = state.jobs.get(job);
    return run ? Math.round(progressOf(run, state.timings).share * 100) / 100 : 0;
  });
  return (
    <div className="making" role="img" aria-label={R.results.running(title)}>
      {preview && <img src={preview} alt="" />}
      <span>{R.percent(share)}</span>
    </div>
  );
}

function Thumbnail({ result, label }: { readonly result: Result; readonly label: string }) {
  const { picture } = result;
  const isPinned = useViewing((state) => state.pinned === picture.url);
  const onClick = (event: MouseEvent): void => {
    if (event.shiftKey || event.ctrlKey || event.metaKey) pinPicture(picture.url);
    else viewPicture(picture.url);
  };
  const onDragStart = (event: DragEvent): void => {
    carryAsset(event.dataTransfer, picture);
  };
  const gone = (): void => {
    forgetResult(picture.url);
  };
  return (
    <button
      type="button"
      className={isPinned ? "pinned" : ""}
      aria-label={label}
      aria-pressed={isPinned || undefined}
      title={isPinned ? R.results.pinned : picture.name}
      draggable
      onDragStart={onDragStart}
      onClick={onClick}
    >
      {mediaOf(picture.name) === "video" ? (
        <video src={picture.url} muted preload="metadata" aria-label={picture.name} onError={gone} />
      ) : (
        <img src={thumbnailUrl(picture, THUMBNAIL)} alt={picture.name} loading="lazy" draggable={false} onError={gone} />
      )}
    </button>
  );
}
