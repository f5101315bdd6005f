/** What a socket may be linked with. */

import type { Socket } from "../commands/open";
import { Link, type Id, type Workflow } from "../document/document";
import { flowOrder, reached } from "../document/neighbours";
import { fits, type NodeTypes } from "../document/schema";
import { titleOf, typeOf } from "../editor";

export interface Partner {
  readonly node: Id;
  readonly socket: string;
  readonly title: string;
  readonly types: readonly string[];
  /** Where the input gets a link from already, "" where it gets none. */
  readonly from: string;
}

/** The sockets of other nodes that fit, free ones first, then those that are linked, then those that have a control. */
export function partnersOf(now: Workflow, types: NodeTypes, { node: id, socket, isOutput }: Socket): Partner[] {
  const node = now.nodes.get(id);
  if (!node) return [];
  const own = typeOf(id, node, { types });
  const wanted = (isOutput ? own.outputs : own.inputs).find((item) => item.name === socket)?.types ?? ["*"];
  const closed = reached(now, [id], isOutput ? "before" : "after");
  const ids = flowOrder(now).filter((other) => !closed.has(other));
  return isOutput ? inputsFor(now, types, ids, wanted) : outputsFor(now, types, ids, wanted);
}

function inputsFor(now: Workflow, types: NodeTypes, ids: readonly Id[], given: readonly string[]): Partner[] {
  const found: { partner: Partner; rank: number }[] = [];
  for (const id of ids) {
    const node = now.nodes.get(id);
    for (const input of node ? typeOf(id, node, { types }).inputs : []) {
      if (!fits(input.types, given)) continue;
      const value = node?.inputs.get(input.name);
      const from = value instanceof Link ? titleOf(value.node) : "";
      found.push({ partner: { node: id, socket: input.name, title: titleOf(id), types: input.types, from }, rank: (input.widget ? 2 : 0) + (from ? 1 : 0) });
    }
  }
  return found.sort((a, b) => a.rank - b.rank).map(({ partner }) => partner);
}

function outputsFor(now: Workflow, types: NodeTypes, ids: readonly Id[], wanted: readonly string[]): Partner[] {
  return ids.toReversed().flatMap((id) => {
    const node = now.nodes.get(id);
    const outputs = node ? typeOf(id, node, { types }).outputs : [];
    return outputs
      .filter((output) => fits(wanted, output.types))
      .map((output) => ({ node: id, socket: output.name, title: titleOf(id), types: output.types, from: "" }));
  });
}
