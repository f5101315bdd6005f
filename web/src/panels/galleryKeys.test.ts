import { expect, it } from "vitest";
import { chosenBy, dayOf, nearestRow } from "./galleryKeys";

const boxes = [
  { left: 0, top: 0 },
  { left: 100, top: 0 },
  { left: 200, top: 0 },
  { left: 0, top: 100 },
  { left: 100, top: 100 },
];

it("goes to the nearest file of the next row, and stays where there is none", () => {
  expect([nearestRow(boxes, 1, "down"), nearestRow(boxes, 2, "down"), nearestRow(boxes, 3, "up"), nearestRow(boxes, 0, "up"), nearestRow(boxes, 4, "down")]).toEqual([4, 4, 0, 0, 4]);
});

it("chooses one more, one less, or all from the last one on", () => {
  const all = ["a", "b", "c", "d"];
  expect([...chosenBy(all, new Set(), "b", null)]).toEqual(["b"]);
  expect([...chosenBy(all, new Set(["a", "b"]), "b", null)]).toEqual(["a"]);
  expect([...chosenBy(all, new Set(["d"]), "b", "d")].sort()).toEqual(["b", "c", "d"]);
  expect([...chosenBy(all, new Set(), "c", "gone")]).toEqual(["c"]);
});

it("names today and yesterday, and dates before", () => {
  const now = new Date(2026, 10, 25, 12).getTime();
  expect(dayOf(now, now)).not.toContain("2026");
  expect(dayOf(now - 86_400_000, now)).not.toBe(dayOf(now, now));
  expect(dayOf(now - 5 * 86_400_000, now)).toContain("2026");
});
