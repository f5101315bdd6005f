/** What runs: jobs, the state of each node, previews, pictures. Kept apart from the document, so a run changes no file. */

import { create } from "zustand";
import * as api from "./api/jobs";
import { follow } from "./api/events";
import type { Id } from "./document/document";
import { currentTab, labelOf, useEditor, type Tab, ranId } from "./editor";
import { withTimings, type Timings } from "./jobs/estimate";
import { isPicture, isSeen } from "./jobs/media";
import { afterEvents, bare, ENDED_STATES, isOver, newRun, type JobRun, type NodeRun } from "./jobs/state";

export { isOver, type JobRun, type NodeRun } from "./jobs/state";

export interface Result {
  readonly picture: api.Picture;
  readonly job: string;
  readonly node: Id;
}

interface RunsState {
  readonly jobs: ReadonlyMap<string, JobRun>;
  /** The waiting jobs in the order they will run. */
  readonly order: readonly string[];
  /** Whether the queue starts no more jobs. */
  readonly isPaused: boolean;
  /** The job whose states the canvas shows, of each tab and of the one that is seen. */
  readonly shownIn: ReadonlyMap<string, string>;
  readonly shown: string;
  /** When the newest job was handed in that was known as a tab was opened: it and older ones are not the tab's. */
  readonly since: ReadonlyMap<string, number>;
  readonly results: readonly Result[];
  /** Addresses of half-made pictures, by job and node. */
  readonly previews: ReadonlyMap<string, string>;
  readonly timings: Timings;
  readonly remaining: number;
  /** Rises whenever the queue or the list of ended jobs is another. */
  readonly changes: number;
  readonly isConnected: boolean;
  /** Whether there has been a connection at all. */
  readonly wasConnected: boolean;
}

const MOST = { results: 200, whole: 12, jobs: 400, timings: 2000, open: 1000, ended: 30 } as const;
/** Events that come closer together than this, in ms, are taken in at once. */
const FRAME = 30;
const QUEUE_AFTER = 150;

export const useRuns = create<RunsState>(() => ({
  jobs: new Map(),
  order: [],
  isPaused: false,
  shownIn: new Map(),
  shown: "",
  since: new Map(),
  results: [],
  previews: new Map(),
  timings: new Map(),
  remaining: 0,
  changes: 0,
  isConnected: false,
  wasConnected: false,
}));

const { getState: get, setState: set } = useRuns;

// Looking

/** The state of a node in the job that is shown. */
export const nodeRunOf =
  (id: Id) =>
  (state: RunsState): NodeRun | undefined =>
    state.jobs.get(state.shown)?.nodes.get(ranId(id));

const previewKey = (job: string, node: Id): string => `${job} ${node}`;

export const previewOf =
  (id: Id) =>
  (state: RunsState): string | undefined =>
    state.previews.get(previewKey(state.shown, ranId(id)));

/** The last picture that a node of the workflow that is seen made. */
export const pictureOf =
  (id: Id) =>
  (state: RunsState): string | undefined => {
    const fresh = nodeRunOf(id)(state)?.pictures.find(isPicture);
    if (fresh) return fresh.url;
    const tab = currentTab();
    const isOwn = ({ job, node, picture }: Result): boolean => node === ranId(id) && isPicture(picture) && isTitled(state.jobs.get(job)?.job, tab, state);
    return state.results.findLast(isOwn)?.picture.url;
  };

export function activeJobs(state: RunsState): JobRun[] {
  return [...state.jobs.values()].filter((run) => !isOver(run.job));
}

const isTitled = (job: api.Job | undefined, tab: Tab, { since }: Pick<RunsState, "since">): boolean =>
  job !== undefined && job.title === labelOf(tab) && job.created > (since.get(tab.key) ?? -1);

/** Whether a job ran the workflow of a tab, as far as its title and its nodes tell. */
function isOf(run: JobRun | undefined, tab: Tab, state: Pick<RunsState, "shownIn" | "since">): boolean {
  if (!run) return false;
  if (state.shownIn.get(tab.key) === run.job.id) return true;
  const { nodes } = tab.history.now;
  return isTitled(run.job, tab, state) && [...run.nodes.keys()].every((id) => nodes.has(id) || nodes.has(id.split(/[:/.]/)[0] ?? ""));
}

// Changing

function put(run: JobRun): void {
  set({ jobs: new Map(get().jobs).set(run.job.id, run) });
}

/** A job that was handed in here, from the tab that is seen. */
export function addJob(job: api.Job): void {
  const isFirst = !activeJobs(get()).some((run) => isOf(run, currentTab(), get()));
  if (!get().jobs.has(job.id)) put(newRun(job));
  const shownIn = new Map(get().shownIn);
  if (isFirst) shownIn.set(currentTab().key, job.id);
  set({ shownIn, shown: shownIn.get(currentTab().key) ?? "" });
}

/** Shows a job's states on the canvas; what was let go of is asked for again. */
export async function showJob(id: string): Promise<void> {
  showIn(currentTab(), id);
  const run = get().jobs.get(id);
  if (run && !run.isBare && (run.nodes.size || !isOver(run.job))) return;
  const [job, events] = await Promise.all([run?.job ?? api.jobOf(id), api.eventsOf(id, 1)]);
  put(settled(afterEvents(newRun({ ...job, state: "queued" }), events), job));
}

function showIn(tab: Tab, id: string): void {
  const shownIn = new Map(get().shownIn).set(tab.key, id);
  set({ shownIn, shown: shownIn.get(currentTab().key) ?? "" });
}

/** Tabs with a workflow that has no name yet: what ran before under its title was another one. */
function begin(tabs: readonly Tab[]): void {
  const { jobs, since } = get();
  const newest = Math.max(-1, ...[...jobs.values()].map(({ job }) => job.created));
  if (tabs.length) set({ since: new Map([...since, ...tabs.map(({ key }) => [key, newest] as const)]) });
}

/** The canvas shows another tab: with its last job, if one is known. */
export function seeTab(): void {
  const tab = currentTab();
  const known = get().shownIn.get(tab.key);
  if (known !== undefined) {
    if (known !== get().shown) set({ shown: known });
    return;
  }
  set({ shown: "" });
  const last = [...get().jobs.values()].findLast((run) => isOf(run, tab, get()));
  if (last && tab.history.now.nodes.size) void showJob(last.job.id).catch(() => undefined);
}

/** A picture that is not there any more. */
export function forgetResult(url: string): void {
  set({ results: get().results.filter((result) => result.picture.url !== url) });
}

/** A job that the server forgot. */
export function dropJob(id: string): void {
  const jobs = new Map(get().jobs);
  jobs.delete(id);
  set({ jobs });
  dropPreviews(id);
}

// Events

function takeIn(events: readonly api.JobEvent[]): void {
  for (const id of new Set(events.map((event) => event.job))) {
    const own = events.filter((event) => event.job === id);
    const run = get().jobs.get(id);
    if (run && !run.isBare) applyTo(run, own);
    else void seek(id);
  }
}

function applyTo(run: JobRun, events: readonly api.JobEvent[]): void {
  const next = afterEvents(run, events);
  if (next === run) return;
  const fresh = events.filter(({ number }) => number > run.last);
  put(next);
  keepResults(next, fresh);
  if (fresh.some(({ kind }) => kind === "started")) showStarted(next);
  for (const { kind, data } of fresh) if (kind === "node_finished" || kind === "node_failed") dropPreviews(run.job.id, String(data["display_node"] || data["node"]));
  if (isOver(next.job)) {
    dropPreviews(run.job.id);
    set({ timings: withTimings(get().timings, next.nodes, MOST.timings) });
    trim();
  }
}

/** A job begins: it is seen on the tab it came from, or on one that holds its workflow. */
function showStarted(run: JobRun): void {
  const { tabs } = useEditor.getState();
  const current = currentTab();
  const tab = [current, ...tabs].find((item) => isOf(run, item, get()));
  if (tab) showIn(tab, run.job.id);
}

function keepResults({ job, nodes }: JobRun, events: readonly api.JobEvent[]): void {
  const shown = events.filter(({ kind }) => kind === "node_finished").map(({ data }) => String(data["display_node"] || data["node"]));
  addResults(shown.flatMap((node) => (nodes.get(node)?.pictures ?? []).filter(isSeen).map((picture) => ({ picture, job: job.id, node }))));
}

/** A picture that was made before, as a cached one is, stands once: with the job that showed it last. */
function addResults(found: readonly Result[]): void {
  if (!found.length) return;
  const all = new Map(get().results.map((result) => [result.picture.url, result]));
  for (const result of found) {
    all.delete(result.picture.url);
    all.set(result.picture.url, result);
  }
  set({ results: [...all.values()].slice(-MOST.results) });
}

/** Of the jobs that ended only the last keep the states of their nodes, and very old ones go. */
function trim(): void {
  const { jobs, shownIn } = get();
  const shown = new Set(shownIn.values());
  const ended = [...jobs.values()].filter((run) => isOver(run.job) && !shown.has(run.job.id));
  const whole = ended.filter((run) => !run.isBare);
  const next = new Map(jobs);
  for (const run of whole.slice(0, -MOST.whole)) next.set(run.job.id, bare(run));
  for (const run of ended.slice(0, -MOST.jobs)) next.delete(run.job.id);
  set({ jobs: next });
}

// Previews: each address is given back when its picture is not seen any more

function onPreview(node: string, job: string, picture: Blob): void {
  const run = get().jobs.get(job);
  if (run?.job.state !== "running") return;
  const key = previewKey(job, node);
  const old = get().previews.get(key);
  set({ previews: new Map(get().previews).set(key, URL.createObjectURL(picture)) });
  if (old) URL.revokeObjectURL(old);
}

function dropPreviews(job: string, node?: Id): void {
  const gone = [...get().previews].filter(([key]) => (node === undefined ? key.startsWith(`${job} `) : key === previewKey(job, node)));
  if (!gone.length) return;
  const previews = new Map(get().previews);
  for (const [key, url] of gone) {
    previews.delete(key);
    URL.revokeObjectURL(url);
  }
  set({ previews });
}

// Catching up

const SOUGHT = new Set<string>();

/** A job that another tab or client handed in, or one of which more must be known: ask for it and its events. */
async function seek(id: string): Promise<void> {
  if (SOUGHT.has(id)) return;
  SOUGHT.add(id);
  try {
    const job = await api.jobOf(id);
    const known = get().jobs.get(id);
    const run = known && !known.isBare ? known : newRun({ ...job, state: "queued" });
    put(run);
    applyTo(run, await api.eventsOf(id, run.last + 1));
    settle(job);
  } catch {
    dropJob(id);
  } finally {
    SOUGHT.delete(id);
  }
}

/** A job is what the server says, also where its events are not kept any more. */
function settle(job: api.Job): void {
  const run = get().jobs.get(job.id);
  if (run && isOver(job) && !isOver(run.job)) put(settled(run, job));
}

function settled(run: JobRun, job: api.Job): JobRun {
  return run.job.state === job.state ? run : { ...run, job };
}

/** Reads what runs and waits, and every job that ended meanwhile from the first event that is missing. */
async function catchUp(): Promise<void> {
  const [, ended] = await Promise.all([readQueue(true), api.jobs({ states: ENDED_STATES, limit: MOST.ended, outputs: true })]);
  const known = get().jobs;
  const unknown = ended.jobs.toReversed().filter((job) => !known.has(job.id));
  const all = [...known.values(), ...unknown.map((job) => ({ ...newRun(job), isBare: true }))];
  set({ jobs: byAge(all), changes: get().changes + 1 });
  addResults(unknown.flatMap(resultsOf));
  await Promise.all(ended.jobs.filter((job) => !isKnownOver(job.id)).map((job) => seek(job.id)));
  seeTab();
}

/** In the order they were handed in: those that are read in later may be older. */
function byAge(runs: readonly JobRun[]): ReadonlyMap<string, JobRun> {
  return new Map(runs.toSorted((a, b) => a.job.created - b.job.created).map((run) => [run.job.id, run]));
}

function resultsOf(job: api.Job): Result[] {
  return (job.outputs ?? []).flatMap(({ display_node, files }) => files.filter(isSeen).map((picture) => ({ picture, job: job.id, node: display_node })));
}

/** Asks what runs and waits, in order. What is open here and not there has ended or was forgotten. */
export async function readQueue(isAfterBreak = false): Promise<void> {
  const before = activeJobs(get()).map((run) => run.job.id);
  const page = await api.jobs({ states: ["running", "queued", "paused"], limit: MOST.open });
  const told = new Set(page.jobs.map((job) => job.id));
  const jobs = new Map(get().jobs);
  for (const job of page.jobs) {
    const known = jobs.get(job.id);
    if (!known) jobs.set(job.id, newRun(job));
    else if (known.job.priority !== job.priority) jobs.set(job.id, { ...known, job: { ...known.job, priority: job.priority } });
  }
  const order = page.jobs.filter((job) => job.state !== "running").map((job) => job.id);
  set({ jobs, order, isPaused: page.queue_paused, remaining: page.remaining, changes: get().changes + 1 });
  const isBehind = ({ job, last }: JobRun, state: api.JobState): boolean =>
    state === "running" ? isAfterBreak || last === 0 : isAfterBreak && job.state !== state;
  const behind = page.jobs.filter(({ id, state }) => isBehind(jobs.get(id) as JobRun, state));
  const gone = before.filter((id) => !told.has(id) && !isKnownOver(id));
  await Promise.all([...behind.map(({ id }) => id), ...gone].map(seek));
}

const isKnownOver = (id: string): boolean => {
  const run = get().jobs.get(id);
  return !run || isOver(run.job);
};

interface Hearer {
  /** The server is there again. */
  returned(): void;
  /** Its node types may have changed. */
  changed(): void;
  /** A job failed just now. */
  failed(why: string): void;
}

/** Follows everything that happens. Events that come in a rush are taken in together, so that each costs little. */
export function followRuns(hearer: Hearer): () => void {
  let waiting: api.JobEvent[] = [];
  let [taken, timer, queueTimer] = [0, 0, 0];
  const takeAll = (): void => {
    const events = waiting;
    [waiting, timer, taken] = [[], 0, performance.now()];
    takeIn(events);
  };
  const stop = follow({
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
      waiting.push(event);
      const error = event.kind === "finished" ? (event.data["error"] as api.Job["error"]) : null;
      if (error && event.data["state"] === "failed") hearer.failed(error.message);
      if (!timer) timer = window.setTimeout(takeAll, Math.max(FRAME - (performance.now() - taken), 0));
    },
    preview: onPreview,
    plugins: hearer.changed,
    queue: (remaining) => {
      if (remaining !== get().remaining) set({ remaining });
      clearTimeout(queueTimer);
      queueTimer = window.setTimeout(() => {
        readQueue().catch(() => undefined); // the connection broke: the next one reads it
      }, QUEUE_AFTER);
    },
  });
  const forget = useEditor.subscribe((state, old) => {
    if (state.tabs !== old.tabs) begin(state.tabs.filter(({ key, name }) => !name && !old.tabs.some((tab) => tab.key === key)));
    if (state.active !== old.active) seeTab();
  });
  return () => {
    stop();
    forget();
    clearTimeout(timer);
    clearTimeout(queueTimer);
  };
}
