/** What hangs together in a workflow. */

import { linksOf, type Id, type Workflow } from "./document";

export type Direction = "before" | "after" | "both";

/** The nodes themselves and all that they need, that needs them, or both. */
export function reached(workflow: Workflow, from: Iterable<Id>, direction: Direction): Set<Id> {
  const steps = stepsOf(workflow, direction);
  const found = new Set(from);
  const waiting = [...found];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
    for (const next of steps.get(id) ?? [])
      if (!found.has(next)) {
        found.add(next);
        waiting.push(next);
      }
  return found;
}

function stepsOf(workflow: Pick<Workflow, "nodes">, direction: Direction): Map<Id, Id[]> {
  const steps = new Map<Id, Id[]>();
  const add = (from: Id, to: Id): void => {
    const known = steps.get(from);
    if (known) known.push(to);
    else steps.set(from, [to]);
  };
  for (const { id, link } of linksOf(workflow)) {
    if (direction !== "after") add(id, link.node);
    if (direction !== "before") add(link.node, id);
  }
  return steps;
}

/** The nodes in the order in which values flow; those of a circle where the document has them. */
export function flowOrder(workflow: Pick<Workflow, "nodes">): Id[] {
  const open = new Map<Id, number>([...workflow.nodes.keys()].map((id) => [id, 0]));
  for (const { id, link } of linksOf(workflow)) if (open.has(link.node) && link.node !== id) open.set(id, (open.get(id) ?? 0) + 1);
  const after = stepsOf(workflow, "after");
  const order = [...open].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of order)
    for (const next of after.get(id) ?? []) {
      if (next === id) continue;
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) order.push(next);
    }
  const placed = new Set(order);
  return [...order, ...[...workflow.nodes.keys()].filter((id) => !placed.has(id))];
}
