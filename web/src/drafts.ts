/** Drafts: what is open comes back after a crash. Each window of the browser keeps its own, whatever their size. */

import { readWorkflow, writeWorkflow, type Workflow } from "./document/document";
import { stepsBefore, stepsOf, textOf, withSteps } from "./draftHistory";
import { changeTab, isChanged, isUntouched, newTab, tabOf, tell, useEditor, type Tab } from "./editor";
import * as store from "./api/draftstore";
import type { Draft } from "./api/draftstore";
import { T } from "./texts";

const OLDEST = 30 * 24 * 3600 * 1000;
const LATE = "darkroom.late.";
const LATER = 200;
const keyOf = ({ session, key }: Draft): string => `${session} ${key}`;

/** What was written of each tab last, so that only changes are written. */
const written = new Map<string, { readonly now: Workflow; readonly mark: string }>();
const kept = { session: "", isSafe: true };

const markOf = (tab: Tab, order: number): string => [tab.name, tab.etag, isChanged(tab), order, useEditor.getState().active === tab.key].join("\n");

/** Which drafts a window opens, and which of them it takes over: its own; else what dead windows left; else what a living one shows. */
export function chosen(drafts: readonly Draft[], own: string, living: ReadonlySet<string> | null): { readonly open: readonly Draft[]; readonly taken: readonly Draft[] } {
  const mine = drafts.filter((draft) => draft.session === own);
  if (mine.length) return { open: byOrder(mine), taken: [] };
  if (!living) return { open: byOrder(drafts.filter((draft) => draft.session === newestSession(drafts))), taken: [] };
  const dead = drafts.filter((draft) => !living.has(draft.session));
  const newest = newestSession(drafts.filter((draft) => living.has(draft.session))) ?? newestSession(dead);
  const shown = drafts.filter((draft) => draft.session === newest);
  const lost = dead.filter((draft) => draft.session !== newest && draft.changed);
  return { open: [...byOrder(shown), ...byOrder(lost)], taken: dead };
}

const byOrder = (drafts: readonly Draft[]): Draft[] => [...drafts].sort((a, b) => a.order - b.order);

function newestSession(drafts: readonly Draft[]): string | undefined {
  return [...drafts].sort((a, b) => b.at - a.at)[0]?.session;
}

/** Opens what was open. Nothing that is there is ever thrown away before it is kept under this window's name. */
export async function restoreDrafts(): Promise<void> {
  const { session, living } = await store.takeSession();
  kept.session = session;
  const known = new Map<string, Draft>((await store.allDrafts().catch(() => [])).map((draft) => [keyOf(draft), draft]));
  for (const draft of takeLate()) known.set(keyOf(draft), { ...draft, ...stepsBefore(draft.text, known.get(keyOf(draft))) });
  const { open, taken } = chosen([...known.values()].filter((draft) => Date.now() - draft.at < OLDEST), session, living);
  const tabs = withOwnKeys(open.flatMap(opened));
  const active = tabs.find(([draft]) => draft.active)?.[1] ?? tabs[0]?.[1];
  if (active) useEditor.setState({ tabs: tabs.map(([, tab]) => tab), active: active.key });
  setTimeout(() => {
    for (const [draft, tab] of tabs) restoreSteps(tab.key, draft);
  }, LATER);
  if (taken.some((draft) => draft.changed)) tell(T.told.restored);
  await keepDrafts();
  await store.forget(taken).catch(() => undefined);
}

/** Steps are read when the page is there: nobody undoes before that. */
function restoreSteps(key: string, { past = [], future = [] }: Draft): void {
  const tab = tabOf(key);
  if (tab && past.length + future.length) changeTab(key, { history: withSteps(tab.history, { past, future }) });
}

/** Tabs keep their keys, so that their drafts are written over; of two with one key the second gets a new one. */
function withOwnKeys(tabs: readonly [Draft, Tab][]): [Draft, Tab][] {
  const used = new Set<string>();
  return tabs.map(([draft, tab]) => {
    const key = used.has(draft.key) ? tab.key : draft.key;
    used.add(key);
    return [draft, { ...tab, key }];
  });
}

function opened(draft: Draft): [Draft, Tab][] {
  try {
    const found = readWorkflow(draft.text);
    const isEmpty = !found.nodes.size && !draft.name && !found.notes.length && !found.groups.length && !draft.changed;
    const tab = isEmpty ? newTab() : newTab(found, draft.name, draft.changed ? null : found, draft.etag);
    return [[draft, tab]];
  } catch {
    return []; // a draft of another version; its record stays until it is old
  }
}

/** Writes what has changed since the last time. */
export async function keepDrafts(): Promise<void> {
  if (!kept.session) return;
  const changes = changedTabs();
  const { tabs } = useEditor.getState();
  const gone = [...written.keys()].filter((key) => !tabs.some((tab) => tab.key === key));
  if (!changes.length && !gone.length) return;
  try {
    await store.write(
      changes.map(([tab, order]) => ({ ...draftOf(tab, order), ...stepsOf(tab.history) })),
      gone.map((key) => ({ session: kept.session, key })),
    );
    for (const [tab, order] of changes) written.set(tab.key, { now: tab.history.now, mark: markOf(tab, order) });
    for (const key of gone) written.delete(key);
    kept.isSafe = true;
  } catch {
    kept.isSafe = false; // this browser keeps nothing, or no more: the page asks before it is left
  }
}

function changedTabs(): [Tab, number][] {
  return useEditor.getState().tabs.flatMap((tab, order) => {
    const last = written.get(tab.key);
    return last?.now === tab.history.now && last.mark === markOf(tab, order) ? [] : [[tab, order] as [Tab, number]];
  });
}

function draftOf(tab: Tab, order: number): Draft {
  const { active } = useEditor.getState();
  const text = textOf(tab.history.now);
  return { session: kept.session, key: tab.key, order, active: tab.key === active, name: tab.name, etag: tab.etag, changed: isChanged(tab), text, at: Date.now() };
}

// Leaving the page

/** Keeps at once, without waiting for the browser's database, what it may not have by now. */
export function keepLate(): void {
  const changes = changedTabs().filter(([tab]) => !isUntouched(tab));
  if (!kept.session || !changes.length) return;
  try {
    localStorage.setItem(LATE + kept.session, JSON.stringify(changes.map(([tab, order]) => draftOf(tab, order))));
  } catch {
    // Too large; the page has asked before (mayLose).
  }
  void keepDrafts();
}

function takeLate(): readonly Draft[] {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(LATE));
  return keys.flatMap((key) => {
    const text = localStorage.getItem(key) ?? "[]";
    localStorage.removeItem(key);
    try {
      return JSON.parse(text) as Draft[];
    } catch {
      return [];
    }
  });
}

const LARGEST_LATE = 4_000_000;

/** Whether leaving the page now would lose work: the browser keeps no drafts, or a large one is still to be written. */
export function mayLose(): boolean {
  const waiting = changedTabs().filter(([tab]) => isChanged(tab));
  if (!waiting.length) return false;
  return !kept.isSafe || waiting.reduce((sum, [tab]) => sum + writeWorkflow(tab.history.now).length, 0) > LARGEST_LATE;
}
