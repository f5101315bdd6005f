import { describe, expect, it } from "vitest";
import { readNodeTypes, type ToldType } from "../document/schema";
import { searchTypes, type Taste, type Wanted } from "./types";

const told = (id: string, title: string, inputs: string[], outputs: string[], category = "things", more: Partial<ToldType> = {}): ToldType => ({
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
  ...more,
});

const TYPES = readNodeTypes([
  told("KSampler", "KSampler", ["MODEL", "LATENT"], ["LATENT"], "sampling"),
  told("KSamplerAdvanced", "KSampler (Advanced)", ["MODEL", "LATENT"], ["LATENT"], "sampling"),
  told("VAEDecode", "VAE Decode", ["LATENT", "VAE"], ["IMAGE"], "latent"),
  told("Any", "Show anything", ["*"], []),
  told("LatentUpscale", "Upscale Latent", ["LATENT"], ["LATENT"], "latent"),
  told("CLIPTextEncode", "CLIP Text Encode (Prompt)", ["CLIP"], ["CONDITIONING"], "conditioning"),
  told("LoadImage", "Load Image", [], ["IMAGE", "MASK"], "image"),
  told("CheckpointLoaderSimple", "Load Checkpoint", [], ["MODEL", "CLIP", "VAE"], "loaders"),
  told("OldLoader", "Load Checkpoint (old)", [], ["MODEL"], "loaders", { deprecated: "Use the other." }),
]);
const found = (words: string, wanted: Wanted = {}, taste: Taste = {}): string[] => searchTypes(TYPES, words, wanted, taste).map((type) => type.id);

describe("searching nodes", () => {
  it("puts the start of a name before its middle, and letters apart last", () => {
    expect(found("up")[0]).toBe("LatentUpscale");
    expect(found("vdc")).toEqual(["VAEDecode"]);
    expect(found("decode vae")[0]).toBe("VAEDecode");
  });

  it.each([
    ["ksampler", "KSampler"],
    ["ksampler advanced", "KSamplerAdvanced"],
    ["load", "CheckpointLoaderSimple"],
    ["load image", "LoadImage"],
    ["prompt", "CLIPTextEncode"],
    ["upscale", "LatentUpscale"],
  ])("%s finds %s first", (words, id) => {
    expect(found(words)[0]).toBe(id);
  });

  it("knows categories and sockets", () => {
    expect(found("sampling")[0]).toBe("KSampler");
    expect(found("image")).toContain("VAEDecode");
    expect(found("cnd")).toContain("CLIPTextEncode");
  });

  it("keeps to what fits a dropped link, those that name its type first", () => {
    expect(found("", { takes: ["VAE"] })).toEqual(["VAEDecode", "Any"]);
    expect(found("", { gives: ["IMAGE"] })).toEqual(["VAEDecode", "LoadImage"]);
    expect(found("", { takes: ["LATENT"], gives: ["LATENT"] })).toEqual(["KSampler", "KSamplerAdvanced", "LatentUpscale"]);
  });

  it("finds nothing for other words", () => {
    expect(found("zzz")).toEqual([]);
  });

  it("leaves out what is to go, unless asked", () => {
    expect(found("old")).not.toContain("OldLoader");
    expect(found("old", {}, { deprecated: true })).toContain("OldLoader");
  });

  it("leads with stars and what was added last where nothing is typed", () => {
    expect(found("", {}, { favourites: ["Any"], recent: ["LatentUpscale"] }).slice(0, 2)).toEqual(["Any", "LatentUpscale"]);
    expect(found("ksampler", {}, { favourites: ["KSamplerAdvanced"] })[0]).toBe("KSampler");
  });
});
