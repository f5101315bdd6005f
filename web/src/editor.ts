/** The one truth of what is edited: open workflows with their history, what is selected, what is known of nodes. */

import { create } from "zustand";
import type { Problem, Verdict } from "./api/client";
import type { FilePage } from "./api/options";
import type { Clip } from "./document/clips";
import type { Command, Point } from "./document/commands";
import { EMPTY, type Id, type Node, type Workflow } from "./document/document";
import { asText } from "./document/json";
import { apply, redo, startHistory, undo, type History } from "./document/history";
import type { NodeType, NodeTypes } from "./document/schema";
import { inside, isBoundary, prefixOf, spotOf, viewOf, walkable, type Path } from "./document/subgraphs";
import { sameTypes, typeIn, typesWithin } from "./document/subgraphTypes";
import { withTodo } from "./document/todo";
import type { Wanted } from "./search/types";
import { placeholderType } from "./canvas/geometry";
import { T } from "./texts";

export interface Tab {
  readonly key: string;
  readonly name: string;
  readonly history: History;
  /** What is saved under its name: the workflow object itself, or null. */
  readonly saved: Workflow | null;
  /** The tag of the file that was last read or written under its name; null where there is none. */
  readonly etag: string | null;
  /** What was opened or last run: its nodes are expected to be whole. */
  readonly expected: Workflow;
}

/** A search for a node to add: where on the canvas, where on the screen, and what it is to be linked with. */
export interface Searching {
  readonly at: Point;
  readonly screen: Point;
  readonly wanted: Wanted;
  readonly link?: { readonly node: Id; readonly socket: string; readonly isOutput: boolean };
  /** The input that the new node is to feed, where it is put into a link. */
  readonly into?: { readonly node: Id; readonly input: string };
}

export type Dialog = "open" | "templates" | "saveAs" | "shortcuts" | "closing" | "conflict" | "versions" | "missing" | "call" | "settings" | "about";

/** What can be done about what is told, with the text of its button. */
export interface Action {
  readonly text: string;
  readonly run: () => void;
}

interface EditorState {
  readonly tabs: readonly Tab[];
  readonly active: string;
  /** Tabs that were closed, the last one at the end. */
  readonly closed: readonly Tab[];
  /** Flow ids: "n/" + node, "groups/" and "notes/" + place in their list. */
  readonly selection: ReadonlySet<string>;
  /** The node types of the server. */
  readonly known: NodeTypes;
  /** The same with those that the canvas that is seen makes itself. */
  readonly types: NodeTypes;
  /** By tab, the instances that lead to the canvas that is seen. */
  readonly paths: ReadonlyMap<string, Path>;
  /** The files that nodes may choose, by folder. */
  readonly files: ReadonlyMap<string, FilePage>;
  readonly clip: Clip | null;
  readonly problems: readonly Problem[];
  /** The same by node, so that each looks up its own only. */
  readonly problemsOf: ReadonlyMap<Id, readonly Problem[]>;
  /** What is known of outputs before anything runs, by node and output. */
  readonly facts: Verdict["facts"];
  readonly searching: Searching | null;
  readonly dialog: Dialog | null;
  readonly notice: { readonly text: string; readonly key: number; readonly action?: Action } | null;
}

let count = 0;
const newKey = (): string => `tab-${Date.now().toString(36)}-${(count += 1)}`;

export function newTab(workflow: Workflow = EMPTY, name = "", saved: Workflow | null = workflow, etag: string | null = null): Tab {
  return { key: newKey(), name, history: startHistory(workflow), saved, etag, expected: workflow };
}

const first = newTab();

export const useEditor = create<EditorState>(() => ({
  tabs: [first],
  active: first.key,
  closed: [],
  selection: new Set(),
  known: new Map(),
  types: new Map(),
  paths: new Map(),
  files: new Map(),
  clip: null,
  problems: [],
  problemsOf: new Map(),
  facts: {},
  searching: null,
  dialog: null,
  notice: null,
}));

const { getState: get, setState: set } = useEditor;
const MOST_CLOSED = 20;
const NO_PROBLEMS = { facts: {}, problems: [], problemsOf: new Map<Id, Problem[]>() };

// Looking

export function currentTab(state: EditorState = get()): Tab {
  return state.tabs.find((tab) => tab.key === state.active) ?? (state.tabs[0] as Tab);
}

/** The whole workflow that is open. */
export const wholeIn = (state: EditorState): Workflow => currentTab(state).history.now;
export const whole = (): Workflow => wholeIn(get());
export const useWhole = (): Workflow => useEditor(wholeIn);
const NO_PATH: Path = [];
/** The instances that lead to the canvas that is seen; none for the workflow itself. */
export const pathIn = (state: EditorState): Path => {
  const path = state.paths.get(state.active);
  return path?.length ? walkable(wholeIn(state), path) : NO_PATH;
};
/** The canvas that is seen: the workflow, or the inside of a subgraph. */
export const workflowIn = (state: EditorState): Workflow => viewOf(wholeIn(state), pathIn(state));
export const workflow = (): Workflow => workflowIn(get());
/** The id that a node of the canvas that is seen runs under. */
export const ranId = (id: Id, state: EditorState = get()): Id => `${prefixOf(pathIn(state))}${id}`;
/** What a tab is called: its name, or the title its workflow bears. */
export const labelOf = (tab: Tab): string => tab.name || asText(tab.history.now.extra.get("title")) || T.untitled;
export const isChanged = (tab: Tab): boolean => tab.history.now !== tab.saved;
export const useWorkflow = (): Workflow => useEditor(workflowIn);

export function typeOf(id: Id, node: Node, state: Pick<EditorState, "types"> = get()): NodeType {
  return typeIn(workflow().nodes, id, node, state.types) ?? placeholderType(id, node, workflow());
}

/** What a node that runs under an id such as "5:3" is called, with what it lies in. */
export function titleOfRan(id: Id): string {
  const spot = spotOf(whole(), id);
  if (!spot) return titleOf(id);
  const ids = [...spot.path, spot.id];
  return ids.map((key, depth) => titleIn(viewOf(whole(), ids.slice(0, depth)), key)).join(" › ");
}

function titleIn(view: Workflow, id: Id): string {
  const node = view.nodes.get(id);
  return node ? node.title || get().types.get(node.type)?.title || node.type : id;
}

export function titleOf(id: Id): string {
  return titleIn(workflow(), id);
}

export const flowId = (id: Id): string => `n/${id}`;
export const nodeId = (flow: string): Id => flow.slice(2);

export function selectedNodes(): Id[] {
  return [...get().selection].filter((id) => id.startsWith("n/") && !isBoundary(nodeId(id))).map(nodeId);
}

// Changing

function onTab(change: (tab: Tab) => Tab): void {
  const current = currentTab();
  const changed = change(current);
  if (changed !== current) set({ tabs: get().tabs.map((tab) => (tab.key === current.key ? changed : tab)) });
}

function onHistory(change: (history: History) => History): void {
  onTab((tab) => {
    const history = change(tab.history);
    return history === tab.history ? tab : { ...tab, history };
  });
}

/** Does a command on the canvas that is seen; those of one gesture undo together. */
export function run(command: Command, gesture = ""): void {
  runWhole(inside(pathIn(get()), command), gesture);
}

/** Does a command on the whole workflow. */
export function runWhole(command: Command, gesture = ""): void {
  onHistory((history) => apply(history, command, gesture));
}

/** Shows the canvas at the end of a path. */
export function showPath(path: Path): void {
  set({ paths: new Map(get().paths).set(get().active, walkable(whole(), path)), selection: new Set() });
}

export function undoLast(): void {
  onHistory(undo);
  forgetGone();
}

export function redoNext(): void {
  onHistory(redo);
  forgetGone();
}

function forgetGone(): void {
  const { nodes } = workflow();
  select([...get().selection].filter((id) => id.startsWith("n/") && nodes.has(nodeId(id))));
}

export function select(flowIds: Iterable<string>): void {
  set({ selection: new Set(flowIds) });
}

export function tell(text: string, action?: Action): void {
  set({ notice: { text, key: Date.now(), ...(action ? { action } : {}) } });
}

export function setProblems(told: readonly Problem[]): void {
  const problems = withTodo(told, currentTab().expected);
  set({ problems, problemsOf: problemsAt(problems, prefixOf(pathIn(get()))) });
}

/** Someone wants to run what there is: what lacks a link is wrong from now on. */
export function expectWhole(): void {
  onTab((tab) => (tab.expected === tab.history.now ? tab : { ...tab, expected: tab.history.now }));
  setProblems(get().problems);
}

export function setFacts(facts: Verdict["facts"]): void {
  set({ facts });
}

/** The problems by node of a canvas; an instance has those of all within it. */
function problemsAt(problems: readonly Problem[], prefix: string): ReadonlyMap<Id, readonly Problem[]> {
  const found = new Map<Id, Problem[]>();
  for (const problem of problems) {
    if (!problem.node?.startsWith(prefix)) continue;
    const rest = problem.node.slice(prefix.length);
    const own = workflow().nodes.has(rest) ? rest : (rest.split(":")[0] ?? rest);
    found.set(own, [...(found.get(own) ?? []), problem]);
  }
  return found;
}

// What follows from what is edited and where: the node types it makes, the problems of the canvas that is seen
useEditor.subscribe((state, old) => {
  const [path, before] = [pathIn(state), pathIn(old)];
  const [now, then] = [wholeIn(state), wholeIn(old)];
  const hasOwn = now !== then && (now.subgraphs.size > 0 || then.subgraphs.size > 0);
  if (state.known !== old.known || hasOwn || path !== before) {
    const types = sameTypes(typesWithin(state.known, now, path), state.types);
    if (types !== state.types) set({ types });
  }
  if (path !== before) setProblems(get().problems);
});

export function search(searching: Searching | null): void {
  set({ searching });
}

export function showDialog(dialog: Dialog | null): void {
  set({ dialog });
}

// Tabs

/** Opens a workflow in a tab of its own, or in the current one where that is empty. */
export function open(found: Workflow, name: string, saved: Workflow | null = found, etag: string | null = null): void {
  const current = currentTab();
  const tab = newTab(found, name, saved, etag);
  const tabs = isUntouched(current) ? get().tabs.map((other) => (other === current ? tab : other)) : [...get().tabs, tab];
  set({ tabs, active: tab.key, selection: new Set(), ...NO_PROBLEMS });
}

/** Whether a tab is as it was made: empty, and nothing to undo. */
export function isUntouched({ history }: Tab): boolean {
  return history.now === EMPTY && !history.past.length && !history.future.length;
}

export function openEmpty(): void {
  const tab = newTab();
  set({ tabs: [...get().tabs, tab], active: tab.key, selection: new Set(), ...NO_PROBLEMS });
}

export function activate(key: string): void {
  set({ active: key, selection: new Set(), ...NO_PROBLEMS });
}

/** Closes a tab without asking; it can be had back. */
export function closeTab(key: string): void {
  const place = get().tabs.findIndex((tab) => tab.key === key);
  const gone = get().tabs[place];
  if (!gone) return;
  const left = get().tabs.filter((tab) => tab.key !== key);
  const tabs = left.length ? left : [newTab()];
  const active = get().active === key ? (tabs[Math.min(place, tabs.length - 1)] as Tab).key : get().active;
  const closed = isUntouched(gone) ? get().closed : [...get().closed, gone].slice(-MOST_CLOSED);
  set({ tabs, active, closed, selection: new Set(), ...NO_PROBLEMS });
}

/** Opens the tab that was closed last, with its history. */
export function reopenTab(): void {
  const tab = get().closed.at(-1);
  if (!tab) return;
  const tabs = get().tabs.every(isUntouched) ? [tab] : [...get().tabs, tab];
  set({ tabs, active: tab.key, closed: get().closed.slice(0, -1), selection: new Set(), ...NO_PROBLEMS });
}

export function moveTab(key: string, to: number): void {
  const tab = get().tabs.find((item) => item.key === key);
  if (!tab) return;
  const tabs = get().tabs.filter((item) => item !== tab);
  tabs.splice(Math.min(Math.max(to, 0), tabs.length), 0, tab);
  set({ tabs });
}

export function tabOf(key: string): Tab | undefined {
  return get().tabs.find((tab) => tab.key === key);
}

export function changeTab(key: string, changes: Partial<Omit<Tab, "key">>): void {
  set({ tabs: get().tabs.map((tab) => (tab.key === key ? { ...tab, ...changes } : tab)) });
}
