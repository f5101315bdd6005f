/** Links that are drawn, moved to another socket, cut, or dropped somewhere. */

import type { Connection, Edge, FinalConnectionState } from "@xyflow/react";
import * as commands from "../document/commands";
import { fits } from "../document/schema";
import { nodeId, run, tell, typeOf, workflow, type Searching } from "../editor";
import { refusal } from "./connect";
import { linkCommand } from "../subgraphActions";
import { searchAt } from "./view";

export function connect({ source, sourceHandle, target, targetHandle }: Connection): void {
  if (sourceHandle && targetHandle) run(linkCommand(nodeId(source), sourceHandle, nodeId(target), targetHandle));
}

export function disconnect(edge: Edge): void {
  if (edge.targetHandle) run(commands.disconnect(nodeId(edge.target), edge.targetHandle));
}

const relinked = { count: 0 };

export function reconnect(old: Edge, ends: Connection): void {
  const { source, sourceHandle, target, targetHandle } = ends;
  if (!sourceHandle || !targetHandle || !old.targetHandle) return;
  const gesture = `relink ${(relinked.count += 1)}`;
  run(commands.disconnect(nodeId(old.target), old.targetHandle), gesture);
  run(linkCommand(nodeId(source), sourceHandle, nodeId(target), targetHandle), gesture);
}

export function endReconnection(_: unknown, edge: Edge, __: unknown, state: FinalConnectionState): void {
  if (!state.isValid && !state.toHandle) disconnect(edge);
}

/** A link that was dropped: on a refusing socket, on the body of a node, or on the empty canvas. */
export function endConnection(event: MouseEvent | TouchEvent, state: FinalConnectionState): void {
  const { fromNode, fromHandle, toHandle, isValid } = state;
  if (isValid || !fromNode || !fromHandle?.id) return;
  const isOutput = fromHandle.type === "source";
  if (toHandle) {
    tell(refusal(endsOf(fromHandle, toHandle)));
    return;
  }
  const link = { node: nodeId(fromNode.id), socket: fromHandle.id, isOutput };
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  if (!point) return;
  const under = document.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>(".react-flow__node");
  const target = under?.dataset["id"];
  if (target?.startsWith("n/")) linkToNode(link, nodeId(target));
  else searchAt([point.clientX, point.clientY], wantedOf(link), link);
}

type Ends = { readonly nodeId: string; readonly id?: string | null; readonly type: string };

export function endsOf(from: Ends, to: Ends): Connection {
  const [source, target] = from.type === "source" ? [from, to] : [to, from];
  return { source: source.nodeId, sourceHandle: source.id ?? null, target: target.nodeId, targetHandle: target.id ?? null };
}

export function wantedOf(link: NonNullable<Searching["link"]>): Searching["wanted"] {
  const node = workflow().nodes.get(link.node);
  const type = node && typeOf(link.node, node);
  if (link.isOutput) return { takes: type?.outputs.find((output) => output.name === link.socket)?.types ?? ["*"] };
  return { gives: type?.inputs.find((input) => input.name === link.socket)?.types ?? ["*"] };
}

/** Links to the first socket of a node that fits. */
function linkToNode(link: NonNullable<Searching["link"]>, id: string): void {
  const node = workflow().nodes.get(id);
  if (!node) return;
  const [type, wanted] = [typeOf(id, node), wantedOf(link)];
  const input = type.inputs.find((item) => !item.widget && fits(item.types, wanted.takes ?? []));
  const output = type.outputs.find((item) => fits(wanted.gives ?? [], item.types));
  const ends = { nodeId: `n/${id}`, id: (link.isOutput ? input : output)?.name ?? null, type: link.isOutput ? "target" : "source" };
  if (!ends.id) return;
  const made = endsOf({ nodeId: `n/${link.node}`, id: link.socket, type: link.isOutput ? "source" : "target" }, ends);
  const why = refusal(made);
  if (why) tell(why);
  else connect(made);
}
