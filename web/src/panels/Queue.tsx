import { useEffect, useMemo, useState } from "react";
import { cancelRuns, trying } from "../actions";
import * as api from "../api/jobs";
import { inOrder } from "../jobs/queue";
import { ENDED_STATES } from "../jobs/state";
import { readQueue, useRuns } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import { ActionMenu } from "./ActionMenu";
import { EndedRow, OpenRow } from "./QueueRow";
import { Icon } from "./Icon";
import "./queue.css";

const PAGE = 30;
const SEARCH_AFTER = 200;

/** What runs, what waits in its order, and what ended: found by words, page by page. */
export function Queue() {
  const [words, setWords] = useState("");
  const wanted = useLater(words, SEARCH_AFTER);
  const open = useOpen(wanted);
  const waiting = useMemo(() => open.filter((job) => job.state === "queued").map((job) => job.id), [open]);
  const isPaused = useRuns((state) => state.isPaused);
  const [ended, more] = useEnded(wanted);
  const isEmpty = !open.length && !ended.length;
  return (
    <>
      <div className="side-tools">
        <input
          type="search"
          aria-label={R.queue.search}
          placeholder={R.queue.search}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
          }}
        />
        <PauseButton isPaused={isPaused} />
        <ActionMenu
          label={R.queue.menu(T.panel.queue)}
          groups={[
            [
              { text: R.queue.cancelAll, isOff: !open.length, run: () => trying(cancelRuns) },
              { text: R.queue.clearHistory, isOff: !ended.length, isDangerous: true, run: forgetAll },
            ],
          ]}
        >
          <Icon name="more" />
        </ActionMenu>
      </div>
      {isPaused && (
        <p className="paused-note" role="status">
          {R.queue.isPaused}
        </p>
      )}
      <div className="queue">
        {isEmpty && <p className="nothing">{wanted ? R.queue.nothingFound : T.panel.noRuns}</p>}
        {open.length > 0 && (
          <ul aria-label={R.queue.waiting}>
            {open.map((job) => (
              <OpenRow key={job.id} job={job} waiting={waiting} />
            ))}
          </ul>
        )}
        {ended.length > 0 && <h3>{R.queue.ended}</h3>}
        {ended.length > 0 && (
          <ul aria-label={R.queue.ended}>
            {ended.map((job) => (
              <EndedRow key={job.id} job={job} />
            ))}
          </ul>
        )}
        {more.left > 0 && (
          <button type="button" className="more" onClick={more.show}>
            {R.queue.more(more.left)}
          </button>
        )}
      </div>
    </>
  );
}

function PauseButton({ isPaused }: { readonly isPaused: boolean }) {
  const text = isPaused ? R.queue.resume : R.queue.pause;
  const change = async (): Promise<void> => {
    await api.changeQueue(isPaused ? "resume" : "pause");
    await readQueue();
  };
  return (
    <button type="button" className="icon-button" aria-label={text} title={text} onClick={() => trying(change)}>
      <Icon name={isPaused ? "play" : "pause"} />
    </button>
  );
}

function forgetAll(): void {
  if (confirm(R.queue.clearSure)) trying(api.clearHistory);
}

/** The jobs that run or wait, in order, that hold all words. */
function useOpen(words: string): readonly api.Job[] {
  const jobs = useRuns((state) => state.jobs);
  const order = useRuns((state) => state.order);
  return useMemo(() => {
    const needles = words.toLowerCase().split(/\s+/).filter(Boolean);
    return inOrder(jobs, order)
      .map((run) => run.job)
      .filter((job) => needles.every((needle) => `${job.title} ${job.client_id} ${job.id}`.toLowerCase().includes(needle)));
  }, [jobs, order, words]);
}

type More = { readonly left: number; readonly show: () => void };

/** The jobs that ended, the last first: asked again whenever one more has. */
function useEnded(words: string): readonly [readonly api.Job[], More] {
  const changes = useRuns((state) => state.changes);
  const [limit, setLimit] = useState(PAGE);
  const [page, setPage] = useState<{ readonly jobs: readonly api.Job[]; readonly total: number }>({ jobs: [], total: 0 });
  useEffect(() => {
    let isOld = false;
    api
      .jobs({ states: ENDED_STATES, search: words, limit, outputs: true })
      .then((found) => {
        if (!isOld) setPage(found);
      })
      .catch(() => undefined); // the bar says that there is no connection
    return () => {
      isOld = true;
    };
  }, [words, limit, changes]);
  const show = (): void => {
    setLimit(limit + PAGE);
  };
  return [page.jobs, { left: page.total - page.jobs.length, show }];
}

/** A value once it has been the same for a while. */
function useLater<Value>(value: Value, after: number): Value {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      setLater(value);
    }, after);
    return () => {
      clearTimeout(timer);
    };
  }, [value, after]);
  return later;
}
