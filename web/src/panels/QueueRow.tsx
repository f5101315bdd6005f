import { useState, type DragEvent, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { openJob } from "../files";
import { thumbnailUrl } from "../api/assets";
import * as api from "../api/jobs";
import { titleOfRan } from "../editor";
import { copyText, forgetJob, moveJob, setPriority, showOnCanvas } from "../jobs/actions";
import { progressOf } from "../jobs/estimate";
import { isPicture } from "../jobs/media";
import { dropPlace, placeFor, type Place, type Where } from "../jobs/queue";
import { duration, moment } from "../jobs/words";
import { lacking, useMe } from "../me";
import { useRuns } from "../runs";
import { isLoading, useSystem } from "../system";
import { T } from "../texts";
import { R } from "../texts-runs";
import { tell } from "../editor";
import { ActionMenu, type Item } from "./ActionMenu";
import { Icon } from "./Icon";

const DRAGGED = "application/x-darkroom-job";

/** A job that runs or waits. Waiting ones are put in another order by dragging or by Alt + arrow keys. */
export function OpenRow({ job, waiting }: { readonly job: api.Job; readonly waiting: readonly string[] }) {
  const isShown = useRuns((state) => state.shown === job.id);
  const [isOver, setOver] = useState(false);
  const canMove = job.state === "queued";
  const go = (place: Place | null): void => {
    if (!place) return;
    trying(async () => {
      await moveJob(job.id, place);
      const order = useRuns.getState().order.filter((id) => waiting.includes(id));
      tell(R.queue.moved(titleOr(job), order.indexOf(job.id) + 1, order.length));
    });
  };
  const onKey = (event: KeyboardEvent): void => {
    const where = event.altKey ? ({ ArrowUp: "up", ArrowDown: "down", Home: "top", End: "last" } as const)[event.key] : undefined;
    if (!where || !canMove) return;
    event.preventDefault();
    event.stopPropagation();
    go(placeFor(waiting, job.id, where));
  };
  const onDrop = (event: DragEvent): void => {
    setOver(false);
    const id = event.dataTransfer.getData(DRAGGED);
    const place = dropPlace(waiting, id, job.id);
    if (!place) return;
    event.preventDefault();
    trying(() => moveJob(id, place));
  };
  return (
    <li
      className={`run-row state-${job.state}${isShown ? " shown" : ""}${isOver ? " over" : ""}`}
      draggable={canMove}
      title={canMove ? R.queue.handle : undefined}
      onKeyDown={onKey}
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAGGED, job.id);
        event.dataTransfer.effectAllowed = "move";
      }}
      onDragOver={(event) => {
        if (!canMove || !event.dataTransfer.types.includes(DRAGGED)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={onDrop}
    >
      <Glyph job={job} />
      <Words job={job}>
        <OpenState job={job} place={waiting.indexOf(job.id) + 1} />
      </Words>
      <HoldButton job={job} />
      <Action text={R.queue.cancelJob} icon="close" run={() => api.change(job.id, "cancel")} />
      <ActionMenu label={R.queue.menu(titleOr(job))} groups={openItems(job, waiting, go)}>
        <Icon name="more" />
      </ActionMenu>
    </li>
  );
}

export function EndedRow({ job }: { readonly job: api.Job }) {
  const isShown = useRuns((state) => state.shown === job.id);
  const seconds = job.started && job.ended ? (job.ended - job.started) / 1000 : null;
  return (
    <li className={`run-row state-${job.state}${isShown ? " shown" : ""}`}>
      <Glyph job={job} />
      <Words job={job}>
        <small>
          <b>{T.run.states[job.state]}</b>
          {[seconds === null ? "" : duration(seconds), job.ended ? moment(job.ended) : "", whoOf(job)].filter(Boolean).map((text) => (
            <span key={text}>{text}</span>
          ))}
        </small>
        {job.error && <small className="error">{job.error.message}</small>}
      </Words>
      <Action text={T.panel.retry} icon="retry" run={() => api.change(job.id, "retry")} />
      <ActionMenu label={R.queue.menu(titleOr(job))} groups={endedItems(job)}>
        <Icon name="more" />
      </ActionMenu>
    </li>
  );
}

const titleOr = (job: api.Job): string => job.title || T.untitled;

/** Who handed a job in; nothing for this browser, which is the usual case. */
function whoOf({ client_id }: api.Job): string {
  if (!client_id || client_id === api.clientId()) return "";
  return client_id.startsWith("editor-") ? R.queue.byOther : R.queue.byClient(client_id.slice(0, 12));
}

function Words({ job, children }: { readonly job: api.Job; readonly children: React.ReactNode }) {
  return (
    <button type="button" className="run-title" title={R.queue.show(titleOr(job))} onClick={() => trying(() => showOnCanvas(job.id))}>
      <b>{titleOr(job)}</b>
      {children}
    </button>
  );
}

/** A picture that the job made, or a sign of its state. */
function Glyph({ job }: { readonly job: api.Job }) {
  const own = useRuns((state) => state.results.findLast((result) => result.job === job.id && isPicture(result.picture))?.picture);
  const told = job.outputs?.flatMap((output) => output.files).findLast(isPicture);
  const picture = told ?? own;
  const [isGone, setGone] = useState(false);
  if (!picture || isGone) return <span className="glyph" aria-hidden />;
  return (
    <img
      className="glyph"
      src={thumbnailUrl(picture, 96)}
      alt=""
      loading="lazy"
      onError={() => {
        setGone(true);
      }}
    />
  );
}

function OpenState({ job, place }: { readonly job: api.Job; readonly place: number }) {
  const run = useRuns((state) => state.jobs.get(job.id));
  const timings = useRuns((state) => state.timings);
  const waits = useSystem(isLoading);
  const who = whoOf(job);
  if (job.state !== "running" || !run)
    return (
      <small>
        <b>{T.run.states[job.state]}</b>
        {place > 0 && <span>#{place}</span>}
        {waits && <span>{R.queue.loading}</span>}
        {job.priority !== 0 && <span>{`${R.queue.priority} ${job.priority}`}</span>}
        {who && <span>{who}</span>}
      </small>
    );
  const { done, total, share, current, left } = progressOf(run, timings);
  return (
    <>
      <small>
        <b>{R.percent(share)}</b>
        <span>{current === null ? T.run.states["running"] : titleOfRan(current)}</span>
        {left !== null && left >= 1 && <span>{R.queue.left(duration(left))}</span>}
        {who && <span>{who}</span>}
      </small>
      <span className="bar-of" role="progressbar" aria-label={R.queue.nodes(done, total)} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
        <i style={{ transform: `scaleX(${share})` }} />
      </span>
    </>
  );
}

function Action({ text, icon, run }: { readonly text: string; readonly icon: "close" | "retry" | "pause" | "play"; readonly run: () => Promise<unknown> }) {
  const refused = useMe(lacking("runner"));
  return (
    <button type="button" className="icon-button" aria-label={text} title={refused || text} disabled={refused !== ""} onClick={() => trying(run)}>
      <Icon name={icon} />
    </button>
  );
}

function HoldButton({ job }: { readonly job: api.Job }) {
  return job.state === "paused" ? (
    <Action text={R.queue.resumeJob} icon="play" run={() => api.change(job.id, "resume")} />
  ) : (
    <Action text={R.queue.pauseJob} icon="pause" run={() => api.change(job.id, "pause")} />
  );
}

function seeItems(job: api.Job): Item[] {
  return [
    { text: R.queue.showHere, run: () => trying(() => showOnCanvas(job.id)) },
    { text: R.queue.openWorkflow, run: () => trying(() => openJob(job.id)) },
  ];
}

function openItems(job: api.Job, waiting: readonly string[], go: (place: Place | null) => void): Item[][] {
  const why = lacking("runner")(useMe.getState());
  const to = (where: Where, text: string): Item => {
    const place = placeFor(waiting, job.id, where);
    return { text, isOff: !place, why, run: () => go(place) };
  };
  if (job.state === "running") return [seeItems(job)];
  const forget = { text: R.queue.forget, isDangerous: true, why, run: () => trying(() => forgetJob(job.id)) };
  const order = [to("top", R.queue.top), to("up", R.queue.up), to("down", R.queue.down), to("last", R.queue.last)];
  const priorities = R.queue.priorities.map(([value, text]) => ({
    text: `${R.queue.priority}: ${text}`,
    isOn: job.priority === value,
    why,
    run: () => trying(() => setPriority(job.id, value)),
  }));
  return [job.state === "queued" ? order : [], priorities, seeItems(job), [forget]];
}

function endedItems(job: api.Job): Item[][] {
  const { error } = job;
  const why = lacking("runner")(useMe.getState());
  return [
    [...seeItems(job), { text: T.panel.retry, why, run: () => trying(() => api.change(job.id, "retry")) }],
    error ? [{ text: R.queue.copyError, run: () => trying(() => copyText(error.message)) }] : [],
    [{ text: R.queue.forget, isDangerous: true, why, run: () => trying(() => forgetJob(job.id)) }],
  ];
}
