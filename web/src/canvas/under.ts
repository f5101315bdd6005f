/** What lies under a point of the screen. */

import type { Aim } from "../commands/open";
import { Link, linksOf } from "../document/document";
import { flowId, nodeId, typeOf, workflow } from "../editor";

/** The flow id of the node, group or note there. */
export function flowUnder(target: Element): string | undefined {
  return target.closest<HTMLElement>(".react-flow__node")?.dataset["id"];
}

/** The input with a value of its own whose row is there. */
export function fieldUnder(target: Element | null): Aim | null {
  const [input, flow] = [target?.closest<HTMLElement>("[data-input]")?.dataset["input"], target && flowUnder(target)];
  const id = flow?.startsWith("n/") ? nodeId(flow) : undefined;
  const node = id === undefined ? undefined : workflow().nodes.get(id);
  if (!node || id === undefined || input === undefined) return null;
  const hasWidget = typeOf(id, node).inputs.some((item) => item.name === input && item.widget);
  return hasWidget && !(node.inputs.get(input) instanceof Link) ? { node: id, input } : null;
}

/** The link there, by the input it goes into. */
export function linkUnder(target: Element): Aim | undefined {
  const key = target.closest<HTMLElement>(".react-flow__edge")?.dataset["id"];
  if (key === undefined) return undefined;
  for (const { id, input } of linksOf(workflow())) if (`${flowId(id)} ${input}` === key) return { node: id, input };
  return undefined;
}
