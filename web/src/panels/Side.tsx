import { trying } from "../actions";
import { cancel, retry } from "../api/client";
import { withoutNode } from "../canvas/NodeStatus";
import { goTo } from "../canvas/view";
import { titleOf, useEditor } from "../editor";
import { isOver, showJob, useRuns, type JobRun } from "../runs";
import { T } from "../texts";
import { Icon } from "./Icon";
import { togglePanel, useViewing } from "./viewing";

/** The panel at the right: what is wrong, or what runs and ran. */
export function Side() {
  const panel = useViewing((state) => state.panel);
  if (!panel) return null;
  return (
    <aside className="side" aria-label={panel === "problems" ? T.panel.problems : T.panel.queue}>
      <header>
        <h2>{panel === "problems" ? T.panel.problems : T.panel.queue}</h2>
        <button
          type="button"
          className="icon-button"
          aria-label={T.panel.close}
          onClick={() => {
            togglePanel(panel);
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      {panel === "problems" ? <Problems /> : <Runs />}
    </aside>
  );
}

function Problems() {
  const problems = useEditor((state) => state.problems);
  if (!problems.length) return <p className="nothing">{T.panel.noProblems}</p>;
  return (
    <ul className="problems">
      {problems.map((problem, index) => (
        <li key={index} className={problem.severity}>
          {problem.node !== null && <b>{titleOf(problem.node)}</b>}
          <p>{problem.node === null ? problem.message : withoutNode(problem.message)}</p>
          {problem.fix && <p className="fix">{problem.fix}</p>}
          {problem.node !== null && (
            <button type="button" className="link-button" onClick={() => goTo(problem.node ?? "")}>
              {T.panel.goTo}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Runs() {
  const jobs = useRuns((state) => state.jobs);
  const runs = [...jobs.values()].reverse().slice(0, 100);
  if (!runs.length) return <p className="nothing">{T.panel.noRuns}</p>;
  return (
    <ul className="runs">
      {runs.map((run) => (
        <RunLine key={run.job.id} run={run} />
      ))}
    </ul>
  );
}

function RunLine({ run: { job } }: { readonly run: JobRun }) {
  const shown = useRuns((state) => state.shown === job.id);
  const pictures = useRuns((state) => state.results.findLast((result) => result.job === job.id));
  const seconds = job.started && job.ended ? T.run.seconds((job.ended - job.started) / 1000) : "";
  return (
    <li className={`state-${job.state}${shown ? " shown" : ""}`}>
      {pictures && <img src={pictures.picture.url} alt="" />}
      <button
        type="button"
        className="run-title"
        onClick={() => {
          showJob(job.id);
        }}
      >
        <b>{job.title || T.untitled}</b>
        <small>
          {T.run.states[job.state]} {seconds}
        </small>
        {job.error && <small className="error">{job.error.message}</small>}
      </button>
      {isOver(job) ? (
        <button type="button" className="icon-button" aria-label={T.panel.retry} title={T.panel.retry} onClick={() => trying(() => retry(job.id))}>
          <Icon name="retry" />
        </button>
      ) : (
        <button type="button" className="icon-button" aria-label={T.panel.cancelRun} title={T.panel.cancelRun} onClick={() => trying(() => cancel(job.id))}>
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}
