import { expect, it } from "vitest";
import { known } from "./facts";

it.each([
  ["IMAGE", { width: 512, height: 768 }, "512×768"],
  ["IMAGE", { width: 512, height: 768, batch: 4 }, "4×512×768"],
  ["LATENT", { width: 512, height: 768, batch: 1, latents: "sd" }, "4×96×64"],
  ["LATENT", { width: 512, height: 512, batch: 2 }, "2×4×64×64"],
  ["MASK", { batch: 3 }, "3 ×"],
  ["MODEL", { family: "sdxl", latents: "sdxl" }, "SDXL"],
  ["VAE", { latents: "sd" }, "SD"],
  ["CLIP", { family: "flux" }, "FLUX"],
  ["IMAGE", {}, ""],
])("%s with %j is %s", (type, facts, text) => {
  expect(known(type, facts)).toBe(text);
});
