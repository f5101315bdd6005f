/** What people do with files: saving without overwriting others' work, opening, importing, exporting. */

import { create } from "zustand";
import { trying } from "./actions";
import * as client from "./api/client";
import * as api from "./api/files";
import { workflowOf } from "./api/jobs";
import { freeName } from "./dialogs/listing";
import { all, setValue } from "./document/commands";
import { readWorkflow, writeWorkflow, type Workflow } from "./document/document";
import { JsonError } from "./document/json";
import { atSpot } from "./document/subgraphs";
import { keepDrafts } from "./drafts";
import * as editor from "./editor";
import { may, useMe } from "./me";
import { remember } from "./recent";
import { T } from "./texts";

/** Two that want the same name: what is in the tab, and what is saved. */
export interface Conflict {
  readonly tab: string;
  readonly name: string;
  readonly theirs: Workflow;
  readonly etag: string;
}

interface Files {
  readonly conflict: Conflict | null;
  /** The tab that is to be closed and holds unsaved work. */
  readonly closing: string | null;
  readonly missing: api.Missing | null;
  /** The workflow whose versions are looked at. */
  readonly versionsOf: string;
  readonly isForm: boolean;
}

export const useFiles = create<Files>(() => ({ conflict: null, closing: null, missing: null, versionsOf: "", isForm: false }));
const { setState: set } = useFiles;

// Saving

export async function save(): Promise<void> {
  if (!may("editor")(useMe.getState())) throw new Error(T.me.needs("editor"));
  const { key, name, etag } = editor.currentTab();
  if (!name) editor.showDialog("saveAs");
  else await saveTab(key, name, etag);
}

/** Saves under a name that nothing else has yet. */
export async function saveAs(name: string): Promise<void> {
  const { key, name: old, etag } = editor.currentTab();
  const isClosing = useFiles.getState().closing === key;
  set({ closing: null });
  if ((await saveTab(key, name, name === old ? etag : null)) && isClosing) editor.closeTab(key);
}

/** Saves over the file of a tag only (null: over nothing); where something else is there, people decide. */
export async function saveTab(key: string, name: string, over: string | null, auto = false): Promise<boolean> {
  const now = editor.tabOf(key)?.history.now;
  if (!now) return false;
  try {
    const etag = await api.saveWorkflow(name, writeWorkflow(now), over, auto);
    editor.changeTab(key, { name, saved: now, etag });
    remember(name);
    if (!auto) editor.tell(T.told.saved(name));
    void keepDrafts(); // a window that is opened now begins with what is saved
    return true;
  } catch (error) {
    if (!(error instanceof client.Refused) || error.status !== 412) throw error;
    await meetConflict(key, name, now, auto);
    return false;
  }
}

async function meetConflict(key: string, name: string, mine: Workflow, auto: boolean): Promise<void> {
  const found = await api.loadWorkflow(name).catch(() => null);
  if (!found) {
    await saveTab(key, name, null, auto); // it was deleted meanwhile; what is here is saved as new
    return;
  }
  const theirs = readWorkflow(found.text);
  if (writeWorkflow(theirs) === writeWorkflow(mine)) {
    editor.changeTab(key, { name, saved: mine, etag: found.etag });
    return;
  }
  set({ conflict: { tab: key, name, theirs, etag: found.etag } });
  if (auto) editor.tell(T.files.changedElsewhere(name));
  else editor.showDialog("conflict");
}

/** Saves what nobody asked to be saved: named workflows that have changed, but not those that are in conflict. */
export async function autosave(): Promise<void> {
  const { conflict } = useFiles.getState();
  if (!may("editor")(useMe.getState())) return;
  for (const tab of editor.useEditor.getState().tabs)
    if (tab.name && tab.etag !== null && editor.isChanged(tab) && conflict?.tab !== tab.key) await saveTab(tab.key, tab.name, tab.etag, true);
}

// Deciding between two

function endConflict(): void {
  set({ conflict: null });
  editor.showDialog(null);
}

export async function overwriteTheirs({ tab, name, etag }: Conflict): Promise<void> {
  endConflict();
  await saveTab(tab, name, etag);
}

export async function keepMineAs({ tab }: Conflict, name: string): Promise<void> {
  endConflict();
  await saveTab(tab, name, null);
}

/** Puts what is saved into the tab; what was there is one undo away. */
export function takeTheirs({ tab, name, theirs, etag }: Conflict): void {
  endConflict();
  editor.activate(tab);
  editor.run(() => theirs);
  editor.changeTab(tab, { name, saved: theirs, etag });
}

/** Reads again what another window or program has saved, where nothing here was changed since. */
export async function refresh(): Promise<void> {
  const { key, name, etag } = editor.currentTab();
  if (!name || etag === null || editor.isChanged(editor.currentTab())) return;
  const newer = await api.loadNewer(name, etag);
  const tab = editor.tabOf(key);
  if (!newer || !tab || editor.isChanged(tab) || editor.currentTab().key !== key) return;
  const theirs = readWorkflow(newer.text);
  editor.run(() => theirs);
  editor.changeTab(key, { saved: theirs, etag: newer.etag });
  editor.tell(T.files.readAgain(name));
}

// Tabs

/** Closes a tab; one with unsaved work after asking. */
export function closeTab(key: string): void {
  const tab = editor.tabOf(key);
  if (!tab) return;
  if (!editor.isChanged(tab)) {
    editor.closeTab(key);
    return;
  }
  set({ closing: key });
  editor.showDialog("closing");
}

/** Gives a tab another name: the saved workflow with its versions, or only the title of one that is not saved. */
export async function renameTab(key: string, name: string): Promise<void> {
  const tab = editor.tabOf(key);
  if (!tab || !name || name === editor.labelOf(tab)) return;
  if (tab.etag !== null) await api.renameWorkflow(tab.name, name);
  editor.changeTab(key, tab.name ? { name } : {});
  if (tab.name) return;
  editor.activate(key);
  editor.run((now) => ({ ...now, extra: new Map(now.extra).set("title", name) }));
}

/** Shows what the workflow of this tab was at each save. */
export function showVersions(): void {
  const { name, etag } = editor.currentTab();
  if (!name || etag === null) {
    editor.tell(T.files.notSavedYet);
    return;
  }
  set({ versionsOf: name });
  editor.showDialog("versions");
}

// Opening

export async function openSaved(name: string): Promise<void> {
  const there = editor.useEditor.getState().tabs.find((tab) => tab.name === name && tab.etag !== null);
  if (there) {
    editor.activate(there.key);
    return;
  }
  const { text, etag } = await api.loadWorkflow(name);
  editor.open(readWorkflow(text), name, undefined, etag);
  remember(name);
}

/** Saves a copy of a saved workflow under the next free name. */
export async function duplicateSaved(name: string): Promise<void> {
  const [{ text }, entries] = [await api.loadWorkflow(name), await api.savedWorkflows()];
  await api.saveWorkflow(freeName(name, new Set(entries.map((entry) => entry.name))), text, null);
}

/** Saves files of any format as workflows named as they are. */
export async function uploadWorkflows(files: readonly File[]): Promise<void> {
  const taken = new Set((await api.savedWorkflows()).map((entry) => entry.name));
  for (const file of files) {
    const name = freeName(file.name.replace(/\.[^.]+$/, ""), taken);
    await api.saveWorkflow(name, await oursOf(file), null);
    taken.add(name);
    editor.tell(T.told.saved(name));
  }
}

/** Opens what a workflow was once, as one that is not saved. */
export async function openVersion(name: string, version: string): Promise<void> {
  const { text } = await api.loadWorkflow(name, version);
  editor.open(readWorkflow(text), "", null);
}

export async function openTemplate(name: string): Promise<void> {
  const found = readWorkflow(await api.loadTemplate(name));
  editor.open(found, "");
  await showMissing(found);
}

export async function openJob(job: string): Promise<void> {
  editor.open(readWorkflow(await workflowOf(job)), "", null);
}

/** Opens files, one after the other; each that cannot be opened is told. */
export async function openFiles(files: Iterable<File>): Promise<void> {
  for (const file of files) await openFile(file).catch((error: unknown) => trying(() => Promise.reject(error as Error)));
}

/** Opens a file that holds a workflow of any format, or a picture that carries one. */
export async function openFile(file: File): Promise<void> {
  try {
    const found = readWorkflow(await oursOf(file));
    editor.open(found, file.name.replace(/\.[^.]+$/, ""), null);
    await showMissing(found);
  } catch (error) {
    throw new Error(T.told.cannotOpen(file.name, error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

/** Opens a text that holds a workflow of any format; whether it is one. */
export function pasteText(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  trying(async () => {
    const found = readWorkflow(await inOurFormat(text));
    editor.open(found, "", null);
    await showMissing(found);
  });
  return true;
}

const LARGEST_TEXT = 64 * 2 ** 20;

async function oursOf(file: File): Promise<string> {
  if (file.type.startsWith("image/")) return inPicture(file);
  if (file.size > LARGEST_TEXT) throw new Error(T.files.tooLarge);
  return inOurFormat(await file.text());
}

/** What browsers show: of other kinds only the server can tell whether a picture is whole. */
const SHOWN = /^image\/(png|jpeg|webp|gif|bmp|avif)$/;

async function inPicture(file: File): Promise<string> {
  try {
    return await client.convert(file, "darkroom");
  } catch (error) {
    if (!(error instanceof client.Refused) || !SHOWN.test(file.type)) throw error;
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) throw new Error(T.files.brokenPicture, { cause: error });
    picture.close();
    throw error;
  }
}

/** A text in our format, byte for byte where it is in it already. */
async function inOurFormat(text: string): Promise<string> {
  try {
    readWorkflow(text);
    return text;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return client.convert(text, "darkroom");
  }
}

/** Opens what the address of the page names: #form/NAME is a saved workflow as a form. */
export async function openFromAddress(): Promise<void> {
  const name = /^#form\/(.+)$/.exec(location.hash)?.[1];
  if (!name) return;
  await openSaved(decodeURIComponent(name));
  set({ isForm: true });
}

/** The address that opens a saved workflow as a form. */
export const formAddress = (name: string): string => `${location.origin}${location.pathname}#form/${encodeURIComponent(name)}`;

// What is missing

/** Asks what a workflow needs that is not here, and shows that if it is anything. */
export async function showMissing(workflow: Workflow = editor.whole()): Promise<void> {
  if (!workflow.nodes.size) return;
  const missing = await api.missingIn(writeWorkflow(workflow));
  if (!missing.types.length && !missing.files.length) return;
  set({ missing });
  editor.showDialog("missing");
}

/** Looks for what is missing because people ask, and says so where nothing is. */
export async function lookForMissing(): Promise<void> {
  await showMissing();
  if (editor.useEditor.getState().dialog !== "missing") editor.tell(T.missing.none);
}

export function toggleForm(): void {
  set({ isForm: !useFiles.getState().isForm });
}

const PAUSE = 1000;

/** Looks again, into the files too where a workflow knows their hash: for as long as that takes and the list is open. */
export async function compareContents(): Promise<void> {
  for (;;) {
    const missing = await api.missingIn(writeWorkflow(editor.whole()), true);
    set({ missing });
    if (!missing.files.some((file) => file.hash && file.pending) || editor.useEditor.getState().dialog !== "missing") return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Uses files in place of missing ones, as one step that can be undone. */
export function putMatches(chosen: readonly { readonly file: api.MissingFile; readonly name: string }[]): void {
  editor.runWhole(all(...chosen.map(({ file, name }) => atSpot(file.node, (node) => setValue(node, file.input, name)))));
}

// Exporting

export type Format = "darkroom" | "api" | "editor";

export async function exportAs(format: Format): Promise<void> {
  const ours = writeWorkflow(editor.whole());
  const text = format === "darkroom" ? ours : await client.convert(ours, format);
  download(`${fileName()}${format === "darkroom" ? "" : `.${format}`}.json`, text);
}

/** What the workflow of a tab is called as a file, without folders and ending. */
export function fileName(tab: editor.Tab = editor.currentTab()): string {
  return editor.labelOf(tab).split("/").at(-1)?.replace(/[^\p{L}\p{N}._ -]+/gu, "-").trim() || "workflow";
}

export function download(name: string, text: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
