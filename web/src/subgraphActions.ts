/** What people do with subgraphs and reroutes. */

import { placesOf } from "./canvas/flow";
import * as commands from "./document/commands";
import { freshId, Link, type Id } from "./document/document";
import { fold, foldedIds, unfold } from "./document/folding";
import * as subgraphs from "./document/subgraphs";
import * as editor from "./editor";
import { T } from "./texts";

/** Shows the inside of an instance, the one that is chosen unless another is named. */
export function enter(id: Id | undefined = editor.selectedNodes()[0]): void {
  const node = id === undefined ? undefined : editor.workflow().nodes.get(id);
  if (id === undefined || !subgraphs.subgraphOf(editor.whole(), node)) editor.tell(T.subgraphs.noInstance);
  else editor.showPath([...editor.pathIn(editor.useEditor.getState()), id]);
}

/** Shows the canvas around the one that is seen, with the instance chosen. */
export function leave(): void {
  const path = editor.pathIn(editor.useEditor.getState());
  const last = path.at(-1);
  if (last === undefined) return;
  editor.showPath(path.slice(0, -1));
  editor.select([editor.flowId(last)]);
}

/** Makes a subgraph of the chosen nodes. */
export function foldSelected(): void {
  const nodes = editor.selectedNodes().filter((id) => !subgraphs.isBoundary(id));
  if (!nodes.length) {
    editor.tell(T.subgraphs.nothingChosen);
    return;
  }
  const places = placesOf(editor.workflow(), editor.useEditor.getState().types);
  const { instance } = foldedIds(editor.workflow(), T.subgraphs.title);
  editor.run(fold({ nodes, title: T.subgraphs.title, placeOf: (id) => places.get(id) ?? [0, 0] }));
  editor.select([editor.flowId(instance)]);
}

/** Puts the nodes of the chosen instances in their place. */
export function unfoldSelected(): void {
  const now = editor.workflow();
  const ids = editor.selectedNodes().filter((id) => subgraphs.subgraphOf(now, now.nodes.get(id)));
  if (!ids.length) {
    editor.tell(T.subgraphs.noInstance);
    return;
  }
  const before = new Set(now.nodes.keys());
  editor.run(commands.all(...ids.map(unfold)));
  editor.select([...editor.workflow().nodes.keys()].filter((id) => !before.has(id)).map(editor.flowId));
}

export function addReroute(at: commands.Point): void {
  const id = freshId(editor.workflow(), subgraphs.REROUTE);
  editor.run(commands.addNode(id, subgraphs.REROUTE, [Math.round(at[0]), Math.round(at[1])]));
  editor.select([editor.flowId(id)]);
}

/** Leads a link through a new reroute. */
export function rerouteLink(target: Id, input: string, at: commands.Point): void {
  const link = editor.workflow().nodes.get(target)?.inputs.get(input);
  if (!(link instanceof Link)) return;
  const id = freshId(editor.workflow(), subgraphs.REROUTE);
  const place = [Math.round(at[0] - 20), Math.round(at[1] - 12)] as const;
  editor.run(
    commands.all(
      commands.addNode(id, subgraphs.REROUTE, place, new Map([[subgraphs.VALUE, link]])),
      commands.connect(id, subgraphs.VALUE, target, input),
    ),
  );
}

/** The command for a link that is drawn; one to the boundary's free socket makes an input or output. */
export function linkCommand(source: Id, output: string, target: Id, input: string): commands.Command {
  const now = editor.workflow();
  const id = subgraphs.subgraphAt(editor.whole(), editor.pathIn(editor.useEditor.getState()));
  const [from, to] = [now.nodes.get(source), now.nodes.get(target)];
  if (source === subgraphs.INPUTS && output === subgraphs.FREE && to) {
    const types = editor.typeOf(target, to).inputs.find((item) => item.name === input)?.types ?? ["*"];
    return target === subgraphs.OUTPUTS ? (workflow) => workflow : subgraphs.addInput(id, target, input, types);
  }
  if (target === subgraphs.OUTPUTS && input === subgraphs.FREE && from) {
    const found = editor.typeOf(source, from).outputs.find((item) => item.name === output);
    return subgraphs.addOutput(id, source, output, found?.types ?? ["*"]);
  }
  return commands.connect(source, output, target, input);
}
