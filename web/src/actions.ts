/** What people do, from any button, key or menu: each action is one function. */

import * as api from "./api/client";
import * as jobs from "./api/jobs";
import { filesOf, type FilePage } from "./api/options";
import * as commands from "./document/commands";
import { EMPTY, freshId, Link, writeWorkflow, type Id, type Node, type Workflow } from "./document/document";
import { asNumber, isObject, numeral, Numeral, type Json } from "./document/json";
import { LORAS } from "./document/loras";
import { isCollapsed, setFlag } from "./document/looks";
import { fits, withCustomWidgets, type Input, type NodeType } from "./document/schema";
import { allFilesIn, filesIn, startingFile } from "./document/startingFile";
import { holds, insideSubgraph, subgraphAt, SUBGRAPH } from "./document/subgraphs";
import * as editor from "./editor";
import { tellIfUnchanged } from "./jobs/unchanged";
import { lacking, useMe } from "./me";
import { activeJobs, addJob, useRuns } from "./runs";
import { remember, useRecent } from "./taste";
import { T } from "./texts";
import { familyAround, WHOLE } from "./widgets/family";
import { useModules } from "./widgets/modules";

/** Runs what may fail and says so. */
export function trying(action: () => Promise<unknown>): void {
  action().catch((error: unknown) => {
    editor.tell(error instanceof Error ? error.message : String(error));
  });
}

// Nodes

/** Adds a node of a type with its first values, linked with what the search came from. */
export function addNode(type: NodeType, searching: editor.Searching): Id {
  const now = editor.workflow();
  if (wouldHoldItself(type.id)) {
    editor.tell(T.subgraphs.contains);
    return "";
  }
  const id = freshId(now, type.id.startsWith(SUBGRAPH) ? type.title : type.id);
  const values = type.inputs.flatMap((input) => {
    const initial = input.initial ?? fileFor(input, searching.link?.node);
    return initial === undefined ? [] : [[input.name, initial] as const];
  });
  const [x, y] = searching.at;
  const steps = [commands.addNode(id, type.id, [Math.round(x), Math.round(y)], new Map(values))];
  const seed = type.inputs.find((input) => input.widget?.kind === "seed");
  if (seed) steps.push(commands.setExtra([id], SEED_KEY, new Map([[seed.name, "random"]])));
  const { link } = searching;
  if (link?.isOutput) {
    const wanted = searching.wanted.takes ?? [];
    const input = type.inputs.find((item) => !item.widget && fits(item.types, wanted)) ?? type.inputs.find((item) => fits(item.types, wanted));
    if (input) steps.push(commands.connect(link.node, link.socket, id, input.name));
    const output = type.outputs.find((item) => fits(searching.wanted.gives ?? [], item.types));
    if (searching.into && output) steps.push(commands.connect(id, output.name, searching.into.node, searching.into.input));
  } else if (link) {
    const output = type.outputs.find((item) => fits(searching.wanted.gives ?? [], item.types));
    if (output) steps.push(commands.connect(id, output.name, link.node, link.socket));
  }
  editor.run(commands.all(...steps));
  editor.select([editor.flowId(id)]);
  remember("types", type.id);
  return id;
}

/** Whether an instance of this type on the canvas that is seen would make a subgraph hold itself. */
export function wouldHoldItself(type: string): boolean {
  const here = subgraphAt(editor.whole(), editor.pathIn(editor.useEditor.getState()));
  return here !== "" && type.startsWith(SUBGRAPH) && holds(editor.whole(), type.slice(SUBGRAPH.length), here);
}

/** The file that a new node begins with; near: the node it is linked with. */
function fileFor({ widget }: Input, near: Id | undefined): string | undefined {
  if (widget?.kind !== "file" && widget?.kind !== "image") return undefined;
  const { folder } = widget;
  const { files, types } = editor.useEditor.getState();
  const now = editor.workflow();
  const used = folder === LORAS ? [] : filesIn(now, types, folder);
  const recent = useRecent.getState().files.flatMap((file) => (file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : []));
  const family = WHOLE.includes(folder) ? "" : [...(near === undefined ? [] : [near]), ...now.nodes.keys()].map((id) => familyAround(now, types, files, id)).find(Boolean);
  return startingFile({ files: files.get(folder)?.files ?? [], used, recent, family: family ?? "" });
}

/** Seconds that the server may take to read what is not known of files yet. */
const WAIT = 10;

/** Asks the server for the files of a folder, for all widgets that choose among them. */
export async function readFiles(folder: string): Promise<void> {
  const keep = (found: FilePage): void => editor.useEditor.setState(({ files }) => ({ files: new Map(files).set(folder, found) }));
  const found = await filesOf(folder);
  keep(found);
  if (found.isPending) filesOf(folder, "", 0, WAIT).then(keep, () => undefined); // what is known already is enough until the next time
}

/** Asks the server for all node types and the files they choose among. */
export async function readTypes(): Promise<void> {
  const types = withCustomWidgets(await api.nodeTypes(), useModules.getState().custom);
  editor.useEditor.setState({ known: types });
  const widgets = [...types.values()].flatMap((type) => type.inputs.map((input) => input.widget));
  const folders = new Set(widgets.flatMap((widget) => (widget?.kind === "file" || widget?.kind === "image" ? [widget.folder] : [])));
  await Promise.all([...folders].map(readFiles));
}

export function deleteSelected(): void {
  const { selection } = editor.useEditor.getState();
  const places = (list: "groups" | "notes"): Set<number> =>
    new Set([...selection].filter((id) => id.startsWith(`${list}/`)).map((id) => Number(id.split("/")[1])));
  const steps = (["groups", "notes"] as const)
    .filter((list) => places(list).size)
    .map((list) => commands.deleteItems(list, places(list)));
  if (!selection.size) return;
  editor.run(commands.all(commands.deleteNodes(editor.selectedNodes()), ...steps));
  editor.select([]);
}

export function selectAll(): void {
  const now = editor.workflow();
  const items = (["groups", "notes"] as const).flatMap((list) => now[list].map((_, index) => `${list}/${index}`));
  editor.select([...[...now.nodes.keys()].map(editor.flowId), ...items]);
}

export function toggleMode(mode: "mute" | "bypass"): void {
  editor.run(commands.toggleMode(editor.selectedNodes(), mode));
}

export function toggleCollapsed(ids: readonly Id[] = editor.selectedNodes()): void {
  const { nodes } = editor.workflow();
  const all = ids.every((id) => isCollapsed(nodes.get(id) as Node));
  editor.run(setFlag(ids, "collapsed", !all));
}

export function clearAll(): void {
  editor.run(() => EMPTY);
  editor.select([]);
}

// Runs

export const SEED_KEY = "seed_control";

/** A seed that nobody chose: 32 bits, so that it is read and told easily. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** What the seeds of the workflow become before a run. */
function nextSeeds(): commands.Command {
  const { nodes, subgraphs } = editor.whole();
  return commands.all(seedsIn(nodes), ...[...subgraphs].map(([id, inner]) => insideSubgraph(id, seedsIn(inner.nodes))));
}

function seedsIn(nodes: Workflow["nodes"]): commands.Command {
  const steps: commands.Command[] = [];
  for (const [id, node] of nodes) {
    const control = node.extra.get(SEED_KEY);
    if (!isObject(control)) continue;
    for (const [input, how] of control) {
      const old = node.inputs.get(input);
      if (old instanceof Link) continue;
      if (how === "random") steps.push(commands.setValue(id, input, randomSeed()));
      const by = { increment: 1n, decrement: -1n }[String(how)];
      if (by && old !== undefined) steps.push(commands.setValue(id, input, movedSeed(old, by)));
    }
  }
  return commands.all(...steps);
}

/** A seed one higher or lower; after the largest of 64 bits comes 0. */
export function movedSeed(seed: Json, by: bigint): Json {
  const now = seed instanceof Numeral ? seed.text : String(asNumber(seed, 0));
  return /^-?\d+$/.test(now) ? numeral(String(BigInt.asUintN(64, BigInt(now) + by))) : seed;
}

/** Hands in the workflow, `times` times, each with its own seeds; gives the jobs' ids. targets: run up to these nodes only. */
export async function runWorkflow(times = 1, targets?: readonly Id[], keepsSeeds = false): Promise<string[]> {
  const refused = lacking("runner")(useMe.getState());
  if (refused) throw new Error(refused);
  const ids: string[] = [];
  editor.expectWhole();
  for (let time = 0; time < times; time += 1) {
    if (!keepsSeeds) editor.runWhole(nextSeeds(), "seeds");
    try {
      const title = editor.labelOf(editor.currentTab());
      for (const [folder, name] of allFilesIn(editor.whole(), editor.useEditor.getState().known).toReversed()) remember("files", `${folder}/${name}`);
      const job = await jobs.submit(writeWorkflow(editor.whole()), { title, ...(targets?.length ? { targets } : {}) });
      addJob(job);
      ids.push(job.id);
      if (time === times - 1 && !keepsSeeds) tellIfUnchanged(job.id, times);
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      editor.setProblems(error.problems);
      throw new Error(error.problems[0]?.message ?? error.message, { cause: error });
    }
  }
  return ids;
}

/** Cancels what runs and what waits. */
export async function cancelRuns(): Promise<void> {
  await Promise.all(activeJobs(useRuns.getState()).map((run) => jobs.change(run.job.id, "cancel")));
}
