/** Node types as the server tells them, and which output fits which input. */

import { Numeral, type Json } from "./json";

export type Widget =
  | { readonly kind: "number"; readonly whole: boolean; readonly min: number; readonly max: number; readonly step: number }
  | { readonly kind: "seed" }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "file" | "image"; readonly folder: string }
  | { readonly kind: "text"; readonly multiline: boolean }
  | { readonly kind: "toggle" };

export interface Input {
  readonly name: string;
  readonly label: string;
  readonly types: readonly string[];
  readonly required: boolean;
  readonly tooltip: string;
  readonly widget?: Widget;
  readonly initial?: Json;
}

export interface Output {
  readonly name: string;
  readonly types: readonly string[];
  readonly tooltip: string;
}

export interface NodeType {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  /** Whether it shows or saves something: a goal of a run. */
  readonly isGoal: boolean;
  readonly isDeprecated: boolean;
}

export type NodeTypes = ReadonlyMap<string, NodeType>;

// Reading what the server tells

interface ToldInput {
  readonly name: string;
  readonly types: readonly string[];
  readonly required: boolean;
  readonly default: Json;
  readonly widget: ToldWidget | null;
  readonly tooltip: string;
  readonly label: string;
  readonly link_only: boolean;
}
type ToldWidget =
  | { readonly kind: "number"; readonly minimum: number | null; readonly maximum: number | null; readonly step: number | null; readonly seed: boolean }
  | { readonly kind: "text"; readonly multiline: boolean }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "file"; readonly folder: string; readonly upload: string }
  | { readonly kind: "toggle" };

export interface ToldType {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly inputs: readonly ToldInput[];
  readonly outputs: readonly { readonly name: string; readonly types: readonly string[]; readonly tooltip: string }[];
  readonly output: boolean;
  readonly deprecated: string;
}

export function readNodeTypes(told: readonly ToldType[]): NodeTypes {
  return new Map(told.map((type) => [type.id, { ...type, inputs: type.inputs.map(readInput), isGoal: type.output, isDeprecated: Boolean(type.deprecated) }]));
}

function readInput({ name, types, required, tooltip, label, ...told }: ToldInput): Input {
  const widget = told.link_only || !told.widget ? undefined : widgetOf(told.widget, types);
  const initial = widget && initialOf(widget, told.default);
  return { name, label, types, required, tooltip, ...(widget ? { widget } : {}), ...(initial === undefined ? {} : { initial }) };
}

function widgetOf(told: ToldWidget, types: readonly string[]): Widget {
  switch (told.kind) {
    case "number": {
      if (told.seed) return { kind: "seed" };
      const whole = !types.includes("FLOAT");
      return { kind: "number", whole, min: told.minimum ?? -Infinity, max: told.maximum ?? Infinity, step: told.step ?? (whole ? 1 : 0.01) };
    }
    case "file":
      return { kind: told.upload === "image" ? "image" : "file", folder: told.folder };
    default:
      return told;
  }
}

/** The value a new node gets; undefined where only the server knows, as with files. */
function initialOf(widget: Widget, given: Json): Json | undefined {
  switch (widget.kind) {
    case "number":
      return numberValue(Number(given ?? Math.max(widget.min === -Infinity ? 0 : widget.min, 0)), widget.whole);
    case "seed":
      return given ?? 0;
    case "toggle":
      return given ?? false;
    case "text":
      return given ?? "";
    case "choice":
      return given ?? widget.options[0];
    default:
      return given ?? undefined;
  }
}

/** A number as it is written: fractions keep a decimal point, as Python writes them. */
export function numberValue(value: number, whole: boolean): Json {
  return !whole && Number.isInteger(value) && Math.abs(value) < 1e15 ? new Numeral(`${value}.0`) : value;
}

// Fitting

const WIDENS: Readonly<Record<string, readonly string[]>> = { INT: ["FLOAT"], STRING: ["COMBO"], COMBO: ["STRING"] };

/** Whether an output of the types `given` may flow into an input of the types `wanted`. */
export function fits(wanted: readonly string[], given: readonly string[]): boolean {
  if (wanted.includes("*") || given.includes("*")) return true;
  return given.some((name) => wanted.includes(name) || (WIDENS[name] ?? []).some((wider) => wanted.includes(wider)));
}
