/** The link that commands of links mean: the one whose menu is open, or that goes into the socket with the focus. */

import { aimAt, useOpen } from "../commands/open";
import { addBend } from "../document/bends";
import { disconnect, type Point } from "../document/commands";
import { Link, type Id } from "../document/document";
import { search, run, typeOf, useEditor, workflow, type Searching } from "../editor";
import { placesOf } from "./flow";
import { onCanvas } from "./view";

export interface Aimed {
  readonly node: Id;
  readonly input: string;
  readonly link: Link;
}

export function aimedLink(): Aimed | undefined {
  const { aim } = useOpen.getState();
  const link = aim && workflow().nodes.get(aim.node)?.inputs.get(aim.input);
  return aim && link instanceof Link ? { ...aim, link } : undefined;
}

export function cutAimedLink(): void {
  const aimed = aimedLink();
  if (!aimed) return;
  run(disconnect(aimed.node, aimed.input));
  aimAt(null);
}

/** Leads the link through a point of the canvas. */
export function bendAimedLink(at: Point): void {
  const aimed = aimedLink();
  if (!aimed) return;
  const from = placesOf(workflow(), useEditor.getState().types).get(aimed.link.node) ?? [0, 0];
  run(addBend(aimed.node, aimed.input, at, from));
}

/** Searches for a node that fits both ends of the link; it is put between them. */
export function insertInLink(): void {
  const aimed = aimedLink();
  const menu = useOpen.getState();
  if (!aimed) return;
  const screen = menu.menu?.screen ?? [innerWidth / 2, innerHeight / 3];
  search({ at: menu.at ?? onCanvas(screen), screen, ...between(aimed) });
}

function between({ node, input, link }: Aimed): Pick<Searching, "wanted" | "link" | "into"> {
  const now = workflow();
  const [source, target] = [now.nodes.get(link.node), now.nodes.get(node)];
  const takes = source && typeOf(link.node, source).outputs.find((item) => item.name === link.output)?.types;
  const gives = target && typeOf(node, target).inputs.find((item) => item.name === input)?.types;
  return {
    wanted: { takes: takes ?? ["*"], gives: gives ?? ["*"] },
    link: { node: link.node, socket: link.output, isOutput: true },
    into: { node, input },
  };
}

/** The ends of the aimed link, in words. */
export function linkEnds({ node, input, link }: Aimed): { readonly from: string; readonly to: string } {
  const title = (id: Id): string => {
    const found = workflow().nodes.get(id);
    return found ? found.title || useEditor.getState().types.get(found.type)?.title || found.type : id;
  };
  return { from: `${title(link.node)} ${link.output}`, to: `${title(node)} ${input}` };
}
