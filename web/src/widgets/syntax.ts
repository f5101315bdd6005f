/** What the words of a prompt mean to the engine: to show, to complete and to comment out. */

export type Meaning = "plain" | "comment" | "choice" | "weight" | "embedding" | "lora";

export interface Part {
  readonly text: string;
  readonly meaning: Meaning;
}

const ALWAYS = /(\\.)|(embedding:[^\s,()]+)|(<lora:[^<>\n]+>)|(:\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*\)|[()])/;
const DYNAMIC = new RegExp(`${ALWAYS.source}|(\\/\\*[^]*?\\*\\/|\\/\\/[^\\n]*)|([{}|])`, "g");
const PLAIN = new RegExp(ALWAYS.source, "g");
const MEANINGS: readonly Meaning[] = ["plain", "embedding", "lora", "weight", "comment", "choice"];

/** A prompt cut where its meaning changes. dynamic: choices {a|b} and comments mean something. */
export function partsOf(text: string, dynamic: boolean): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(dynamic ? DYNAMIC : PLAIN)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), meaning: "plain" });
    const group = found.slice(1).findIndex((item) => item !== undefined);
    parts.push({ text: found[0], meaning: MEANINGS[group] ?? "plain" });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), meaning: "plain" });
  return parts;
}

// Completion

/** What names can be completed: embeddings become words of the prompt, LoRAs nodes. */
export type Named = "embedding" | "lora";

/** The part of a prompt that is to become a name. */
export interface Completion {
  readonly kinds: readonly Named[];
  readonly from: number;
  readonly to: number;
  readonly words: string;
}

const MARK = "embedding:";
const LORA = "<lora:";
const SHORTEST = 3;

/** What stands before the cursor, where it begins a name: "embedding:na", "<lora:na", "<na", or the start of the first word itself. */
export function completionAt(text: string, caret: number): Completion | undefined {
  const lora = /<lora:([^<>:\n]*)$/i.exec(text.slice(0, caret));
  if (lora) return { kinds: ["lora"], from: lora.index, to: caret, words: lora[1] ?? "" };
  const word = /(?:^|[\s,({|])([^\s,({|]*)$/.exec(text.slice(0, caret))?.[1] ?? "";
  const from = caret - word.length;
  if (word.startsWith("<")) return /[:>]/.test(word) ? undefined : { ...named(word), from, to: caret };
  if (word.toLowerCase().startsWith(MARK)) return { kinds: ["embedding"], from, to: caret, words: word.slice(MARK.length) };
  return word.length >= SHORTEST && MARK.startsWith(word.toLowerCase()) ? { kinds: ["embedding"], from, to: caret, words: "" } : undefined;
}

/** "<" and the start of "lora:" offer every LoRA; what else follows "<" may be of either kind. */
function named(word: string): Pick<Completion, "kinds" | "words"> {
  const isMark = word.length > 1 && LORA.startsWith(word.toLowerCase());
  return isMark ? { kinds: ["lora"], words: "" } : { kinds: ["embedding", "lora"], words: word.slice(1) };
}

/** The name of an embedding as a prompt has it; "" where a prompt cannot have it, for it holds spaces. */
export function embeddingWord(file: string): string {
  const name = file.replace(/\.(safetensors|pt|pth|bin|ckpt)$/i, "");
  return /[\s,()]/.test(name) ? "" : `${MARK}${name}`;
}

// Comments

/** The text with the lines from `from` to `to` commented out, or back in where all are comments. */
export function toggleComment(text: string, from: number, to: number): { readonly text: string; readonly start: number; readonly end: number } {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const next = text.indexOf("\n", to);
  const end = next < 0 ? text.length : next;
  const lines = text.slice(start, end).split("\n");
  const all = lines.every((line) => line.startsWith("//") || !line.trim());
  const put = lines.map((line) => (!line.trim() ? line : all ? line.replace(/^\/\/ ?/, "") : `// ${line}`)).join("\n");
  return { text: text.slice(0, start) + put + text.slice(end), start, end: start + put.length };
}
