/** What a choice offers: which options fit words, and which come nearest to one that is gone. */

import type { FileOption } from "../api/options";
import { printJson, type Json } from "../document/json";
import { closeness } from "../search/closeness";

export interface Option {
  readonly value: Json;
  readonly text: string;
  readonly hint: string;
  /** The address of a small picture, or "". */
  readonly picture: string;
  /** Why it does not fit the rest of the workflow, or "". It can be chosen all the same. */
  readonly against: string;
}

export const labelOf = (value: Json): string => (typeof value === "string" ? value : printJson(value));

export const isSame = (a: Json | undefined, b: Json): boolean => a === b || (a !== undefined && typeof a === typeof b && printJson(a) === printJson(b));

export const plainOption = (value: Json): Option => ({ value, text: labelOf(value), hint: "", picture: "", against: "" });

/** A file as an option; wanted: the family that the rest of the workflow has, or "". */
export function fileOption({ name, hint, family, picture }: FileOption, wanted: string, against: (family: string, wanted: string) => string): Option {
  return { value: name, text: name, hint, picture, against: fitsFamily(family, wanted) ? "" : against(family, wanted) };
}

/** Whether models of two families may work together: variants such as sd1 and sd1-inpaint do. */
export function fitsFamily(family: string, wanted: string): boolean {
  return !family || !wanted || family.split("-")[0] === wanted.split("-")[0];
}

/** The options that fit words, the best first; those that do not fit the workflow come last. */
export function fitting(options: readonly Option[], words: string): readonly Option[] {
  const needles = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const scored = needles.length
    ? options.flatMap((option) => {
        const scores = needles.map((needle) => closeness(option.text, needle));
        return scores.every((score) => score > 0) ? [{ option, score: scores.reduce((sum, score) => sum + score, 0) }] : [];
      })
    : options.map((option) => ({ option, score: 0 }));
  return scored.sort((a, b) => Number(Boolean(a.option.against)) - Number(Boolean(b.option.against)) || b.score - a.score).map(({ option }) => option);
}

/** The options whose names are most like a text, the likest first. */
export function nearest(text: string, options: readonly Option[], most = 3): readonly Option[] {
  const scored = options.map((option) => ({ option, score: likeness(stemOf(text), stemOf(option.text)) }));
  const likely = scored.filter(({ score }) => score >= 0.3).sort((a, b) => b.score - a.score);
  return likely.slice(0, most).map(({ option }) => option);
}

const stemOf = (name: string): string =>
  (name.split(/[\\/]/).pop() ?? "").replace(/\.[a-z0-9]{2,11}$/i, "").toLowerCase().replace(/[^a-z0-9]+/g, " ");

/** The share of pairs of letters that two texts have in common. */
function likeness(one: string, other: string): number {
  if (one === other) return 1;
  const [first, second] = [pairsIn(one), pairsIn(other)];
  let shared = 0;
  for (const [pair, count] of first) shared += Math.min(count, second.get(pair) ?? 0);
  return (2 * shared) / Math.max(one.length + other.length - 2, 1);
}

function pairsIn(text: string): ReadonlyMap<string, number> {
  const pairs = new Map<string, number>();
  for (let at = 0; at + 1 < text.length; at += 1) {
    const pair = text.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}
