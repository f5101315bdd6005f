/** Which model family a node is to fit: that of the checkpoint it is linked with, near or far. */

import type { FilePage } from "../api/options";
import { Link, type Id, type Workflow } from "../document/document";
import type { NodeTypes } from "../document/schema";

/** Folders of models whose family is that of what they are linked with. */
export const WHOLE: readonly string[] = ["checkpoints", "diffusion_models"];

/** The family of the nearest checkpoint that a node is linked with, or "". */
export function familyAround(workflow: Workflow, types: NodeTypes, files: ReadonlyMap<string, FilePage>, start: Id): string {
  const neighbours = neighboursIn(workflow);
  const seen = new Set([start]);
  for (const id of seen) {
    const family = id === start ? "" : familyOf(workflow, types, files, id);
    if (family) return family;
    for (const next of neighbours.get(id) ?? []) seen.add(next);
  }
  return "";
}

function neighboursIn({ nodes }: Workflow): ReadonlyMap<Id, readonly Id[]> {
  const found = new Map<Id, Id[]>();
  const add = (from: Id, to: Id): void => void found.set(from, [...(found.get(from) ?? []), to]);
  for (const [id, node] of nodes)
    for (const value of node.inputs.values())
      if (value instanceof Link) {
        add(id, value.node);
        add(value.node, id);
      }
  return found;
}

function familyOf(workflow: Workflow, types: NodeTypes, files: ReadonlyMap<string, FilePage>, id: Id): string {
  const node = workflow.nodes.get(id);
  for (const { name, widget } of (node && types.get(node.type)?.inputs) ?? []) {
    if (widget?.kind !== "file" || !WHOLE.includes(widget.folder)) continue;
    const chosen = node?.inputs.get(name);
    const family = files.get(widget.folder)?.files.find((file) => file.name === chosen)?.family;
    if (family) return family;
  }
  return "";
}
