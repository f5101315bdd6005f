/** What is known of jobs and their nodes, and how events change it: plain values, no side effects. */

import type { Job, JobEvent, JobState, Picture } from "../api/jobs";
import { pictureUrl } from "../api/jobs";
import type { Id } from "../document/document";

export interface NodeRun {
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly done: number;
  readonly total: number;
  /** Seconds a step takes, 0 while that is not known. */
  readonly pace: number;
  /** When the last step was told, in ms of the server's clock. */
  readonly at: number;
  readonly verdict: string;
  readonly reason: string;
  readonly seconds: number;
  readonly error: { readonly message: string; readonly trace: string } | null;
  readonly pictures: readonly Picture[];
  readonly texts: readonly string[];
}

export interface JobRun {
  readonly job: Job;
  /** The number of the last event that is known. */
  readonly last: number;
  readonly nodes: ReadonlyMap<Id, NodeRun>;
  /** The nodes of the plan, of which some may lie inside others. */
  readonly plan: readonly Id[];
  readonly ended: ReadonlySet<Id>;
  /** Whether the states of its nodes were let go of to save memory. */
  readonly isBare: boolean;
}

export const WAITING: NodeRun = {
  state: "waiting",
  done: 0,
  total: 0,
  pace: 0,
  at: 0,
  verdict: "",
  reason: "",
  seconds: 0,
  error: null,
  pictures: [],
  texts: [],
};

const CACHED: NodeRun = { ...WAITING, state: "done", verdict: "cached" };
/** Events after which no node of the job runs. */
const STOPS: readonly string[] = ["queued", "paused", "interrupted", "finished"];

const ENDED: readonly JobState[] = ["done", "failed", "cancelled"];
export const ENDED_STATES = ENDED;

export const isOver = (job: Job): boolean => ENDED.includes(job.state);

export function newRun(job: Job): JobRun {
  return { job, last: 0, nodes: new Map(), plan: [], ended: new Set(), isBare: false };
}

/** The same job without what takes memory; its events bring that back. */
export function bare({ job }: JobRun): JobRun {
  return { ...newRun(job), isBare: true };
}

/** The job after its events, in order. Those that are known already change nothing. */
export function afterEvents(run: JobRun, events: readonly JobEvent[]): JobRun {
  const fresh = [...events].sort((a, b) => a.number - b.number).filter(({ number }) => number > run.last);
  if (!fresh.length) return run;
  let { job, last, plan } = run;
  const [nodes, ended] = [new Map(run.nodes), new Set(run.ended)];
  for (const event of fresh) {
    if (event.number <= last) continue;
    job = changedJob(job, event);
    if (event.kind === "started") {
      plan = event.data["nodes"] as Id[];
      const cached = new Set((event.data["cached"] as Id[] | undefined) ?? []);
      nodes.clear();
      ended.clear();
      for (const id of plan) nodes.set(id, cached.has(id) ? CACHED : WAITING);
      for (const id of cached) ended.add(id);
    }
    if (STOPS.includes(event.kind)) stopRunning(nodes, event);
    if (event.kind === "started" || STOPS.includes(event.kind)) for (const outer of outersOf(plan)) nodes.set(outer, rolledUp(outer, nodes, plan, ended));
    const node = String(event.data["node"] ?? "");
    if (event.kind === "node_finished") ended.add(node);
    const shown = String(event.data["display_node"] || node);
    if (shown) changeNode(nodes, shown, event);
    for (const outer of outersOf([shown])) nodes.set(outer, rolledUp(outer, nodes, plan, ended));
    last = event.number;
  }
  return { ...run, job, last, nodes, plan, ended };
}

/** The instances of subgraphs that nodes lie in: 5:3:12 lies in 5:3 and in 5. The innermost come first. */
function outersOf(ids: readonly Id[]): ReadonlySet<Id> {
  const found = new Set<Id>();
  for (const id of ids) for (let at = id.lastIndexOf(":"); at > 0; at = id.lastIndexOf(":", at - 1)) found.add(id.slice(0, at));
  return found;
}

/** What became of an instance of a subgraph: what became of the nodes in it. */
function rolledUp(outer: Id, nodes: ReadonlyMap<Id, NodeRun>, plan: readonly Id[], ended: ReadonlySet<Id>): NodeRun {
  const own = plan.includes(outer) ? nodes.get(outer) : undefined;
  if (own) return own; // a node whose id looks like an instance's
  const ids = plan.filter((id) => id.startsWith(`${outer}:`));
  const inner = ids.flatMap((id) => nodes.get(id) ?? []);
  const failed = inner.find((node) => node.state === "failed");
  const running = inner.findLast((node) => node.state === "running");
  const made = {
    seconds: inner.reduce((sum, node) => sum + node.seconds, 0),
    pictures: inner.flatMap((node) => node.pictures),
    texts: inner.flatMap((node) => node.texts),
  };
  if (failed) return { ...failed, ...made };
  if (running) return { ...running, ...made };
  if (!ids.length || !ids.every((id) => ended.has(id))) return { ...WAITING, ...made };
  const ran = inner.find((node) => node.verdict === "ran") ?? inner[0] ?? CACHED;
  return { ...ran, ...made, state: "done" };
}

/** A node that was running when its job stopped waits again, or was stopped for good. */
function stopRunning(nodes: Map<Id, NodeRun>, { kind, data }: JobEvent): void {
  const verdict = data["state"] === "failed" ? "failed" : "cancelled";
  for (const [id, node] of nodes)
    if (node.state === "running") nodes.set(id, kind === "finished" ? { ...WAITING, state: "done", verdict } : WAITING);
}

function changedJob(job: Job, event: JobEvent): Job {
  switch (event.kind) {
    case "started":
      return { ...job, state: "running", started: event.at };
    case "queued":
    case "paused":
      return { ...job, state: event.kind };
    case "finished":
      return { ...job, state: event.data["state"] as JobState, ended: event.at, error: event.data["error"] as Job["error"] };
    default:
      return job;
  }
}

type Change = (old: NodeRun, event: JobEvent) => Partial<NodeRun>;

const CHANGES: Readonly<Record<string, Change>> = {
  node_started: (_, { data, at }) => ({ state: "running", reason: textIn(data, "reason"), at, done: 0, total: 0, pace: 0 }),
  progress: (old, { data, at }) => stepped(old, Number(data["done"]), Number(data["total"]), at),
  item: (old, { data, at }) => stepped(old, Number(data["item"]) - 1, Number(data["items"]), at),
  node_finished: (old, { data }) => ({
    state: old.state === "failed" || data["verdict"] === "failed" ? "failed" : "done",
    verdict: textIn(data, "verdict"),
    reason: textIn(data, "reason"),
    seconds: Number(data["seconds"] ?? 0),
    pictures: picturesIn(data["ui"]),
    texts: textsIn(data["ui"]),
  }),
  node_failed: (_, { data }) => ({ state: "failed", error: { message: textIn(data, "message"), trace: traceIn(data["trace"]) } }),
};

function changeNode(nodes: Map<Id, NodeRun>, id: Id, event: JobEvent): void {
  const change = CHANGES[event.kind];
  if (!change) return;
  const old = nodes.get(id) ?? WAITING;
  nodes.set(id, { ...old, ...change(old, event) });
}

const SMOOTHING = 0.4;

/** A step was told: the pace follows the last steps, and forgets what a restart of the count says. */
function stepped(old: NodeRun, done: number, total: number, at: number): Partial<NodeRun> {
  const steps = total === old.total ? done - old.done : 0;
  const isMeasured = steps > 0 && old.at > 0 && at >= old.at;
  const latest = isMeasured ? (at - old.at) / 1000 / steps : 0;
  const isFirst = old.pace === 0 || total !== old.total;
  const pace = !isMeasured ? (total === old.total ? old.pace : 0) : isFirst ? latest : old.pace + SMOOTHING * (latest - old.pace);
  return { state: "running", done, total, pace, at };
}

const textIn = (data: JobEvent["data"], key: string): string => String(data[key] ?? "");

function traceIn(trace: unknown): string {
  return Array.isArray(trace) ? trace.join("\n") : String(trace ?? "");
}

/** Every file that a node showed, whatever it calls them: pictures, moving ones, sound. */
export function picturesIn(ui: unknown): readonly Picture[] {
  return itemsIn(ui).flatMap(([, item]) => {
    const file = item as { filename?: unknown; subfolder?: string; type?: string } | null;
    return file && typeof file === "object" && typeof file.filename === "string" && file.filename
      ? [pictureUrl({ filename: file.filename, subfolder: file.subfolder ?? "", type: file.type ?? "output" })]
      : [];
  });
}

/** Every text that a node showed. */
export function textsIn(ui: unknown): readonly string[] {
  return itemsIn(ui).flatMap(([key, item]) => {
    if (key === "animated") return [];
    if (Array.isArray(item)) return item.filter((part) => typeof part === "string");
    return typeof item === "string" || typeof item === "number" ? [String(item)] : [];
  });
}

function itemsIn(ui: unknown): (readonly [string, unknown])[] {
  if (typeof ui !== "object" || ui === null) return [];
  return Object.entries(ui).flatMap(([key, items]) => (Array.isArray(items) ? items : [items]).map((item) => [key, item] as const));
}
