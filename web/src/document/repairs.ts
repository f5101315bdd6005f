/** Fixes of problems as commands: what the server offers is done to the workflow, and can be undone. */

import type { Problem, Repair } from "../api/client";
import { onNode, setValue, type Command } from "./commands";
import { Link, type Id } from "./document";
import { Numeral, parseJson, type Json } from "./json";
import { lorasOfWords, type LoraWord, type Placing } from "./loras";
import type { NodeTypes } from "./schema";

/** What is shown on the button of a repair. */
export interface RepairWords {
  set(value: string): string;
  link(output: string, node: string): string;
  remove(input: string): string;
  rename(input: string): string;
  retype(type: string): string;
  unmute(node: string): string;
  lora(count: number): string;
}

export function repairText({ input }: Problem, repair: Repair, words: RepairWords, titleOf: (id: Id) => string): string {
  const { action, value } = repair;
  if (action === "set") return words.set(typeof value === "string" ? value : JSON.stringify(value));
  if (action === "link") {
    const [node = "", output = ""] = value as [string, string];
    return words.link(output, titleOf(node));
  }
  if (action === "remove") return words.remove(input ?? "");
  if (action === "lora") return words.lora((value as readonly LoraWord[]).length);
  return action === "unmute" ? words.unmute(titleOf(String(value))) : words[action](String(value));
}

/** The command that makes a problem's repair; a problem without one changes nothing. */
export function repairOf({ node, input, repair }: Problem, types: NodeTypes, placing: Placing): Command {
  if (!repair || node === null) return (workflow) => workflow;
  const value = repair.value;
  switch (repair.action) {
    case "set":
      return setValue(node, input ?? "", asJson(value));
    case "link": {
      const [source = "", output = ""] = value as [string, string];
      return setValue(node, input ?? "", new Link(source, output));
    }
    case "remove":
      return renamed(node, input ?? "", null);
    case "rename":
      return renamed(node, input ?? "", String(value));
    case "retype":
      return onNode(node, (old) => ({ ...old, type: String(value) }));
    case "unmute":
      return onNode(String(value), (old) => ({ ...old, mode: "run" }));
    case "lora":
      return lorasOfWords(node, input ?? "", value as readonly LoraWord[], types, placing);
  }
}

/** All repairs that guess nothing, as one step. */
export function safeRepairs(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter((problem) => problem.repair?.safe && problem.node !== null);
}

const LARGEST = 2n ** 64n - 1n;

/** A value of the server's as the document holds it. The largest seed is beyond what a double tells apart. */
function asJson(value: unknown): Json {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) return parseJson(JSON.stringify(value));
  const whole = BigInt(value);
  return new Numeral(String(whole > LARGEST ? LARGEST : whole));
}

function renamed(id: Id, from: string, to: string | null): Command {
  return onNode(id, (node) => {
    if (!node.inputs.has(from)) return node;
    const entries = [...node.inputs].flatMap(([name, value]) => (name !== from ? [[name, value] as const] : to === null ? [] : [[to, value] as const]));
    return { ...node, inputs: new Map(entries) };
  });
}
