/** What is merely still to do: what the server calls wrong, at nodes that nobody has run or opened like that. */

import type { Problem } from "../api/client";
import type { Workflow } from "./document";
import { spotOf } from "./subgraphs";

/** Tells what is to do from what is wrong. expected: what was opened or last run; its nodes are expected to be whole. */
export function withTodo(problems: readonly Problem[], expected: Workflow): readonly Problem[] {
  return problems.map((problem) => {
    const told = problem.told ?? problem.severity;
    const severity = isTodo(problem, expected) ? "todo" : told;
    return severity === problem.severity ? problem : { ...problem, severity, told };
  });
}

function isTodo({ code, node }: Problem, expected: Workflow): boolean {
  if (code === "no_outputs") return expected.nodes.size === 0;
  return code === "missing_input" && node !== null && !spotOf(expected, node);
}
