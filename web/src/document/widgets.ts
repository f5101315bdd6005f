/** The widgets that inputs have: read from what the server tells of them. */

import { fromPlain, Numeral, type Json } from "./json";

export type Widget =
  | {
      readonly kind: "number";
      readonly whole: boolean;
      readonly min: number;
      readonly max: number;
      readonly step: number;
      /** Decimals that are kept of a number that was typed; without, all. */
      readonly digits?: number;
      readonly slider: boolean;
    }
  | { readonly kind: "seed"; readonly max: bigint }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "choices"; readonly options: readonly Json[] }
  | { readonly kind: "file"; readonly folder: string; readonly accept: string }
  | { readonly kind: "image"; readonly folder: string; readonly accept: string }
  | { readonly kind: "text"; readonly placeholder: string }
  | { readonly kind: "prompt"; readonly placeholder: string; readonly dynamic: boolean }
  | { readonly kind: "toggle"; readonly on: string; readonly off: string }
  | { readonly kind: "colour"; readonly as: "number" | "text" }
  /** A widget that a plugin's module draws. */
  | { readonly kind: "custom"; readonly name: string; readonly height: number }
  /** A widget that this editor does not know: its value is shown as JSON. */
  | { readonly kind: "unknown"; readonly told: string };

export type WidgetOf<Kind extends Widget["kind"]> = Extract<Widget, { kind: Kind }>;
export type Options = Readonly<Record<string, unknown>>;

export type ToldWidget =
  | {
      readonly kind: "number";
      readonly minimum: number | null;
      readonly maximum: number | null;
      readonly step: number | null;
      readonly round?: number | null;
      readonly seed: boolean;
      readonly look?: string;
    }
  | { readonly kind: "text"; readonly multiline: boolean; readonly placeholder?: string; readonly dynamic_prompts?: boolean }
  | { readonly kind: "choice"; readonly options: readonly Json[] }
  | { readonly kind: "file"; readonly folder: string; readonly upload: string }
  | { readonly kind: "toggle"; readonly on?: string; readonly off?: string };

export const LARGEST_SEED = 2n ** 64n - 1n;
const ACCEPTED: Readonly<Record<string, string>> = { image: "image/*", video: "video/*", audio: "audio/*" };

/** The widget of an input; options: what its plugin says of it besides. */
export function widgetOf(told: ToldWidget, types: readonly string[], options: Options): Widget {
  switch (told.kind) {
    case "number":
      return numberWidget(told, types, options);
    case "file":
      return { kind: told.upload === "image" ? "image" : "file", folder: told.folder, accept: ACCEPTED[told.upload] ?? "" };
    case "choice":
      return { kind: options["multiselect"] === true || "multi_select" in options ? "choices" : "choice", options: told.options };
    case "text":
      return textWidget(told, options);
    case "toggle":
      return { kind: "toggle", on: told.on ?? "", off: told.off ?? "" };
    default:
      return { kind: "unknown", told: String((told as { kind: unknown }).kind) };
  }
}

function numberWidget(told: Extract<ToldWidget, { kind: "number" }>, types: readonly string[], options: Options): Widget {
  const look = told.look && told.look !== "number" ? told.look : String(options["display"] ?? "");
  const max = told.maximum ?? Infinity;
  if (look === "color" || look === "colour") return { kind: "colour", as: "number" };
  if (told.seed) return { kind: "seed", max: max < Number.MAX_SAFE_INTEGER ? BigInt(Math.trunc(max)) : LARGEST_SEED };
  const whole = !types.includes("FLOAT");
  const step = Math.abs(told.step ?? numberIn(options["step"]) ?? 0) || (whole ? 1 : 0.01);
  const round = told.round ?? numberIn(options["round"]);
  return {
    kind: "number",
    whole,
    min: told.minimum ?? -Infinity,
    max,
    step: whole ? Math.max(Math.round(step), 1) : step,
    ...(round ? { digits: decimalsOf(round) } : {}),
    slider: ["slider", "knob"].includes(look) && Number.isFinite(max - (told.minimum ?? -Infinity)),
  };
}

function textWidget({ multiline, placeholder = "", dynamic_prompts }: Extract<ToldWidget, { kind: "text" }>, options: Options): Widget {
  if (!multiline && ["color", "colour"].includes(String(options["display"]))) return { kind: "colour", as: "text" };
  return multiline ? { kind: "prompt", placeholder, dynamic: dynamic_prompts === true } : { kind: "text", placeholder };
}

const numberIn = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) ? value : undefined);

/** The decimals of a step such as 0.05 or 1e-7. */
export function decimalsOf(step: number): number {
  const [digits = "", exponent = "0"] = String(step).split("e-");
  return Math.min((digits.split(".")[1]?.length ?? 0) + Number(exponent), 12);
}

/** The value a new node gets; undefined where only the server knows, as with files. */
export function initialOf(widget: Widget, told: unknown): Json | undefined {
  const given = told === null || told === undefined ? undefined : fromPlain(told);
  switch (widget.kind) {
    case "number":
      return numberValue(Number(given ?? Math.max(widget.min === -Infinity ? 0 : widget.min, 0)), widget.whole);
    case "seed":
      return given ?? 0;
    case "toggle":
      return given ?? false;
    case "text":
    case "prompt":
      return given ?? "";
    case "choice":
      return given ?? widget.options[0];
    case "choices":
      return given ?? [];
    case "colour":
      return given ?? (widget.as === "number" ? 0 : "#000000");
    default:
      return given;
  }
}

/** A number as it is written: fractions keep a decimal point, as Python writes them. */
export function numberValue(value: number, whole: boolean): Json {
  return !whole && Number.isInteger(value) && Math.abs(value) < 1e15 ? new Numeral(`${value}.0`) : value;
}
