import { describe, expect, it } from "vitest";
import { FIRST, valuesIn } from "./settings";

describe("settings", () => {
  it("that are told become values, and all others are as at first", () => {
    expect(valuesIn({ theme: "light", autosave: 0, unknown: 3 })).toEqual({ ...FIRST, theme: "light", autosave: 0 });
  });

  it("of another kind are left out", () => {
    expect(valuesIn({ theme: 3, minimap: "yes" })).toEqual(FIRST);
    expect(valuesIn(null)).toEqual(FIRST);
    expect(valuesIn("dark")).toEqual(FIRST);
  });
});
