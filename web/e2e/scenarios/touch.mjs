/** Fingers: one moves the canvas, two zoom, a resting one opens the menu; nodes and links are dragged. */

import assert from "node:assert/strict";
import { middleOf, node, output, input } from "../canvas.mjs";

export const title = "The canvas with fingers";

const STEPS = 8;
/** Pixels that a finger hits at least. */
const FINGER = 24;

const between = (from, to, part) => from.map((value, at) => value + (to[at] - value) * part);

/** Fingers go from places to places; hold: milliseconds that they rest first. */
async function swipe(touch, from, to, hold = 0) {
  await touch("touchStart", from);
  if (hold) await new Promise((done) => setTimeout(done, hold));
  for (let step = 1; step <= STEPS; step += 1) await touch("touchMove", from.map((start, at) => between(start, to[at], step / STEPS)));
  await touch("touchEnd", []);
}

const viewOf = (page) =>
  page.evaluate(() => {
    const { a, e, f } = new globalThis.DOMMatrix(globalThis.getComputedStyle(document.querySelector(".react-flow__viewport")).transform);
    return { zoom: a, x: e, y: f };
  });

/** The smallest side, on the screen, of what a finger is to hit: where its middle and the pixels around it lead to it. */
const smallest = (page, selector) =>
  page.evaluate(
    ([wanted, finger]) => {
      const reaches = (element) => {
        const box = element.getBoundingClientRect();
        const [x, y, half] = [box.left + box.width / 2, box.top + box.height / 2, finger / 2 - 1];
        if (!element.contains(document.elementFromPoint(x, y))) return finger; // out of sight, or under something
        const points = [[0, -half], [0, half], [-half, 0], [half, 0]];
        return points.filter(([dx, dy]) => element.contains(document.elementFromPoint(x + dx, y + dy))).length;
      };
      return [...document.querySelectorAll(wanted)].filter((element) => element.checkVisibility()).map((element) => [element.ariaLabel ?? element.className, reaches(element)]).filter(([, hit]) => hit < 3);
    },
    [selector, FINGER],
  );

export async function play({ page, context, shot }) {
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
  const touch = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await page.reload();
  await page.getByRole("button", { name: "Open Text to image", exact: true }).click();
  await node(page, "Sampler").waitFor();

  const before = await viewOf(page);
  await swipe(touch, [[250, 700]], [[330, 760]]);
  const panned = await viewOf(page);
  assert.deepEqual([Math.round(panned.x - before.x), Math.round(panned.y - before.y), panned.zoom], [80, 60, before.zoom], "one finger moves the canvas");
  await swipe(touch, [[200, 700], [300, 700]], [[150, 700], [350, 700]]);
  const pinched = await viewOf(page);
  assert.ok(Math.abs(pinched.zoom / panned.zoom - 2) < 0.35, `two fingers zoom: ${panned.zoom} to ${pinched.zoom}`);
  await swipe(touch, [[150, 700], [350, 700]], [[200, 700], [300, 700]]);
  await shot("touch");

  const sampler = node(page, "Sampler");
  const head = sampler.getByText("Sampler", { exact: true });
  const [x, y] = await middleOf(head);
  await swipe(touch, [[x, y]], [[x, y + 90]]);
  const [, moved] = await middleOf(head);
  assert.ok(moved - y > 55 && moved - y < 92, `a node follows the finger once it moves for sure: ${moved - y}`);

  await touch("touchStart", [[x, moved]]);
  await page.getByRole("menu", { name: "Node", exact: true }).waitFor();
  await touch("touchEnd", []);
  await page.getByRole("menuitem", { name: "Run up to here" }).waitFor();
  await shot("touch-menu");
  await page.keyboard.press("Escape");
  await page.getByRole("menu", { name: "Node", exact: true }).waitFor({ state: "detached" });

  const isFed = (from) => page.locator(`[aria-label="Edge from n/${from} to n/sampler"][data-id="n/sampler positive"]`).waitFor({ state: "attached" });
  await isFed("positive");
  await swipe(touch, [await middleOf(output(node(page, "Negative prompt"), "CONDITIONING"))], [await middleOf(input(sampler, "positive"))]);
  await isFed("negative");

  await page.getByRole("main").focus();
  await page.keyboard.press("1");
  assert.deepEqual(await smallest(page, "header button, .top-bar button, .card-head button, .react-flow__handle:not(.of-widget)"), []);
}
