/** What the palette finds: commands first, then nodes, tabs, workflows and templates. */

import { canRun, refusalOf, type Command } from "../commands/command";
import { closeness, scoreOf } from "./closeness";

export type Kind = "command" | "node" | "tab" | "saved" | "template";

export interface Item {
  readonly kind: Kind;
  readonly key: string;
  readonly title: string;
  /** What stands beside the title: an area, a node type, keys. */
  readonly hint: string;
  readonly keys: readonly string[];
  readonly words: string;
  readonly isOff: boolean;
  readonly isOn: boolean;
  readonly run: () => void;
}

const KINDS: readonly Kind[] = ["command", "node", "tab", "saved", "template"];
/** So many of a kind are shown where words were typed; without words commands only. */
const MOST = 12;

/** The items that fit words, by kind, the best first; those that can do nothing now come last. */
export function found(items: readonly Item[], words: string, recent: readonly string[]): Item[] {
  if (!words.trim()) return items.filter((item) => item.kind === "command").sort((a, b) => order(a, recent) - order(b, recent));
  const scored = items.map((item) => ({ item, score: scoreOf(words, (needle) => scoreIn(item, needle)) - (item.isOff ? 30 : 0) }));
  const fitting = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  const best = (kind: Kind): number => fitting.find(({ item }) => item.kind === kind)?.score ?? 0;
  const kinds = KINDS.toSorted((a, b) => best(b) - best(a));
  return kinds.flatMap((kind) => fitting.flatMap(({ item }) => (item.kind === kind ? [item] : [])).slice(0, MOST));
}

const scoreIn = (item: Item, needle: string): number => Math.max(closeness(item.title, needle), closeness(item.words, needle) * 0.8, closeness(item.hint, needle) * 0.4);

function order(item: Item, recent: readonly string[]): number {
  const age = recent.indexOf(item.key);
  return (item.isOff ? 2000 : 0) + (age < 0 ? 1000 : age);
}

export function itemOf(command: Command, area: string, keys: readonly string[]): Item {
  return {
    kind: "command",
    key: command.id,
    title: command.title,
    hint: refusalOf(command) || area,
    keys,
    words: command.words ?? "",
    isOff: !canRun(command),
    isOn: command.isOn?.() === true,
    run: command.run,
  };
}
