import { memo, useState } from "react";
import type { Id } from "../document/document";
import { useEditor } from "../editor";
import { nodeRunOf, useRuns } from "../runs";
import { T } from "../texts";

/** What became of a node: progress, preview, time and why it ran, errors with their fix. It hangs below the card. */
export const NodeStatus = memo(function NodeStatus({ id, title }: { readonly id: Id; readonly title: string }) {
  const run = useRuns(nodeRunOf(id));
  const problem = useEditor((state) => state.problemsOf.get(id)?.[0]);
  const [isOpen, setOpen] = useState(false);
  const progress = run?.state === "running" && run.total > 0 ? run.done / run.total : undefined;
  const verdict = run && verdictOf(run.verdict);
  return (
    <div className="status">
      {run?.state === "running" && (
        <div
          className={`progress${progress === undefined ? " unknown" : ""}`}
          role="progressbar"
          aria-label={T.run.progress(title)}
          aria-valuemin={0}
          aria-valuemax={run.total || 1}
          aria-valuenow={run.done}
        >
          <i style={{ transform: `scaleX(${progress ?? 1})` }} />
        </div>
      )}
      {run?.state === "running" && (
        <p className="verdict">
          {T.run.running}
          {run.total > 0 && <b>{` ${run.done}/${run.total}`}</b>}
        </p>
      )}
      {run?.state === "done" && verdict && (
        <p className="verdict" title={run.reason}>
          <b>{run.verdict === "ran" ? T.run.seconds(run.seconds) : verdict}</b> {run.reason}
        </p>
      )}
      {run?.preview && <img className="preview" src={run.preview} alt={T.run.preview} />}
      {run?.error && (
        <div className="trouble" role="alert">
          <p>{withoutNode(run.error.message)}</p>
          {run.error.trace && (
            <button
              type="button"
              className="link-button nodrag"
              aria-expanded={isOpen}
              onClick={() => {
                setOpen(!isOpen);
              }}
            >
              {T.run.trace}
            </button>
          )}
          {isOpen && <pre className="nowheel nodrag">{run.error.trace}</pre>}
        </div>
      )}
      {!run?.error && problem && (
        <div className={`trouble ${problem.severity}`}>
          <p>{withoutNode(problem.message)}</p>
          {problem.fix && <p className="fix">{problem.fix}</p>}
        </div>
      )}
    </div>
  );
});

const verdictOf = (verdict: string): string => T.run.verdicts[verdict] ?? verdict;

/** A message on a node need not name the node. */
export const withoutNode = (message: string): string => message.replace(/^Node [^\n:]{1,120}?(?:, (input [^\n:]+))?: /, (_, input?: string) => (input ? `${input}: ` : ""));
