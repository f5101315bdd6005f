import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { fillPolygon, floodFill } from "./areas";
import { coverage, drawSegment, layStroke } from "./brush";
import { coveredPart, cut, invert, maskOfAlpha, newMask, put, wholeOf, type Mask } from "./buffer";
import { feather, grow } from "./feather";
import { pngOf } from "./png";
import { addToStroke, beginStroke, changeAll, dropStroke, endStroke, redoStep, startSession, undoStep, type Session } from "./session";
import { brushFor, radiusFor, resized } from "./tools";
import { fitView, toPicture, zoomed } from "./view";

const at = ({ data, width }: Mask, x: number, y: number): number => data[y * width + x] ?? -1;
const dab = (x: number, y: number, radius = 5) => ({ x, y, radius });

function square(side = 20): Mask {
  const mask = newMask(side, side);
  for (let y = 5; y < 15; y += 1) mask.data.fill(255, y * side + 5, y * side + 15);
  return mask;
}

function draw(session: Session, x: number, opacity = 1, erases = false): void {
  beginStroke(session);
  addToStroke(session, (stroke) => drawSegment(stroke, dab(x, 16), dab(x + 6, 16), 1), opacity, erases);
  endStroke(session);
}

describe("a brush", () => {
  it("covers its inside, nothing beyond its edge, and fades between where it is soft", () => {
    expect([coverage(0, 10, 1), coverage(9, 10, 1), coverage(11, 10, 1)]).toEqual([255, 255, 0]);
    expect([coverage(0, 10, 0), coverage(10.5, 10, 0)]).toEqual([255, 0]);
    const soft = [2, 4, 6, 8].map((distance) => coverage(distance, 10, 0));
    expect(soft).toEqual([...soft].sort((a, b) => b - a));
    expect(new Set(soft).size).toBe(4);
  });

  it("draws a line without gaps, and tells what it touched", () => {
    const stroke = newMask(64, 32);
    expect(drawSegment(stroke, dab(10, 16), dab(50, 16), 1)).toEqual({ x: 4, y: 10, width: 52, height: 12 });
    for (let x = 8; x < 52; x += 1) expect(at(stroke, x, 16)).toBe(255);
    expect([at(stroke, 30, 8), at(stroke, 60, 16)]).toEqual([0, 0]);
    expect(drawSegment(stroke, dab(-40, 0), dab(-20, 0), 1)).toBeUndefined();
  });

  it("that crosses its own stroke is no stronger there; a second stroke is", () => {
    const session = startSession(newMask(32, 32));
    beginStroke(session);
    for (const x of [10, 14, 10]) addToStroke(session, (stroke) => drawSegment(stroke, dab(x, 16), dab(x + 4, 16), 1), 0.5, false);
    endStroke(session);
    expect(at(session.mask, 14, 16)).toBe(128);
    draw(session, 10, 0.5);
    expect(at(session.mask, 14, 16)).toBe(192);
  });

  it("erases what is there", () => {
    const mask = square();
    const stroke = newMask(20, 20);
    stroke.data.fill(255);
    layStroke(mask, mask.data.slice(), stroke, wholeOf(mask), 1, true);
    expect(coveredPart(mask)).toBe(0);
  });

  it("grows and shrinks by steps of its size, and follows a pen's pressure but no mouse's", () => {
    expect([resized(100, 1), resized(100, -1), resized(1, -1), resized(2, 1)]).toEqual([110, 90, 1, 3]);
    expect(radiusFor(40, { pointerType: "pen", pressure: 0.25 })).toBe(5);
    expect(radiusFor(40, { pointerType: "mouse", pressure: 0.5 })).toBe(20);
  });
});

describe("a brush for another picture", () => {
  it("is at first as large as suits the picture, and stays as large beside it as people made it", () => {
    expect(brushFor({ size: 60, side: 0 }, 512, 768)).toEqual({ size: 41, side: 512 });
    expect(brushFor({ size: 60, side: 0 }, 4096, 4096)).toEqual({ size: 328, side: 4096 });
    expect(brushFor({ size: 100, side: 500 }, 2000, 3000)).toEqual({ size: 400, side: 2000 });
    expect(brushFor({ size: 100, side: 100 }, 4000, 4000).size).toBe(1000);
    expect(brushFor({ size: 1, side: 1000 }, 8, 8).size).toBe(1);
  });
});

describe("areas", () => {
  it("of polygons are exact to the pixel, with half covered edges", () => {
    const stroke = newMask(20, 20);
    const corners = [[4, 4], [12.5, 4], [12.5, 10], [4, 10]].map(([x = 0, y = 0]) => ({ x, y }));
    fillPolygon(stroke, corners);
    expect([at(stroke, 4, 4), at(stroke, 11, 9), at(stroke, 3, 5), at(stroke, 5, 10)]).toEqual([255, 255, 0, 0]);
    expect(at(stroke, 12, 6)).toBe(128);
    expect(fillPolygon(stroke, corners.slice(0, 2))).toBeUndefined();
  });

  it("that are enclosed are filled, and nothing outside the outline", () => {
    const mask = square();
    for (let y = 7; y < 13; y += 1) mask.data.fill(0, y * 20 + 7, y * 20 + 13);
    const stroke = newMask(20, 20);
    expect(floodFill(mask, stroke, { x: 9.5, y: 9.5 })).toEqual({ x: 7, y: 7, width: 6, height: 6 });
    expect(coveredPart(stroke)).toBeCloseTo(36 / 400, 12);
    expect(floodFill(mask, newMask(20, 20), { x: -1, y: 3 })).toBeUndefined();
    expect(floodFill(mask, newMask(20, 20), { x: 0, y: 0 })).toEqual(wholeOf(mask));
  });
});

describe("the whole mask", () => {
  it("inverted twice is what it was", () => {
    const mask = square();
    invert(mask);
    expect([at(mask, 0, 0), at(mask, 10, 10)]).toEqual([255, 0]);
    invert(mask);
    expect(mask.data).toEqual(square().data);
  });

  it("feathered keeps its weight, fades outwards and keeps its middle", () => {
    const mask = square(60);
    feather(mask, 6);
    expect(coveredPart(mask)).toBeCloseTo(coveredPart(square(60)), 2);
    const edge = [2, 4, 6, 8].map((x) => at(mask, x, 10));
    expect(edge).toEqual([...edge].sort((a, b) => a - b));
    expect([at(mask, 10, 10) > 150, at(mask, 30, 30)]).toEqual([true, 0]);
  });

  it("grows and shrinks by pixels", () => {
    const mask = square();
    grow(mask, 2);
    expect([at(mask, 3, 10), at(mask, 2, 10)]).toEqual([255, 0]);
    grow(mask, -2);
    expect(mask.data).toEqual(square().data);
    grow(mask, -3);
    expect([at(mask, 8, 10), at(mask, 7, 10)]).toEqual([255, 0]);
  });

  it("is what the transparency of a picture says", () => {
    const pixels = Uint8ClampedArray.from([9, 9, 9, 255, 1, 2, 3, 0, 5, 5, 5, 55]);
    expect([...maskOfAlpha(pixels, 3, 1).data]).toEqual([0, 255, 200]);
  });
});

describe("steps", () => {
  it("go back and forth exactly, through strokes and whole changes", () => {
    const session = startSession(newMask(32, 32));
    const states = [session.mask.data.slice()];
    const told = (): void => void states.push(session.mask.data.slice());
    draw(session, 4);
    told();
    changeAll(session, invert);
    told();
    draw(session, 12, 0.4, true);
    told();
    for (const state of states.slice(0, -1).reverse()) {
      expect(undoStep(session)).toBeDefined();
      expect(session.mask.data).toEqual(state);
    }
    expect(undoStep(session)).toBeUndefined();
    for (const state of states.slice(1)) {
      redoStep(session);
      expect(session.mask.data).toEqual(state);
    }
  });

  it("that change nothing are none, and a dropped stroke leaves the mask as it was", () => {
    const session = startSession(square());
    changeAll(session, () => undefined);
    expect(session.past).toEqual([]);
    beginStroke(session);
    addToStroke(session, (stroke) => drawSegment(stroke, dab(3, 3), dab(9, 9), 1), 1, false);
    dropStroke(session);
    expect(session.mask.data).toEqual(square().data);
  });

  it("keep parts of masks as they are", () => {
    const [mask, rect] = [square(), { x: 3, y: 4, width: 5, height: 6 }];
    const part = cut(mask, rect);
    mask.data.fill(7);
    put(mask, rect, part);
    expect(cut(mask, rect)).toEqual(part);
    expect(at(mask, 2, 4)).toBe(7);
  });
});

describe("the PNG of a mask", () => {
  it("has one grey level a pixel, the same as was painted", async () => {
    const mask = newMask(7, 3);
    mask.data.forEach((_, place) => (mask.data[place] = place * 12));
    const bytes = Buffer.from(await (await pngOf(mask)).arrayBuffer());
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]]).toEqual([7, 3, 8, 0]);
    const length = bytes.readUInt32BE(33);
    const rows = inflateSync(bytes.subarray(41, 41 + length));
    const found = [0, 1, 2].flatMap((row) => [...rows.subarray(row * 8 + 1, row * 8 + 8)]);
    expect(found).toEqual([...mask.data]);
    expect(bytes.subarray(-8)).toEqual(Buffer.from("49454e44ae426082", "hex"));
  });
});

describe("the view", () => {
  it("shows the whole picture in the middle, and keeps what is under the pointer while it zooms", () => {
    const view = fitView({ width: 424, height: 224 }, { width: 100, height: 100 });
    expect(view).toEqual({ zoom: 2, x: 112, y: 12 });
    const point = { x: 150, y: 60 };
    const [before, after] = [toPicture(view, point), toPicture(zoomed(view, 3, point), point)];
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
    expect(zoomed(view, 1e9, point).zoom).toBe(32);
  });
});

describe("a picture of 4096 pixels a side", () => {
  it("takes a stroke of a large brush within a frame or two", () => {
    const session = startSession(newMask(4096, 4096));
    beginStroke(session);
    const began = performance.now();
    for (let step = 0; step < 10; step += 1)
      addToStroke(session, (stroke) => drawSegment(stroke, dab(1000 + step * 20, 2000, 100), dab(1020 + step * 20, 2000, 100), 0.5), 1, false);
    expect((performance.now() - began) / 10).toBeLessThan(34);
  });
});
