/** Templates on their shelves: by category, a plugin's under its name. */

import type { Template } from "../api/files";
import { T } from "../texts";

export const ALL = "";
/** Shelves in this order come first; plugins' follow. */
const ORDER = ["Basics", "Prompts", "Inpainting", "Control", "Sampling", "SDXL", "Batches and loops"];
const FIRST = "txt2img";

export const shelfOf = ({ pack, category }: Template): string => pack || category || T.templates.other;

/** Templates by their shelves, the plainest first. */
export function inOrder(templates: readonly Template[]): readonly Template[] {
  const rank = (item: Template): number => (ORDER.indexOf(shelfOf(item)) + 1 || ORDER.length + 1) - (item.name === FIRST ? 1 : 0);
  return [...templates].sort((a, b) => rank(a) - rank(b));
}

/** The templates of a shelf that fit words. */
export function fitting(found: readonly Template[], words: string, shelf: string): readonly Template[] {
  const needles = words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (item: Template): string => [item.title, item.name, item.category, item.pack, ...item.notes].join(" ").toLowerCase();
  return found.filter((item) => (shelf === ALL || shelfOf(item) === shelf) && needles.every((needle) => text(item).includes(needle)));
}
