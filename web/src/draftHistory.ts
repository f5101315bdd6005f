/** The steps of undo and redo that a draft keeps: the last ones, as far as they are not too much. */

import { readWorkflow, writeWorkflow, type Workflow } from "./document/document";
import type { History } from "./document/history";

export interface Steps {
  readonly past: readonly string[];
  readonly future: readonly string[];
}

const MOST = 100;
/** Characters of all steps of a draft together. */
const LARGEST = 4_000_000;
/** A step never changes, so each is written once. */
const TEXTS = new WeakMap<Workflow, string>();

export function textOf(workflow: Workflow): string {
  const text = TEXTS.get(workflow) ?? writeWorkflow(workflow);
  TEXTS.set(workflow, text);
  return text;
}

/** The nearest steps back, and then forth, that there is room for. */
export function stepsOf({ past, future }: Pick<History, "past" | "future">): Steps {
  const room = { left: LARGEST };
  const back = fitting(past.toReversed(), room);
  return { past: back.toReversed(), future: fitting(future, room) };
}

function fitting(steps: readonly Workflow[], room: { left: number }): readonly string[] {
  const kept: string[] = [];
  for (const step of steps.slice(0, MOST)) {
    const text = textOf(step);
    if (text.length > room.left) break;
    room.left -= text.length;
    kept.push(text);
  }
  return kept;
}

/** A history with the steps that were kept before it; where something was done since, there is nothing to redo. */
export function withSteps(history: History, { past, future }: Steps): History {
  const isFresh = !history.past.length && !history.future.length;
  return { ...history, past: [...past.flatMap(read), ...history.past], future: isFresh ? future.flatMap(read) : history.future };
}

function read(text: string): Workflow[] {
  try {
    return [readWorkflow(text)];
  } catch {
    return []; // of another version
  }
}

/** The steps of a draft that was written late, without any: those of the draft before it, and that itself. */
export function stepsBefore(text: string, before: (Partial<Steps> & { readonly text: string }) | undefined): Steps {
  const { past = [], future = [] } = before ?? {};
  return !before || before.text === text ? { past, future } : { past: [...past, before.text], future: [] };
}
