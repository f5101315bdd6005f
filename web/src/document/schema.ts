/** Node types as the server tells them, and which output fits which input. */

import type { Json } from "./json";
import { initialOf, widgetOf, type Options, type ToldWidget, type Widget } from "./widgets";

export interface Input {
  readonly name: string;
  readonly label: string;
  readonly types: readonly string[];
  readonly required: boolean;
  readonly tooltip: string;
  readonly widget?: Widget;
  readonly initial?: Json;
  /** What a plugin says of the input besides, as it said it. */
  readonly options: Options;
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
  readonly extra?: { readonly options?: Options };
}
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

function readInput({ name, types, required, tooltip, label, extra, ...told }: ToldInput): Input {
  const options = extra?.options ?? {};
  const widget = told.link_only || !told.widget ? undefined : widgetOf(told.widget, types, options);
  const initial = widget && initialOf(widget, told.default ?? options["default"]);
  return { name, label, types, required, tooltip, options, ...(widget ? { widget } : {}), ...(initial === undefined ? {} : { initial }) };
}

/** How a plugin's widget is asked for: its name, the height it takes, and the value that new nodes get. */
export interface CustomWidget {
  readonly name: string;
  readonly height: number;
  readonly initial?: Json;
}

/** The node types with the widgets that plugins bring: for inputs that name one, or whose type has its name. */
export function withCustomWidgets(types: NodeTypes, custom: ReadonlyMap<string, CustomWidget>): NodeTypes {
  if (!custom.size) return types;
  return new Map([...types].map(([id, type]) => [id, { ...type, inputs: type.inputs.map((input) => customInput(input, custom)) }]));
}

function customInput(input: Input, custom: ReadonlyMap<string, CustomWidget>): Input {
  const asked = [input.options["widget"], input.options["widgetType"]].find((name) => typeof name === "string" && custom.has(name));
  const found = custom.get(String(asked ?? input.types[0]));
  if (!found || (!asked && input.widget && input.widget.kind !== "custom")) return input;
  const widget: Widget = { kind: "custom", name: found.name, height: found.height };
  const initial = input.initial ?? initialOf(widget, input.options["default"]) ?? found.initial;
  return { ...input, widget, ...(initial === undefined ? {} : { initial }) };
}

// Fitting

const WIDENS: Readonly<Record<string, readonly string[]>> = { INT: ["FLOAT"], STRING: ["COMBO"], COMBO: ["STRING"] };

/** Whether an output of the types `given` may flow into an input of the types `wanted`. */
export function fits(wanted: readonly string[], given: readonly string[]): boolean {
  if (wanted.includes("*") || given.includes("*")) return true;
  return given.some((name) => wanted.includes(name) || (WIDENS[name] ?? []).some((wider) => wanted.includes(wider)));
}
