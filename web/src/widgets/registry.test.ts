import { describe, expect, it } from "vitest";
import { JsonWidget } from "./JsonWidget";
import { drawnBy } from "./registry";

describe("the registry", () => {
  it("draws every known kind, and any other as JSON", () => {
    const kinds = ["number", "seed", "choice", "choices", "file", "image", "text", "prompt", "toggle", "colour", "custom"] as const;
    for (const kind of kinds) expect(drawnBy(kind)).not.toBe(JsonWidget);
    expect(drawnBy("unknown")).toBe(JsonWidget);
    expect(drawnBy("toString" as never)).toBe(JsonWidget);
  });
});
