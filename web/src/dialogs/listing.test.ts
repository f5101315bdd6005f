import { describe, expect, it } from "vitest";
import type { Template } from "../api/files";
import { ALL, freeName, listed, RECENT } from "./listing";
import { ALL as EVERY, fitting, inOrder } from "./shelves";

const ENTRIES = [
  { name: "fox", size: 1, modified: 1 },
  { name: "tales/Bear", size: 1, modified: 3 },
  { name: "tales/old/fox", size: 1, modified: 2 },
  { name: "talesmen", size: 1, modified: 4 },
];
const names = (place: string, words = "", sort: "newest" | "name" = "newest", recent: string[] = []): string[] =>
  listed(ENTRIES, place, words, sort, recent).map((entry) => entry.name);

describe("saved workflows", () => {
  it("are listed newest first or by name", () => {
    expect(names(ALL)).toEqual(["talesmen", "tales/Bear", "tales/old/fox", "fox"]);
    expect(names(ALL, "", "name")).toEqual(["fox", "tales/Bear", "tales/old/fox", "talesmen"]);
  });

  it("are found in a folder and those below it, and by every word", () => {
    expect(names("tales")).toEqual(["tales/Bear", "tales/old/fox"]);
    expect(names(ALL, "FOX tales")).toEqual(["tales/old/fox"]);
  });

  it("that were opened last come in that order", () => {
    expect(names(RECENT, "", "name", ["talesmen", "gone", "fox"])).toEqual(["talesmen", "fox"]);
  });

  it("get the next free name when they are copied", () => {
    expect(freeName("fox", new Set(["fox", "fox 2"]))).toBe("fox 3");
    expect(freeName("bear", new Set(["fox"]))).toBe("bear");
  });
});

const template = (name: string, more: Partial<Template> = {}): Template => ({
  name, title: name, category: "", pack: "", notes: [], picture: null, models: [], unknown: [], ...more,
});

describe("templates", () => {
  const all = [template("deep", { category: "Sampling" }), template("Pack/a", { pack: "Pack", category: "Basics" }), template("lora", { category: "Basics" }), template("txt2img", { category: "Basics" })];

  it("stand on shelves, the plainest first, plugins' last", () => {
    expect(inOrder(all).map((item) => item.name)).toEqual(["txt2img", "lora", "deep", "Pack/a"]);
    expect(fitting(all, "", "Basics").map((item) => item.name)).toEqual(["lora", "txt2img"]);
    expect(fitting(all, "", "Pack").map((item) => item.name)).toEqual(["Pack/a"]);
  });

  it("are found by words of their notes", () => {
    expect(fitting([template("x", { notes: ["A Night scene"] })], "night", EVERY)).toHaveLength(1);
  });
});
