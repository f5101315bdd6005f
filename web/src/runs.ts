/** What runs: jobs, the state of each node, previews, pictures. Kept apart from the document, so a run changes no file. */

import { create } from "zustand";
import * as api from "./api/client";
import { follow } from "./api/events";
import type { Id } from "./document/document";

export interface NodeRun {
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly done: number;
  readonly total: number;
  readonly verdict: string;
  readonly reason: string;
  readonly seconds: number;
  readonly preview: string;
  readonly error: { readonly message: string; readonly trace: string } | null;
  readonly pictures: readonly api.Picture[];
}

export interface JobRun {
  readonly job: api.Job;
  /** The number of the last event that is known. */
  readonly last: number;
  readonly nodes: ReadonlyMap<Id, NodeRun>;
}

export interface Result {
  readonly picture: api.Picture;
  readonly job: string;
  readonly node: Id;
}

interface RunsState {
  readonly jobs: ReadonlyMap<string, JobRun>;
  /** The job whose states the canvas shows. */
  readonly shown: string;
  readonly results: readonly Result[];
  readonly remaining: number;
  readonly isConnected: boolean;
  /** Whether there has been a connection at all. */
  readonly wasConnected: boolean;
}

const WAITING: NodeRun = { state: "waiting", done: 0, total: 0, verdict: "", reason: "", seconds: 0, preview: "", error: null, pictures: [] };
const MOST_RESULTS = 200;
const ENDED: readonly string[] = ["done", "failed", "cancelled"];

export const useRuns = create<RunsState>(() => ({
  jobs: new Map(),
  shown: "",
  results: [],
  remaining: 0,
  isConnected: false,
  wasConnected: false,
}));

const { getState: get, setState: set } = useRuns;

export const isOver = (job: api.Job): boolean => ENDED.includes(job.state);

/** The state of a node in the job that is shown. */
export const nodeRunOf =
  (id: Id) =>
  (state: RunsState): NodeRun | undefined =>
    state.jobs.get(state.shown)?.nodes.get(id);

export function activeJobs(state: RunsState): JobRun[] {
  return [...state.jobs.values()].filter((run) => !isOver(run.job));
}

export function addJob(job: api.Job): void {
  if (!get().jobs.has(job.id)) set({ jobs: new Map(get().jobs).set(job.id, { job, last: 0, nodes: new Map() }) });
}

export function showJob(id: string): void {
  set({ shown: id });
}

/** A picture that is not there any more. */
export function forgetResult(gone: Result): void {
  set({ results: get().results.filter((result) => result !== gone) });
}

// Events

const SOUGHT = new Set<string>();

function onEvent(event: api.JobEvent): void {
  const run = get().jobs.get(event.job);
  if (!run) {
    void seek(event.job);
    return;
  }
  if (event.number <= run.last) return;
  const node = String(event.data["display_node"] || event.data["node"] || "");
  const nodes = event.kind === "started" ? startedNodes(event) : node ? changedNode(run.nodes, node, event) : run.nodes;
  const jobs = new Map(get().jobs).set(event.job, { job: changedJob(run.job, event), last: event.number, nodes });
  const isShown = event.kind === "started" || event.kind === "queued" && !activeJobs(get()).some((other) => other.job.state === "running");
  const fresh = event.kind === "node_finished" ? (nodes.get(node)?.pictures ?? []) : [];
  set({
    jobs,
    ...(isShown ? { shown: event.job } : {}),
    ...(fresh.length ? { results: withResults(get().results, fresh, event.job, node) } : {}),
  });
}

function startedNodes(event: api.JobEvent): ReadonlyMap<Id, NodeRun> {
  return new Map((event.data["nodes"] as Id[]).map((id) => [id, WAITING]));
}

function changedJob(job: api.Job, event: api.JobEvent): api.Job {
  switch (event.kind) {
    case "started":
      return { ...job, state: "running", started: event.at };
    case "queued":
    case "paused":
      return { ...job, state: event.kind };
    case "finished":
      return { ...job, state: event.data["state"] as api.JobState, ended: event.at, error: event.data["error"] as api.Job["error"] };
    default:
      return job;
  }
}

function changedNode(nodes: ReadonlyMap<Id, NodeRun>, id: Id, { kind, data }: api.JobEvent): ReadonlyMap<Id, NodeRun> {
  const old = nodes.get(id) ?? WAITING;
  const text = (key: string): string => String(data[key] ?? "");
  const changes: Record<string, () => Partial<NodeRun>> = {
    node_started: () => ({ state: "running", reason: text("reason") }),
    progress: () => ({ state: "running", done: Number(data["done"]), total: Number(data["total"]) }),
    item: () => ({ state: "running", done: Number(data["item"]), total: Number(data["items"]) }),
    node_finished: () => ({
      state: old.state === "failed" ? "failed" : "done",
      verdict: text("verdict"),
      reason: text("reason"),
      seconds: Number(data["seconds"] ?? 0),
      preview: "",
      pictures: picturesIn(data["ui"]),
    }),
    node_failed: () => ({ state: "failed", preview: "", error: { message: text("message"), trace: traceIn(data["trace"]) } }),
  };
  const change = changes[kind];
  if (!change) return nodes;
  if (old.preview && kind === "node_finished") URL.revokeObjectURL(old.preview);
  return new Map(nodes).set(id, { ...old, ...change() });
}

function traceIn(trace: unknown): string {
  return Array.isArray(trace) ? trace.join("\n") : String(trace ?? "");
}

function picturesIn(ui: unknown): readonly api.Picture[] {
  const images = (ui as { images?: { filename: string; subfolder?: string; type: string }[] } | null)?.images ?? [];
  return images.filter((image) => image.filename).map(api.pictureUrl);
}

function withResults(old: readonly Result[], pictures: readonly api.Picture[], job: string, node: Id): readonly Result[] {
  const known = new Set(old.map((result) => `${result.job} ${result.picture.url}`));
  const fresh = pictures.filter((picture) => !known.has(`${job} ${picture.url}`)).map((picture) => ({ picture, job, node }));
  return [...old, ...fresh].slice(-MOST_RESULTS);
}

function onPreview(node: string, job: string, picture: Blob): void {
  const run = get().jobs.get(job);
  if (!run) return;
  const old = run.nodes.get(node) ?? WAITING;
  if (old.preview) URL.revokeObjectURL(old.preview);
  const nodes = new Map(run.nodes).set(node, { ...old, preview: URL.createObjectURL(picture) });
  set({ jobs: new Map(get().jobs).set(job, { ...run, nodes }) });
}

// Catching up

/** A job that another tab or client handed in: ask for it and for all its events. */
async function seek(id: string): Promise<void> {
  if (SOUGHT.has(id)) return;
  SOUGHT.add(id);
  await catchUp().finally(() => SOUGHT.delete(id));
}

/** Reads every job that is not known to its end, from the first event that is missing. */
export async function catchUp(): Promise<void> {
  const page = await api.jobs();
  for (const job of [...page.jobs].reverse()) {
    const known = get().jobs.get(job.id);
    if (known && isOver(known.job)) continue;
    addJob(isOver(job) ? { ...job, state: "queued" } : job);
    for (const event of await api.eventsOf(job.id, (known?.last ?? 0) + 1)) onEvent(event);
    settle(job);
  }
  set({ remaining: page.remaining });
}

/** A job is what the server says, also where its events are not kept any more. */
function settle(job: api.Job): void {
  const run = get().jobs.get(job.id);
  if (run && run.job.state !== job.state) set({ jobs: new Map(get().jobs).set(job.id, { ...run, job }) });
}

interface Hearer {
  /** The server is there again. */
  returned(): void;
  /** A job failed just now. */
  failed(why: string): void;
}

export function followRuns(hearer: Hearer): () => void {
  return follow({
    async opened() {
      const isReturn = get().wasConnected;
      set({ isConnected: true, wasConnected: true });
      await catchUp();
      if (isReturn) hearer.returned();
    },
    closed: () => {
      set({ isConnected: false });
    },
    event: (event) => {
      onEvent(event);
      const error = event.kind === "finished" ? (event.data["error"] as api.Job["error"]) : null;
      if (error && event.data["state"] === "failed") hearer.failed(error.message);
    },
    preview: onPreview,
    queue: (remaining) => {
      set({ remaining });
    },
  });
}
