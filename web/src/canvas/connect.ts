/** Which links may be drawn, and the sentence for those that may not. */

import type { Connection, Edge } from "@xyflow/react";
import { Link, wouldCircle } from "../document/document";
import { fits } from "../document/schema";
import { REROUTE, VALUE } from "../document/subgraphs";
import { givenTypes } from "../document/subgraphTypes";
import { nodeId, typeOf, useEditor, workflow } from "../editor";
import { T } from "../texts";

export type Ends = Connection | Edge;

/** Why a link is refused, "" where it is fine. */
export function refusal(ends: Ends): string {
  const now = workflow();
  const [source, target] = [nodeId(ends.source), nodeId(ends.target)];
  const [from, to] = [now.nodes.get(source), now.nodes.get(target)];
  if (!from || !to) return "";
  if (source === target) return T.refused.self;
  const output = typeOf(source, from).outputs.find((item) => item.name === ends.sourceHandle);
  const given = from.type === REROUTE ? givenTypes(now.nodes, new Link(source, VALUE), useEditor.getState().types) : (output?.types ?? []);
  const input = typeOf(target, to).inputs.find((item) => item.name === ends.targetHandle);
  if (output && input && !fits(input.types, given))
    return T.refused.types(given.join(" or "), input.types.join(" or "), input.name);
  return wouldCircle(now, source, target) ? T.refused.circle : "";
}
