/** A node without links that is dropped on a link is put into it. */

import { all, connect } from "../document/commands";
import { linksOf, type Id } from "../document/document";
import { fits } from "../document/schema";
import { nodeId, run, tell, titleOf, typeOf, workflow } from "../editor";
import { C } from "../texts-canvas";
import { linkUnder } from "./under";
import { elementOf } from "./view";

/** Where on a node a link is looked for: parts of its width, and every so many pixels of its height. */
const PARTS = [0.5, 0.25, 0.75] as const;
const EVERY = 14;

export function dropInLink(flow: string): void {
  const box = elementOf(flow)?.getBoundingClientRect();
  if (!box || !flow.startsWith("n/") || isLinked(nodeId(flow))) return;
  for (let y = box.top + EVERY / 2; y < box.bottom; y += EVERY)
    for (const part of PARTS) if (putInto(nodeId(flow), document.elementsFromPoint(box.left + box.width * part, y))) return;
}

function isLinked(id: Id): boolean {
  for (const link of linksOf(workflow())) if (link.id === id || link.link.node === id) return true;
  return false;
}

function putInto(id: Id, under: readonly Element[]): boolean {
  for (const element of under) {
    const aim = linkUnder(element);
    const found = aim && [...linksOf(workflow())].find((item) => item.id === aim.node && item.input === aim.input);
    if (found && putBetween(id, found)) return true;
  }
  return false;
}

type Between = ReturnType<typeof linksOf> extends Generator<infer Found> ? Found : never;

function putBetween(id: Id, { id: target, input, link }: Between): boolean {
  const now = workflow();
  const [node, source, user] = [now.nodes.get(id), now.nodes.get(link.node), now.nodes.get(target)];
  if (!node || !source || !user) return false;
  const given = typeOf(link.node, source).outputs.find((item) => item.name === link.output)?.types ?? ["*"];
  const wanted = typeOf(target, user).inputs.find((item) => item.name === input)?.types ?? ["*"];
  const type = typeOf(id, node);
  const takes = type.inputs.find((item) => !item.widget && fits(item.types, given));
  const gives = type.outputs.find((item) => fits(wanted, item.types));
  if (!takes || !gives) return false;
  run(all(connect(link.node, link.output, id, takes.name), connect(id, gives.name, target, input)));
  tell(C.dropped(titleOf(id), titleOf(link.node), titleOf(target)));
  return true;
}
