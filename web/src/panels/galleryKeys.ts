/** How the gallery is moved through and what is chosen in it. */

export type Way = "left" | "right" | "up" | "down" | "first" | "last";

/** The file that lies next to another one in some direction, as they are laid out now. */
export function neighbour(gallery: Element, from: HTMLElement, way: Way): HTMLElement | undefined {
  const items = [...gallery.querySelectorAll<HTMLElement>('[role="option"]')];
  const at = items.indexOf(from);
  if (way === "first" || way === "last") return items.at(way === "first" ? 0 : -1);
  if (way === "left" || way === "right") return items[at + (way === "right" ? 1 : -1)];
  const places = items.map((item) => item.getBoundingClientRect());
  return items[nearestRow(places, at, way)];
}

interface Box {
  readonly left: number;
  readonly top: number;
}

/** The place of the box in the next row above or below that lies nearest; the same place where there is none. */
export function nearestRow(boxes: readonly Box[], at: number, way: "up" | "down"): number {
  const from = boxes[at];
  if (!from) return at;
  const beyond = boxes.map((box, place) => ({ ...box, place })).filter(({ top }) => (way === "down" ? top > from.top + 1 : top < from.top - 1));
  if (!beyond.length) return at;
  const row = way === "down" ? Math.min(...beyond.map(({ top }) => top)) : Math.max(...beyond.map(({ top }) => top));
  const inRow = beyond.filter(({ top }) => Math.abs(top - row) < 2);
  return inRow.reduce((best, box) => (Math.abs(box.left - from.left) < Math.abs(best.left - from.left) ? box : best)).place;
}

/** What is chosen after one more click: that file turned over, or all from the last one to it. */
export function chosenBy(all: readonly string[], chosen: ReadonlySet<string>, url: string, from: string | null): ReadonlySet<string> {
  const next = new Set(chosen);
  if (from !== null && all.includes(from)) {
    const [low, high] = [all.indexOf(from), all.indexOf(url)].sort((a, b) => a - b);
    for (const item of all.slice(low, (high ?? 0) + 1)) next.add(item);
  } else if (!next.delete(url)) next.add(url);
  return next;
}

/** "Today", "Yesterday", or the date. */
export function dayOf(ms: number, now = Date.now()): string {
  const day = (at: number): string => new Date(at).toDateString();
  if (day(ms) === day(now)) return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(0, "day");
  if (day(ms) === day(now - 86_400_000)) return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-1, "day");
  return new Date(ms).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}
