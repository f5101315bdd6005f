import { describe, expect, it } from "vitest";
import { pathThrough, piecesThrough } from "./bent";

describe("a link through points", () => {
  it("passes each of them, leaves and arrives level", () => {
    const pieces = piecesThrough([0, 0], [[100, 50], [200, 50]], [300, 0]);
    expect(pieces.map((piece) => piece.slice(4))).toEqual([[100, 50], [200, 50], [300, 0]]);
    expect([pieces[0]?.[1], pieces[2]?.[3]]).toEqual([0, 0]);
  });

  it("is one curve where there are none", () => {
    expect(pathThrough([0, 0], [], [100, 0])).toBe("M0 0C50 0 50 0 100 0");
  });
});
