import { describe, expect, it } from "vitest";
import { weigh } from "../widgets/weigh";
import { printJson } from "./json";
import { fits, numberValue, readNodeTypes, searchTypes, type ToldType } from "./schema";

const told = (id: string, title: string, inputs: string[], outputs: string[], category = "things"): ToldType => ({
  id,
  title,
  category,
  description: `What ${title} does.`,
  inputs: inputs.map((type) => ({
    name: type.toLowerCase(),
    label: type.toLowerCase(),
    types: [type],
    required: true,
    default: null,
    widget: null,
    tooltip: "",
    link_only: false,
  })),
  outputs: outputs.map((type) => ({ name: type, types: [type], tooltip: "" })),
  output: false,
  deprecated: "",
});

const TYPES = readNodeTypes([
  told("KSampler", "KSampler", ["MODEL", "LATENT"], ["LATENT"], "sampling"),
  told("VAEDecode", "VAE Decode", ["LATENT", "VAE"], ["IMAGE"], "latent"),
  told("Any", "Show anything", ["*"], []),
  told("LatentUpscale", "Upscale Latent", ["LATENT"], ["LATENT"], "latent"),
]);
const found = (words: string, wanted = {}): string[] => searchTypes(TYPES, words, wanted).map((type) => type.id);

describe("searching nodes", () => {
  it("puts the start of a name before its middle, and letters apart last", () => {
    expect(found("up")[0]).toBe("LatentUpscale");
    expect(found("vdc")).toEqual(["VAEDecode"]);
    expect(found("decode vae")[0]).toBe("VAEDecode");
  });

  it("knows categories and sockets", () => {
    expect(found("sampling")[0]).toBe("KSampler");
    expect(found("image")).toContain("VAEDecode");
  });

  it("keeps to what fits a dropped link, those that name its type first", () => {
    expect(found("", { takes: ["VAE"] })).toEqual(["VAEDecode", "Any"]);
    expect(found("", { gives: ["IMAGE"] })).toEqual(["VAEDecode"]);
  });

  it("finds nothing for other words", () => {
    expect(found("zzz")).toEqual([]);
  });
});

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
  it("of fractions keep their decimal point", () => {
    expect(printJson(numberValue(8, false))).toBe("8.0");
    expect(printJson(numberValue(8, true))).toBe("8");
    expect(printJson(numberValue(0.25, false))).toBe("0.25");
  });

  it("of prompts weigh the word at the cursor, and lose the weight at 1", () => {
    const heavier = weigh("a red circle", 3, 3, 0.1);
    expect(heavier.text).toBe("a (red:1.1) circle");
    expect(weigh(heavier.text, heavier.start, heavier.end, -0.1).text).toBe("a red circle");
  });
});
