/** Searching node types: by words, by what a link wants, by what somebody uses. */

import { fits, type NodeType, type NodeTypes } from "../document/schema";
import { closeness, needlesIn } from "./closeness";

export interface Wanted {
  /** Only types with an input that takes this. */
  readonly takes?: readonly string[];
  /** Only types with an output that gives this. */
  readonly gives?: readonly string[];
}

/** What somebody prefers. */
export interface Taste {
  readonly favourites?: readonly string[];
  readonly recent?: readonly string[];
  /** Whether types that are to go are found too. */
  readonly deprecated?: boolean;
}

/** What most workflows need; listed first where the words do not say more. */
const COMMON = [
  "CheckpointLoaderSimple",
  "CLIPTextEncode",
  "KSampler",
  "EmptyLatentImage",
  "VAEDecode",
  "SaveImage",
  "LoadImage",
  "PreviewImage",
  "LoraLoader",
  "VAEEncode",
  "ImageScale",
  "UpscaleModelLoader",
  "ImageUpscaleWithModel",
];

/** The node types that fit words, the best first. */
export function searchTypes(types: NodeTypes, words: string, wanted: Wanted = {}, taste: Taste = {}): NodeType[] {
  const needles = needlesIn(words);
  const found: { type: NodeType; score: number }[] = [];
  for (const type of types.values()) {
    if (type.id.startsWith("@")) continue; // the boundary of a subgraph
    if ((type.isDeprecated && !taste.deprecated) || !fitsWanted(type, wanted)) continue;
    const scores = needles.map((needle) => scoreOf(type, needle));
    if (scores.some((score) => score <= 0)) continue;
    const whole = needles.length > 1 ? closeness(type.title, needles.join(" ")) : 0;
    found.push({ type, score: scores.reduce((sum, score) => sum + score, whole) + bonusOf(type, wanted) + tasteOf(type, taste, needles.length) });
  }
  return found.sort((a, b) => b.score - a.score || a.type.title.localeCompare(b.type.title)).map(({ type }) => type);
}

function fitsWanted(type: NodeType, { takes, gives }: Wanted): boolean {
  if (takes && !type.inputs.some((input) => fits(input.types, takes))) return false;
  return !gives || type.outputs.some((output) => fits(gives, output.types));
}

/** Types that name the wanted socket outright come before those that take anything. */
function bonusOf(type: NodeType, { takes, gives }: Wanted): number {
  const names = takes && type.inputs.some((input) => !input.widget && input.types.includes(takes[0] ?? ""));
  const makes = gives && type.outputs.some((output) => output.types.includes(gives[0] ?? ""));
  const common = COMMON.indexOf(type.id);
  const both = Boolean(takes && gives) && Boolean(names) && Boolean(makes);
  return (names || makes ? 30 : 0) + (both ? 40 : 0) + (common < 0 ? 0 : 25 - common) - (type.isDeprecated ? 40 : 0);
}

/** Starred and fresh types lead where there are no words; else they only break ties. */
function tasteOf(type: NodeType, { favourites = [], recent = [] }: Taste, words: number): number {
  const weight = words ? 0.15 : 1;
  const age = recent.indexOf(type.id);
  return ((favourites.includes(type.id) ? 100 : 0) + (age < 0 ? 0 : Math.max(60 - age * 5, 10))) * weight;
}

function scoreOf(type: NodeType, needle: string): number {
  return Math.max(
    closeness(type.title, needle),
    closeness(type.id, needle),
    closeness(type.category, needle) * 0.5,
    type.description.toLowerCase().includes(needle) ? 30 : 0,
    socketScore(type, needle),
  );
}

/** Sockets by their names and types; the letters need not follow each other. */
function socketScore(type: NodeType, needle: string): number {
  let best = 0;
  for (const socket of [...type.inputs, ...type.outputs])
    for (const name of [socket.name, ...socket.types]) {
      const score = closeness(name, needle);
      best = Math.max(best, score >= 60 ? score * 0.35 : score * 0.2);
    }
  return best;
}
