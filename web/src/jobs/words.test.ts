import { expect, it } from "vitest";
import { bytes, duration, many, moment } from "./words";

it("tells times as people read them", () => {
  expect([0.004, 0.42, 9.94, 12.4, 59.6, 200, 900, 7500, 7200].map(duration)).toEqual(["4 ms", "0.4 s", "9.9 s", "12 s", "1 min", "3 min 20 s", "15 min", "2 h 5 min", "2 h"]);
});

it("tells sizes in the unit that fits", () => {
  expect([0, 999, 1500, 42_000_000, 16_400_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.5 kB", "42 MB", "16 GB"]);
});

it("counts one and many", () => {
  expect([many(1, "node"), many(2, "node"), many(0, "node")]).toEqual(["1 node", "2 nodes", "0 nodes"]);
});

it("tells the time of today, and the date of long ago", () => {
  const now = new Date(2026, 10, 25, 16, 0).getTime();
  expect(moment(now - 60_000, now)).toMatch(/3:59|15:59/);
  expect(moment(now - 90 * 86_400_000, now)).toContain("2026");
});
