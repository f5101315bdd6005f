import { memo, useState } from "react";
import { trying } from "../actions";
import type { Problem } from "../api/client";
import type { Id } from "../document/document";
import { repairText } from "../document/repairs";
import { titleOf, titleOfRan, useEditor } from "../editor";
import { copyText, fixProblem } from "../jobs/actions";
import { nodeLeft } from "../jobs/estimate";
import { isPicture } from "../jobs/media";
import { duration } from "../jobs/words";
import { MediaView } from "../panels/MediaView";
import { nodeRunOf, previewOf, useRuns, type NodeRun } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import "./status.css";

/** What became of a node: progress, preview, time and why it ran, errors with their fix. It hangs below the card. */
export const NodeStatus = memo(function NodeStatus({ id, title, hasPicture }: { readonly id: Id; readonly title: string; readonly hasPicture?: boolean }) {
  const run = useRuns(nodeRunOf(id));
  const problems = useEditor((state) => state.problemsOf.get(id));
  return (
    <div className="status">
      {run?.state === "running" && <Running run={run} title={title} />}
      {run?.state === "done" && <Verdict run={run} />}
      <Preview id={id} />
      {run && <Shown run={run} hasPicture={Boolean(hasPicture)} />}
      {run?.error && <Failure error={run.error} />}
      {!run?.error && problems && <Problems problems={problems.filter(({ severity }) => severity !== "todo")} />}
    </div>
  );
});

function Running({ run, title }: { readonly run: NodeRun; readonly title: string }) {
  const share = run.total > 0 ? run.done / run.total : undefined;
  const left = nodeLeft(run);
  return (
    <>
      <div
        className={`progress${share === undefined ? " unknown" : ""}`}
        role="progressbar"
        aria-label={T.run.progress(title)}
        aria-valuemin={0}
        aria-valuemax={run.total || 1}
        aria-valuenow={run.done}
      >
        <i style={{ transform: `scaleX(${share ?? 1})` }} />
      </div>
      <p className="verdict" title={toldReason(run.reason)}>
        <b>{run.total > 0 ? R.node.steps(run.done, run.total) : T.run.running}</b>
        {run.pace > 0 && <span>{R.node.pace(run.pace)}</span>}
        {left !== null && left > 0.5 && <span>{R.queue.left(duration(left))}</span>}
        {!run.total && <span>{toldReason(run.reason)}</span>}
      </p>
    </>
  );
}

/** Why a node ran, with the titles that people see in place of ids. */
function toldReason(reason: string): string {
  const [, id, what] = /^upstream (\S+) (changed|always runs)$/.exec(reason) ?? [];
  if (id === undefined) return reason;
  return what === "changed" ? R.node.changed(titleOfRan(id)) : R.node.alwaysRuns(titleOfRan(id));
}

function Verdict({ run }: { readonly run: NodeRun }) {
  const verdict = T.run.verdicts[run.verdict] ?? run.verdict;
  const isRan = run.verdict === "ran";
  const reason = toldReason(run.reason);
  if (!verdict) return null;
  return (
    <p className={`verdict ${run.verdict}`} title={reason}>
      <b>{isRan ? duration(run.seconds) : verdict}</b>
      {reason && <span>{isRan ? `${R.node.ran}: ${reason}` : reason}</span>}
    </p>
  );
}

function Preview({ id }: { readonly id: Id }) {
  const preview = useRuns(previewOf(id));
  return preview && <img className="preview" src={preview} alt={T.run.preview} />;
}

/** Texts, sound and moving pictures that a node showed, and still ones where the card has no place for them. */
function Shown({ run, hasPicture }: { readonly run: NodeRun; readonly hasPicture: boolean }) {
  const files = hasPicture ? run.pictures.filter((picture) => !isPicture(picture)) : run.pictures;
  if (!files.length && !run.texts.length) return null;
  return (
    <div className="shown nodrag nowheel" role="group" aria-label={R.node.shown}>
      {run.texts.map((text, index) => (
        <pre key={index}>{text}</pre>
      ))}
      {files.map((picture) => (
        <MediaView key={picture.url} picture={picture} />
      ))}
    </div>
  );
}

function Failure({ error }: { readonly error: NonNullable<NodeRun["error"]> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="trouble" role="alert">
      <p>{withoutNode(error.message)}</p>
      {error.trace && (
        <p className="trouble-actions nodrag">
          <button
            type="button"
            className="link-button"
            aria-expanded={isOpen}
            onClick={() => {
              setOpen(!isOpen);
            }}
          >
            {isOpen ? R.node.hideTrace : T.run.trace}
          </button>
          <button type="button" className="link-button" onClick={() => trying(() => copyText(`${error.message}\n\n${error.trace}`))}>
            {R.node.copyTrace}
          </button>
        </p>
      )}
      {isOpen && <pre className="nowheel nodrag">{error.trace}</pre>}
    </div>
  );
}

const MOST_PROBLEMS = 3;

function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  const worstFirst = problems.toSorted((a, b) => Number(b.severity === "error") - Number(a.severity === "error"));
  const severity = worstFirst[0]?.severity;
  if (!severity) return null;
  return (
    <div className={`trouble ${severity}`}>
      {worstFirst.slice(0, MOST_PROBLEMS).map((problem, index) => (
        <div key={index}>
          <p>{withoutNode(problem.message)}</p>
          {problem.fix && <p className="fix">{problem.fix}</p>}
          <RepairButton problem={problem} />
        </div>
      ))}
      {worstFirst.length > MOST_PROBLEMS && <p>{R.node.more(worstFirst.length - MOST_PROBLEMS)}</p>}
    </div>
  );
}

/** The fix of a problem as a button, where a program can make it. */
export function RepairButton({ problem }: { readonly problem: Problem }) {
  if (!problem.repair || problem.node === null) return null;
  return (
    <button
      type="button"
      className="repair nodrag"
      onClick={() => {
        fixProblem(problem);
      }}
    >
      {repairText(problem, problem.repair, R.repair, titleOf)}
    </button>
  );
}

/** A message on a node need not name the node. */
export const withoutNode = (message: string): string => message.replace(/^Node [^\n:]{1,120}?(?:, (input [^\n:]+))?: /, (_, input?: string) => (input ? `${input}: ` : ""));
