import { describe, expect, it } from "vitest";
import { printJson } from "./json";
import { readNodeTypes, withCustomWidgets, type Input, type ToldType } from "./schema";
import { decimalsOf, LARGEST_SEED, numberValue, type Options, type ToldWidget } from "./widgets";

function input(types: string[], widget: ToldWidget | null, options: Options = {}, given: unknown = null): Input {
  const told = { name: "x", label: "x", types, required: true, default: given, widget, tooltip: "", link_only: false, extra: { options } };
  const type = { id: "A", title: "A", category: "", description: "", inputs: [told], outputs: [], output: false, deprecated: "" };
  return readNodeTypes([type as unknown as ToldType]).get("A")?.inputs[0] as Input;
}
const number = { kind: "number", minimum: 0, maximum: 10, step: null, seed: false } as const;

describe("a widget", () => {
  it("of a number takes its step, its decimals and its look from what a plugin says", () => {
    const { widget } = input(["FLOAT"], number, { step: 0.05, round: 0.001, display: "slider" });
    expect(widget).toEqual({ kind: "number", whole: false, min: 0, max: 10, step: 0.05, digits: 3, slider: true });
    expect(input(["INT"], { ...number, maximum: null }, { display: "slider" }).widget).toMatchObject({ slider: false, step: 1 });
  });

  it("of a number that is a colour is a colour", () => {
    expect(input(["INT"], { ...number, look: "color" }).widget).toEqual({ kind: "colour", as: "number" });
    expect(input(["INT"], number, { display: "color" }).widget).toEqual({ kind: "colour", as: "number" });
  });

  it("of a seed knows its largest value, however large", () => {
    expect(input(["INT"], { ...number, seed: true, maximum: 2 ** 64 }).widget).toEqual({ kind: "seed", max: LARGEST_SEED });
    expect(input(["INT"], { ...number, seed: true, maximum: 2 ** 32 }).widget).toEqual({ kind: "seed", max: 2n ** 32n });
  });

  it("of a choice may choose several", () => {
    const choice: ToldWidget = { kind: "choice", options: ["a", "b"] };
    expect(input(["COMBO"], choice).initial).toBe("a");
    expect(input(["COMBO"], choice, { multiselect: true })).toMatchObject({ widget: { kind: "choices" }, initial: [] });
  });

  it("that is not known keeps its value", () => {
    const told = { kind: "date" } as unknown as ToldWidget;
    expect(input(["DATE"], told, {}, "2026-01-01")).toMatchObject({ widget: { kind: "unknown", told: "date" }, initial: "2026-01-01" });
  });

  it("takes the default of an optional input from what its plugin says", () => {
    expect(input(["INT"], number, { default: 7 }).initial).toBe(7);
  });
});

describe("a plugin's widget", () => {
  const custom = new Map([["HUE", { name: "HUE", height: 60, initial: 12 }]]);
  const drawn = (found: Input): Input | undefined =>
    withCustomWidgets(new Map([["A", { inputs: [found] } as never]]), custom).get("A")?.inputs[0];

  it("is drawn for inputs of its type and for those that name it", () => {
    expect(drawn(input(["HUE"], null))).toMatchObject({ widget: { kind: "custom", name: "HUE", height: 60 }, initial: 12 });
    expect(drawn(input(["FLOAT"], number, { widgetType: "HUE" }, 3))?.widget).toMatchObject({ kind: "custom" });
    expect(drawn(input(["IMAGE"], null))?.widget).toBeUndefined();
    expect(drawn(input(["INT"], number))?.widget).toMatchObject({ kind: "number" });
  });

  it("starts with the default of the input before its own", () => {
    expect(drawn(input(["HUE"], null, { default: 90 }))?.initial).toBe(90);
  });
});

describe("values", () => {
  it("of fractions keep their decimal point", () => {
    expect(printJson(numberValue(8, false))).toBe("8.0");
    expect(printJson(numberValue(8, true))).toBe("8");
    expect(printJson(numberValue(0.25, false))).toBe("0.25");
  });

  it.each([
    [1, 0],
    [0.05, 2],
    [1e-7, 7],
    [2.5e-3, 4],
  ])("of the step %d have %d decimals", (step, decimals) => {
    expect(decimalsOf(step)).toBe(decimals);
  });
});
