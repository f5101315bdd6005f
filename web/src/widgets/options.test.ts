import { describe, expect, it } from "vitest";
import type { FilePage } from "../api/options";
import { readWorkflow } from "../document/document";
import type { NodeType, NodeTypes } from "../document/schema";
import { toggled } from "./ChoicesWidget";
import { familyAround } from "./family";
import { fileOption, fitsFamily, fitting, isSame, nearest, plainOption, type Option } from "./options";

const options = (...names: string[]): Option[] => names.map(plainOption);
const names = (found: readonly Option[]): unknown[] => found.map((option) => option.value);
const file = (name: string, family = "") => ({ name, hint: "", family, picture: "" });

describe("choices", () => {
  it("fit all words in any order, whole words first", () => {
    const all = options("anime/lineart.safetensors", "photo_real.safetensors", "real-esrgan.pth");
    expect(names(fitting(all, "real"))[0]).toBe("real-esrgan.pth");
    expect(names(fitting(all, "line anime"))).toEqual(["anime/lineart.safetensors"]);
    expect(fitting(all, "zzz")).toEqual([]);
  });

  it("keep their order without words, those that do not fit the workflow last", () => {
    const all = [file("a", "sdxl"), file("b", "sd1"), file("c")].map((item) => fileOption(item, "sd1", (family) => `for ${family}`));
    expect(names(fitting(all, ""))).toEqual(["b", "c", "a"]);
    expect(all[0]?.against).toBe("for sdxl");
  });

  it("of thousands are found within a frame's time", () => {
    const many = options(...Array.from({ length: 5000 }, (_, at) => `folder/model-${at}.safetensors`));
    const began = performance.now();
    expect(names(fitting(many, "4321"))).toEqual(["folder/model-4321.safetensors"]);
    expect(performance.now() - began).toBeLessThan(200);
  });

  it("near a missing one are those with like names, wherever they lie", () => {
    const all = options("sd/dreamShaper_v8.safetensors", "dream.ckpt", "other.safetensors");
    expect(names(nearest("dreamshaper-8.safetensors", all))[0]).toBe("sd/dreamShaper_v8.safetensors");
    expect(nearest("zzzz", all)).toEqual([]);
  });

  it("that are no texts are the same by their value", () => {
    expect(isSame(2, 2)).toBe(true);
    expect(isSame("2", 2)).toBe(false);
    expect(toggled(["a", 1], 1)).toEqual(["a"]);
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
  });
});

describe("families", () => {
  it("fit with their own variants, and where one is not known", () => {
    expect([fitsFamily("sd1-inpaint", "sd1"), fitsFamily("sd1", "sdxl"), fitsFamily("", "sdxl")]).toEqual([true, false, true]);
  });

  it("are those of the nearest checkpoint, over any links", () => {
    const input = (name: string, folder?: string) => ({ name, options: {}, ...(folder ? { widget: { kind: "file", folder, accept: "" } } : {}) });
    const type = (...inputs: object[]): NodeType => ({ inputs }) as unknown as NodeType;
    const types: NodeTypes = new Map([
      ["Checkpoint", type(input("ckpt", "checkpoints"))],
      ["Control", type(input("file", "controlnet"))],
      ["Apply", type(input("conditioning"), input("control"))],
      ["Encode", type(input("clip"))],
    ]);
    const nodes = {
      model: { type: "Checkpoint", inputs: { ckpt: "big.safetensors" } },
      text: { type: "Encode", inputs: { clip: { link: ["model", "CLIP"] } } },
      control: { type: "Control", inputs: {} },
      apply: { type: "Apply", inputs: { conditioning: { link: ["text", "C"] }, control: { link: ["control", "CN"] } } },
      alone: { type: "Control", inputs: {} },
    };
    const workflow = readWorkflow(JSON.stringify({ format: "darkroom/1", nodes }));
    const files = new Map<string, FilePage>([["checkpoints", { files: [file("big.safetensors", "sdxl")], total: 1 }]]);
    expect(familyAround(workflow, types, files, "control")).toBe("sdxl");
    expect(familyAround(workflow, types, files, "alone")).toBe("");
  });
});
