/** JSON that is written as it was read: numbers keep their digits, objects keep the order of their keys. */

export type Json = null | boolean | number | string | Numeral | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** A number whose text JavaScript would not give back: 5.0, 1e-05, or whole numbers beyond 2^53. */
export class Numeral {
  constructor(readonly text: string) {}
}

export class JsonError extends Error {}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y; // eslint-disable-line no-control-regex -- JSON forbids them
const SPACE = /[ \t\n\r]*/y;
const DEEPEST = 64;
const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value of a JSON text. Throws JsonError with a sentence. */
export function parseJson(text: string): Json {
  let at = 0;

  function fail(): never {
    const line = text.slice(0, at).split("\n").length;
    throw new JsonError(`This is no JSON: line ${line} cannot be read.`);
  }
  function take(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) fail();
    at += found.length;
    return found;
  }
  function skips(sign: string): boolean {
    take(SPACE);
    if (text[at] !== sign) return false;
    at += 1;
    take(SPACE);
    return true;
  }
  function list(depth: number): Json[] {
    const found: Json[] = [];
    if (skips("]")) return found;
    do found.push(value(depth + 1));
    while (skips(","));
    return skips("]") ? found : fail();
  }
  function object(depth: number): JsonObject {
    const found = new Map<string, Json>();
    if (skips("}")) return found;
    do {
      take(SPACE);
      const key = JSON.parse(take(STRING)) as string;
      if (found.has(key)) throw new JsonError(`The name ${JSON.stringify(key)} is given twice.`);
      if (!skips(":")) fail();
      found.set(key, value(depth + 1));
    } while (skips(","));
    return skips("}") ? found : fail();
  }
  function value(depth: number): Json {
    if (depth > DEEPEST) throw new JsonError(`It is nested deeper than ${DEEPEST} levels.`);
    take(SPACE);
    if (skips("{")) return object(depth);
    if (skips("[")) return list(depth);
    if (text[at] === '"') return JSON.parse(take(STRING)) as string;
    for (const [word, meaning] of WORDS)
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    return numeral(take(NUMBER));
  }

  const found = value(0);
  take(SPACE);
  return at === text.length ? found : fail();
}

/** A number of this text: a plain one where its text survives, a Numeral elsewhere. */
export function numeral(text: string): number | Numeral {
  const plain = Number(text);
  return String(plain) === text ? plain : new Numeral(text);
}

/** One line of JSON, spaced as Python's json module does. */
export function printJson(value: Json): string {
  if (value instanceof Numeral) return value.text;
  if (isList(value)) return `[${value.map(printJson).join(", ")}]`;
  if (isObject(value))
    return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}: ${printJson(item)}`).join(", ")}}`;
  return JSON.stringify(value);
}

/** The same as plain JavaScript data; digits beyond its numbers are lost. */
export function plain(value: Json): unknown {
  if (value instanceof Numeral) return Number(value.text);
  if (isList(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return value;
}

/** Plain JavaScript data as JSON. */
export function fromPlain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === "object" && value !== null)
    return new Map(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
  return value as Json;
}

export function asNumber(value: Json | undefined, otherwise: number): number {
  if (typeof value === "number") return value;
  return value instanceof Numeral ? Number(value.text) : otherwise;
}

export function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
