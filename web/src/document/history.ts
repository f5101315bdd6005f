/** Undo and redo: workflows are immutable and share what did not change, so history keeps them whole. */

import type { Command } from "./commands";
import type { Workflow } from "./document";

const LONGEST = 500;

export interface History {
  readonly now: Workflow;
  readonly past: readonly Workflow[];
  readonly future: readonly Workflow[];
  /** What the last change belonged to: changes of one gesture (a drag, typing in one field) undo together. */
  readonly gesture: string;
}

export function startHistory(now: Workflow): History {
  return { now, past: [], future: [], gesture: "" };
}

/** The history after a command; the same one where it changed nothing. */
export function apply(history: History, command: Command, gesture = ""): History {
  const now = command(history.now);
  if (now === history.now) return history;
  const goesOn = gesture !== "" && gesture === history.gesture;
  const past = goesOn ? history.past : [...history.past.slice(1 - LONGEST), history.now];
  return { now, past, future: [], gesture };
}

export function undo(history: History): History {
  const now = history.past.at(-1);
  if (!now) return history;
  return { now, past: history.past.slice(0, -1), future: [history.now, ...history.future], gesture: "" };
}

export function redo(history: History): History {
  const [now, ...future] = history.future;
  return now ? { now, past: [...history.past, history.now], future, gesture: "" } : history;
}
