import { describe, expect, it } from "vitest";
import { weigh } from "../widgets/weigh";
import { fits } from "./schema";

describe("fitting", () => {
  it.each([
    [["FLOAT"], ["INT"], true],
    [["INT"], ["FLOAT"], false],
    [["IMAGE", "MASK"], ["MASK"], true],
    [["COMBO"], ["STRING"], true],
    [["MODEL"], ["VAE"], false],
    [["*"], ["VAE"], true],
  ])("%j takes %j: %j", (wanted, given, expected) => {
    expect(fits(wanted, given)).toBe(expected);
  });
});

describe("values", () => {
  it("of prompts weigh the word at the cursor, and lose the weight at 1", () => {
    const heavier = weigh("a red circle", 3, 3, 0.1);
    expect(heavier.text).toBe("a (red:1.1) circle");
    expect(weigh(heavier.text, heavier.start, heavier.end, -0.1).text).toBe("a red circle");
  });
});
