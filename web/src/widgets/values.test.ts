import { describe, expect, it } from "vitest";
import { movedSeed } from "../actions";
import { Numeral, printJson } from "../document/json";
import { LARGEST_SEED } from "../document/widgets";
import { channelsOf, colourIn, hexOf } from "./colours";
import { seedIn } from "./SeedWidget";
import { weigh } from "./weigh";

describe("a colour", () => {
  it.each([
    ["#ff8000", 0xff8000],
    ["FF8000", 0xff8000],
    ["0xff8000", 0xff8000],
    ["#f80", 0xff8800],
    ["rgb(255, 128, 0)", 0xff8000],
    ["255 128 0", 0xff8000],
    ["white", 0xffffff],
  ])("%j is read", (text, colour) => {
    expect(colourIn(text)).toBe(colour);
  });

  it.each(["", "#ff", "256, 0, 0", "reddish", "12"])("%j is none", (text) => {
    expect(colourIn(text)).toBeUndefined();
  });

  it("is written with six digits, and cut into its channels", () => {
    expect([hexOf(255), hexOf(-1), hexOf(0x1ffffff)]).toEqual(["#0000ff", "#000000", "#ffffff"]);
    expect(channelsOf(0x0a141e)).toEqual([10, 20, 30]);
  });
});

describe("a seed", () => {
  it("keeps all its digits and stops at its largest", () => {
    expect(printJson(seedIn("18446744073709551615", LARGEST_SEED) ?? null)).toBe("18446744073709551615");
    expect(printJson(seedIn("99999999999999999999", LARGEST_SEED) ?? null)).toBe("18446744073709551615");
    expect(seedIn("7 000", 4096n)).toBe(4096);
    expect(seedIn("-1", LARGEST_SEED)).toBeUndefined();
  });

  it("goes up and down one by one, round from the largest to 0", () => {
    expect([movedSeed(7, 1n), movedSeed(7, -1n)]).toEqual([8, 6]);
    expect(movedSeed(new Numeral("18446744073709551615"), 1n)).toBe(0);
    expect(movedSeed(0, -1n)).toEqual(new Numeral("18446744073709551615"));
    expect(movedSeed(new Numeral("9007199254740992"), 1n)).toEqual(new Numeral("9007199254740993"));
  });
});

describe("a weight", () => {
  it("is put around the word at the cursor, and goes again at 1", () => {
    const heavier = weigh("a red circle", 3, 3, 0.1);
    expect(heavier).toEqual({ text: "a (red:1.1) circle", start: 2, end: 11 });
    expect(weigh(heavier.text, heavier.start, heavier.end, -0.1).text).toBe("a red circle");
  });

  it("changes where the cursor stands in weighed words, and of several selected words", () => {
    expect(weigh("a (red:1.1) circle", 2, 11, 0.1).text).toBe("a (red:1.2) circle");
    expect(weigh("a red circle", 2, 12, -0.2).text).toBe("a (red circle:0.8)");
  });
});
