import { aimedLink } from "../canvas/aimed";
import { pointerOnCanvas } from "../canvas/view";
import { subgraphOf } from "../document/subgraphs";
import { pathIn, selectedNodes, useEditor, whole, workflow } from "../editor";
import * as actions from "../subgraphActions";
import { T } from "../texts";
import type { Command } from "./command";
import { useOpen } from "./open";

const hasNodes = (): boolean => selectedNodes().length > 0;
const hasInstance = (): boolean => selectedNodes().some((id) => subgraphOf(whole(), workflow().nodes.get(id)));
const isInside = (): boolean => pathIn(useEditor.getState()).length > 0;
const here = () => useOpen.getState().at ?? pointerOnCanvas();

/** Leads the link that is meant through a reroute, else adds one where the pointer is. */
function addReroute(): void {
  const link = aimedLink();
  if (link) actions.rerouteLink(link.node, link.input, here());
  else actions.addReroute(here());
}

/** Subgraphs and reroutes. */
export const SUBGRAPHS: readonly Command[] = [
  { id: "subgraph.fold", title: T.subgraphs.fold, area: "edit", keys: ["Shift+G"], words: T.subgraphs.foldWords, isReady: hasNodes, run: actions.foldSelected },
  { id: "subgraph.unfold", title: T.subgraphs.unfold, area: "edit", keys: ["Shift+U"], words: T.subgraphs.unfoldWords, isReady: hasInstance, run: actions.unfoldSelected },
  { id: "subgraph.enter", title: T.subgraphs.enterChosen, area: "view", keys: ["E"], isReady: hasInstance, run: () => actions.enter() },
  { id: "subgraph.leave", title: T.subgraphs.leave, area: "view", keys: ["U", "Alt+ArrowUp"], isReady: isInside, run: actions.leave },
  { id: "add.reroute", title: T.subgraphs.addReroute, area: "add", keys: ["R"], run: addReroute },
];
