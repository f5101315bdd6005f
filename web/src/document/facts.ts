/** What is known of a value before anything runs, in a few signs. */

import type { Facts } from "../api/client";

const CELL = 8;
const CHANNELS = 4;
/** What families are called. */
const FAMILIES: Readonly<Record<string, string>> = { sd1: "SD 1", sd2: "SD 2", sdxl: "SDXL", "sdxl-refiner": "SDXL refiner", sd: "SD" };
const MEASURED = ["IMAGE", "MASK", "LATENT"];

/** "512×512", "4×64×64" for latents, "SDXL" for models; with how many, where they are several. "" where nothing is known. */
export function known(type: string, facts: Facts): string {
  if (MEASURED.includes(type)) return sizeOf(type, facts);
  const family = facts.family ?? facts.latents;
  return family ? (FAMILIES[family] ?? family.toUpperCase()) : "";
}

function sizeOf(type: string, { width, height, batch = 1 }: Facts): string {
  if (!width || !height) return batch > 1 ? `${batch} ×` : "";
  const sides = type === "LATENT" ? [CHANNELS, Math.floor(height / CELL), Math.floor(width / CELL)] : [width, height];
  return [...(batch > 1 ? [batch] : []), ...sides].join("×");
}
