import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { centred, fitted, moved, zoomedAt, type View } from "./zoom";

const stage = { width: 1000, height: 600 };
const side = fc.integer({ min: 1, max: 20_000 });

describe("a picture on its stage", () => {
  it("fits with all of it in sight, in the middle", () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        const view = fitted({ width, height }, stage);
        expect(width * view.scale).toBeLessThanOrEqual(stage.width + 1e-6);
        expect(view.x + (width * view.scale) / 2).toBeCloseTo(stage.width / 2);
        expect(view.y + (height * view.scale) / 2).toBeCloseTo(stage.height / 2);
      }),
    );
  });

  it("is not blown up to fill the stage when it is tiny", () => {
    expect(fitted({ width: 16, height: 16 }, stage).scale).toBe(4);
  });

  it("keeps what is under the pointer when it is zoomed", () => {
    const start: View = centred({ width: 400, height: 300 }, stage, 1);
    fc.assert(
      fc.property(fc.double({ min: 0.2, max: 5, noNaN: true }), fc.nat(1000), fc.nat(600), (factor, x, y) => {
        const view = zoomedAt(start, factor, x, y);
        expect((x - view.x) / view.scale).toBeCloseTo((x - start.x) / start.scale, 6);
        expect((y - view.y) / view.scale).toBeCloseTo((y - start.y) / start.scale, 6);
      }),
    );
  });

  it("never leaves the stage wholly when it is dragged", () => {
    const picture = { width: 400, height: 300 };
    fc.assert(
      fc.property(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -9999, max: 9999 }), (dx, dy) => {
        const view = moved(centred(picture, stage, 1), dx, dy, picture, stage);
        expect(view.x + picture.width).toBeGreaterThanOrEqual(40);
        expect(view.x).toBeLessThanOrEqual(stage.width - 40);
        expect(view.y + picture.height).toBeGreaterThanOrEqual(40);
        expect(view.y).toBeLessThanOrEqual(stage.height - 40);
      }),
    );
  });
});
