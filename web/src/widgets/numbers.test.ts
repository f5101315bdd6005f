import { describe, expect, it } from "vitest";
import type { WidgetOf } from "../document/widgets";
import { evaluate } from "./arithmetic";
import { beyond, digitsFor, dragged, filled, fitted, slidTo, stepOf } from "./numbers";

const steps: WidgetOf<"number"> = { kind: "number", whole: true, min: 1, max: 100, step: 8, slider: false };
const share: WidgetOf<"number"> = { ...steps, whole: false, min: 0, max: 1, step: 0.05 };
const keys = (shiftKey: boolean, altKey: boolean) => ({ shiftKey, altKey });

describe("a typed number", () => {
  it.each([
    ["512*2", 1024],
    ["1 + 2 * 3", 7],
    ["(1+2)*3", 9],
    ["2^3^2", 512],
    ["-2**2", -4],
    ["10 % 4", 2],
    ["7/2", 3.5],
    ["0,5", 0.5],
    [".5", 0.5],
    ["1e-3", 0.001],
    ["*2", 40],
    ["/ 4", 5],
    ["x + 1", 21],
    ["-5", -5],
    ["2*pi", 2 * Math.PI],
  ])("%j is %d", (text, value) => {
    expect(evaluate(text, 20)).toBeCloseTo(value, 12);
  });

  it.each(["", "  ", "abc", "1 2", "(1", "1)", "2*", "1/0", "1..2", "512px", "alert(1)"])("%j is none", (text) => {
    expect(evaluate(text, 20)).toBeUndefined();
  });
});

describe("a number", () => {
  it("moves ten steps with Shift and a tenth with Alt, whole ones by 1 at least", () => {
    expect([stepOf(steps, keys(false, false)), stepOf(steps, keys(true, false)), stepOf(steps, keys(false, true))]).toEqual([8, 80, 1]);
    expect(stepOf(share, keys(false, true))).toBeCloseTo(0.005, 12);
    expect(digitsFor(share, 0.5, keys(false, true))).toBe(3);
  });

  it("is held within its bounds, and says which it met", () => {
    expect(fitted(500, steps, undefined)).toEqual({ value: 100, met: "max" });
    expect(fitted(-3, steps, undefined)).toEqual({ value: 1, met: "min" });
    expect(fitted(2.6, steps, undefined)).toEqual({ value: 3, met: "" });
    expect(fitted(0.30000000000000004, share, 2)).toEqual({ value: 0.3, met: "" });
  });

  it("keeps the decimals of what it starts from while it moves", () => {
    expect(digitsFor(share, 0.1234, keys(false, false))).toBe(4);
  });

  it("follows a drag by whole steps, and a slider by the place of the pointer", () => {
    expect(dragged(steps, 10, 26)).toBe(50);
    expect(slidTo(share, 0.52)).toBeCloseTo(0.5, 12);
    expect(slidTo(share, 7)).toBe(1);
  });

  it("beyond its bounds is told from one within, and fills no more than its range", () => {
    expect([beyond(0, steps), beyond(5, steps), beyond(101, steps)]).toEqual(["min", "", "max"]);
    expect([filled(0.25, share), filled(9, share)]).toEqual([25, 100]);
    expect(filled(5, { ...steps, max: Infinity })).toBe(0);
  });
});
