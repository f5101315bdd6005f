/** What lies under a point of the screen. */

import type { Aim } from "../commands/open";
import { linksOf } from "../document/document";
import { flowId, workflow } from "../editor";

/** The flow id of the node, group or note there. */
export function flowUnder(target: Element): string | undefined {
  return target.closest<HTMLElement>(".react-flow__node")?.dataset["id"];
}

/** The link there, by the input it goes into. */
export function linkUnder(target: Element): Aim | undefined {
  const key = target.closest<HTMLElement>(".react-flow__edge")?.dataset["id"];
  if (key === undefined) return undefined;
  for (const { id, input } of linksOf(workflow())) if (`${flowId(id)} ${input}` === key) return { node: id, input };
  return undefined;
}
