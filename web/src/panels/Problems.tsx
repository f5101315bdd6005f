import type { KeyboardEvent } from "react";
import type { Problem } from "../api/client";
import { RepairButton, withoutNode } from "../canvas/NodeStatus";
import { goTo } from "../canvas/view";
import type { Id } from "../document/document";
import { safeRepairs } from "../document/repairs";
import { titleOfRan, useEditor, useWorkflow } from "../editor";
import { fixProblems } from "../jobs/actions";
import { T } from "../texts";
import { R } from "../texts-runs";

/** Everything that is wrong, by node: errors, then warnings, then what is to do, each with its fix. */
export function Problems() {
  const problems = useEditor((state) => state.problems);
  useWorkflow(); // titles follow what is edited
  if (!problems.length) return <p className="nothing">{T.panel.noProblems}</p>;
  const [errors, warnings, todo] = [ofSeverity(problems, "error"), ofSeverity(problems, "warning"), ofSeverity(problems, "todo")];
  const safe = safeRepairs(problems);
  return (
    <>
      <div className="side-tools">
        <span className="counts">
          {errors.length > 0 && <b className="error">{R.problems.errors(errors.length)}</b>}
          {warnings.length > 0 && <b className="warning">{R.problems.warnings(warnings.length)}</b>}
          {todo.length > 0 && <b className="todo">{R.problems.todo(todo.length)}</b>}
        </span>
        {safe.length > 0 && (
          <button
            type="button"
            className="repair"
            onClick={() => {
              fixProblems(safe);
            }}
          >
            {R.repair.all(safe.length)}
          </button>
        )}
      </div>
      <ul className="problems" onKeyDown={moveBetween}>
        {[...byNode([...errors, ...warnings, ...todo])].map(([node, own]) => (
          <NodeProblems key={node ?? ""} node={node} problems={own} />
        ))}
      </ul>
    </>
  );
}

const ofSeverity = (problems: readonly Problem[], severity: Problem["severity"]): readonly Problem[] => problems.filter((problem) => problem.severity === severity);

function byNode(problems: readonly Problem[]): ReadonlyMap<Id | null, readonly Problem[]> {
  const found = new Map<Id | null, Problem[]>();
  for (const problem of problems) found.set(problem.node, [...(found.get(problem.node) ?? []), problem]);
  return found;
}

function NodeProblems({ node, problems }: { readonly node: Id | null; readonly problems: readonly Problem[] }) {
  const title = node === null ? R.problems.workflow : titleOfRan(node);
  return (
    <li>
      {node === null ? (
        <b>{title}</b>
      ) : (
        <button
          type="button"
          className="go-to"
          aria-label={R.problems.goTo(title)}
          title={R.problems.goTo(title)}
          onClick={() => {
            goTo(node);
          }}
        >
          {title}
        </button>
      )}
      {problems.map((problem, index) => (
        <div key={index} className={problem.severity}>
          <p>{problem.node === null ? problem.message : withoutNode(problem.message)}</p>
          {problem.fix && <p className="fix">{problem.fix}</p>}
          <RepairButton problem={problem} />
        </div>
      ))}
    </li>
  );
}

/** The arrow keys go from node to node. */
function moveBetween(event: KeyboardEvent<HTMLUListElement>): void {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".go-to")];
  const at = buttons.findIndex((button) => button.closest("li")?.contains(document.activeElement));
  buttons[Math.min(Math.max(at + by, 0), buttons.length - 1)]?.focus();
  event.preventDefault();
}
