/** Which saved workflows a place of the list shows, and in which order. */

import type { Entry } from "../api/files";

export type Sort = "newest" | "name";
/** Places beside a user's folders. */
export const ALL = "*";
export const RECENT = "*recent";
export const DELETED = "*deleted";

export const folderOf = (name: string): string => name.split("/").slice(0, -1).join("/");

/** The entries of a place that fit words, in an order; those opened last in that of their opening. */
export function listed(entries: readonly Entry[], place: string, words: string, sort: Sort, recent: readonly string[]): readonly Entry[] {
  const needles = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter(({ name }) => isIn(name, place, recent) && needles.every((needle) => name.toLowerCase().includes(needle)));
  if (place === RECENT) return found.sort((a, b) => recent.indexOf(a.name) - recent.indexOf(b.name));
  return found.sort((a, b) => (sort === "name" ? a.name.localeCompare(b.name) : b.modified - a.modified));
}

function isIn(name: string, place: string, recent: readonly string[]): boolean {
  if (place === RECENT) return recent.includes(name);
  return place === ALL || place === DELETED || `${folderOf(name)}/`.startsWith(`${place}/`);
}

/** A name like this one that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let count = 2;
  while (taken.has(`${name} ${count}`)) count += 1;
  return `${name} ${count}`;
}
