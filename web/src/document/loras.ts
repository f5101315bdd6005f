/** A LoRA put into the links that lead to a prompt and to the sampler that uses it. */

import { addNode, all, setValue, type Command, type Point } from "./commands";
import { freshId, Link, linksOf, type Id, type Value, type Workflow } from "./document";
import type { NodeTypes } from "./schema";
import { givenTypes } from "./subgraphTypes";
import { numberValue } from "./widgets";

export const LORAS = "loras";
const FILE = "lora_name";
const BOTH = "LoraLoader";
const MODEL_ONLY = "LoraLoaderModelOnly";
/** What a prompt becomes on its way to a sampler. */
const ONWARD: readonly string[] = ["CONDITIONING", "GUIDER"];
/** What a sampler gets that was made before: the links of other samplers lie behind it. */
const MADE: readonly string[] = ["LATENT", "IMAGE", "MASK"];

export interface LoraUse {
  readonly file: string;
  readonly model: number;
  readonly clip: number;
}

/** node: the one that loads the LoRA. isNew: whether the command adds it. lacks: what nothing was found for to link. */
export interface Insertion {
  readonly command: Command;
  readonly node: Id;
  readonly isNew: boolean;
  readonly lacks: readonly string[];
}

export type Placing = (workflow: Workflow, near: Id, type: string) => Point;

/** How a prompt gets a LoRA: by the node of that file which its links lead through, or by a new one after the last LoRA. */
export function loraInsertion(workflow: Workflow, types: NodeTypes, prompt: Id, use: LoraUse, placing: Placing): Insertion {
  const wires = new Wires(workflow, types);
  const samplers = wires.samplersOf(prompt);
  const models = wires.chainFrom(samplers[0] ?? prompt, "MODEL");
  const clips = wires.chainFrom(prompt, "CLIP");
  const known = [...models, ...clips].find(({ node }) => workflow.nodes.get(node)?.inputs.get(FILE) === use.file && workflow.nodes.get(node)?.mode === "run");
  if (known) return { command: (same) => same, node: known.node, isNew: false, lacks: [] };
  const [model, clip] = [wires.endOf(models), wires.endOf(clips)];
  const type = model && !clip ? MODEL_ONLY : BOTH;
  const node = freshId(workflow, type);
  const at = placing(workflow, model?.node ?? clip?.node ?? prompt, type);
  const steps = [addNode(node, type, at, inputsOf(type, use, model, clip)), ...wires.rerouted(wires.behind([prompt, ...samplers]), node, model, clip)];
  return { command: all(...steps), node, isNew: true, lacks: [...(model ? [] : ["MODEL"]), ...(clip || type === MODEL_ONLY ? [] : ["CLIP"])] };
}

function inputsOf(type: string, { file, model: forModel, clip: forClip }: LoraUse, model: Link | undefined, clip: Link | undefined): ReadonlyMap<string, Value> {
  const inputs = new Map<string, Value>([[FILE, file], ["strength_model", numberValue(forModel, false)]]);
  if (type === BOTH) inputs.set("strength_clip", numberValue(forClip, false));
  if (model) inputs.set("model", model);
  if (clip) inputs.set("clip", clip);
  return inputs;
}

/** The links of a canvas by what flows in them. */
class Wires {
  constructor(
    private readonly workflow: Workflow,
    private readonly types: NodeTypes,
  ) {}

  private kindOf(link: Link): string {
    return givenTypes(this.workflow.nodes, link, this.types)[0] ?? "*";
  }

  private linkInto(id: Id, kind: string): Link | undefined {
    const values = this.workflow.nodes.get(id)?.inputs.values() ?? [];
    return [...values].find((value): value is Link => value instanceof Link && this.workflow.nodes.has(value.node) && this.kindOf(value) === kind);
  }

  /** The nodes that a prompt flows to and that take a model; itself, where it is one. */
  samplersOf(prompt: Id): readonly Id[] {
    const users = new Set([prompt]);
    for (const id of users)
      for (const { id: user, link } of linksOf(this.workflow)) if (link.node === id && ONWARD.includes(this.kindOf(link))) users.add(user);
    return [...users].filter((id) => this.linkInto(id, "MODEL"));
  }

  /** The links through which a node gets a kind, the nearest first. */
  chainFrom(id: Id, kind: string): readonly Link[] {
    const found = new Map<Id, Link>();
    for (let link = this.linkInto(id, kind); link && !found.has(link.node); link = this.linkInto(link.node, kind)) found.set(link.node, link);
    return [...found.values()];
  }

  /** Where in a chain a LoRA goes: after the last one, else after what loads the model. */
  endOf(chain: readonly Link[]): Link | undefined {
    return chain.find(({ node }) => this.workflow.nodes.get(node)?.inputs.has(FILE)) ?? chain.at(-1);
  }

  /** These nodes and all that they are made with, but for what other samplers made. */
  behind(ids: readonly Id[]): ReadonlySet<Id> {
    const found = new Set(ids);
    for (const id of found)
      for (const value of this.workflow.nodes.get(id)?.inputs.values() ?? []) if (value instanceof Link && !MADE.includes(this.kindOf(value))) found.add(value.node);
    return found;
  }

  /** What these nodes get from the ends of the chains comes through the new node. */
  rerouted(ids: ReadonlySet<Id>, through: Id, model: Link | undefined, clip: Link | undefined): readonly Command[] {
    const steps: Command[] = [];
    for (const { id, input, link } of linksOf(this.workflow)) {
      if (!ids.has(id)) continue;
      if (isSame(link, model)) steps.push(setValue(id, input, new Link(through, "MODEL")));
      else if (isSame(link, clip)) steps.push(setValue(id, input, new Link(through, "CLIP")));
    }
    return steps;
  }
}

const isSame = (link: Link, other: Link | undefined): boolean => link.node === other?.node && link.output === other.output;

// Words of a prompt that are to be nodes

export interface LoraWord extends LoraUse {
  readonly word: string;
}

/** Makes words of a prompt nodes that load the LoRAs they name. Where the prompt comes by link nothing is changed. */
export function lorasOfWords(prompt: Id, input: string, words: readonly LoraWord[], types: NodeTypes, placing: Placing): Command {
  const step = (use: LoraWord): Command => (workflow) => {
    const text = workflow.nodes.get(prompt)?.inputs.get(input);
    if (typeof text !== "string" || !text.includes(use.word)) return workflow;
    const { command } = loraInsertion(workflow, types, prompt, use, placing);
    return all(setValue(prompt, input, withoutWord(text, use.word)), command)(workflow);
  };
  return all(...words.map(step));
}

/** A prompt without a word, and without the comma or blank that is then one too many. */
export function withoutWord(text: string, word: string): string {
  const at = text.indexOf(word);
  const [before, after] = [text.slice(0, at).replace(/[ \t]+$/, ""), text.slice(at + word.length)];
  const isFirst = before === "" || /[,\n]$/.test(before);
  const rest = isFirst ? after.replace(/^[ \t]*,?[ \t]*/, "") : after;
  if (before.endsWith(",") && !rest.trim()) return before.slice(0, -1) + rest.trimEnd();
  return before && !before.endsWith("\n") && rest && !/^[\s,]/.test(rest) ? `${before} ${rest}` : before + rest;
}
