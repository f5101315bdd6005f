/** What a picture's own workflow tells about it: prompt, seed, model. */

import { Link, type Id, type Value, type Workflow } from "./document";
import { isObject, Numeral, printJson, type Json } from "./json";
import { setExtra, setValue, all, type Command } from "./commands";
import type { NodeTypes } from "./schema";

export interface PictureFacts {
  readonly prompt?: string;
  readonly negative?: string;
  readonly seed?: string;
  readonly model?: string;
  readonly steps?: string;
  readonly cfg?: string;
  readonly sampler?: string;
  readonly nodes: number;
}

const SEEDS = ["seed", "noise_seed"];
const MODELS = ["ckpt_name", "unet_name", "model_name", "model_path"];

export function pictureFacts(workflow: Workflow): PictureFacts {
  const nodes = [...workflow.nodes.values()];
  const sampler = nodes.find((node) => node.inputs.has("positive") && SEEDS.some((name) => node.inputs.has(name)));
  const first = (...names: string[]): string | undefined => {
    for (const node of sampler ? [sampler, ...nodes] : nodes) for (const name of names) if (isPlain(node.inputs.get(name))) return textOf(node.inputs.get(name));
    return undefined;
  };
  const found = {
    prompt: textBehind(workflow, sampler?.inputs.get("positive")),
    negative: textBehind(workflow, sampler?.inputs.get("negative")),
    seed: first(...SEEDS),
    model: first(...MODELS),
    steps: first("steps"),
    cfg: first("cfg"),
    sampler: [first("sampler_name"), first("scheduler")].filter(Boolean).join(", ") || undefined,
  };
  return { ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value)) as Partial<PictureFacts>), nodes: workflow.nodes.size };
}

const isPlain = (value: Value | undefined): value is string | number | Numeral => typeof value === "string" || typeof value === "number" || value instanceof Numeral;
const textOf = (value: Value | undefined): string => (typeof value === "string" ? value : value === undefined || value instanceof Link ? "" : printJson(value));

const TEXTS = ["text", "prompt", "text_g", "text_l", "value", "string"];

/** The first text on the way that a link comes from. */
function textBehind(workflow: Workflow, from: Value | undefined): string | undefined {
  const [waiting, seen] = [from instanceof Link ? [from.node] : [], new Set<Id>()];
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    const inputs = workflow.nodes.get(id)?.inputs;
    if (seen.has(id) || !inputs) continue;
    seen.add(id);
    const text = TEXTS.map((name) => inputs.get(name)).find((value) => typeof value === "string" && value.trim());
    if (typeof text === "string") return text;
    for (const value of inputs.values()) if (value instanceof Link) waiting.push(value.node);
  }
  return undefined;
}

interface Seeding {
  readonly id: Id;
  readonly input: string;
  readonly seed: Json;
}

/** The seeds of a picture for the nodes of a workflow: those of the same node, else the picture's only one for all. */
export function seedsFor(now: Workflow, made: Workflow, types: NodeTypes): readonly Seeding[] {
  const given = seedsIn(made, types);
  const only = new Set(given.map(({ seed }) => printJson(seed))).size === 1 ? given[0] : undefined;
  return seedsIn(now, types).flatMap(({ id, input }) => {
    const own = given.find((item) => item.id === id && item.input === input && made.nodes.get(id)?.type === now.nodes.get(id)?.type) ?? only;
    return own ? [{ id, input, seed: own.seed }] : [];
  });
}

function seedsIn(workflow: Workflow, types: NodeTypes): Seeding[] {
  return [...workflow.nodes].flatMap(([id, node]) =>
    (types.get(node.type)?.inputs ?? []).flatMap(({ name, widget }) => {
      const value = node.inputs.get(name);
      return widget?.kind === "seed" && isPlain(value) ? [{ id, input: name, seed: value }] : [];
    }),
  );
}

/** Sets seeds, and keeps them from being drawn anew before a run. */
export function withSeeds(now: Workflow, seeds: readonly Seeding[], controlKey: string): Command {
  const steps = seeds.flatMap(({ id, input, seed }) => {
    const old = now.nodes.get(id)?.extra.get(controlKey);
    const fixed = isObject(old) ? [setExtra([id], controlKey, new Map([...old, [input, "fixed"]]))] : [];
    return [setValue(id, input, seed), ...fixed];
  });
  return all(...steps);
}
