/** A large workflow: what is far away is painted, and is yet clicked, dragged, chosen and linked like all else. */

import assert from "node:assert/strict";
import { drop, input, middleOf, node } from "../canvas.mjs";

export const title = "Nodes of a large workflow are worked with at any zoom";

const COLUMNS = 20;
const COUNT = 200;

/** A chain of nodes in rows, each linked with the one before. */
function chain() {
  const numbers = [...Array(COUNT).keys()];
  const nodeOf = (number) => ({
    type: "LatentUpscaleBy",
    inputs: { ...(number ? { samples: { link: [`u${number - 1}`, "LATENT"] } } : {}), upscale_method: "bilinear", scale_by: 1.5 },
    title: `Upscale ${number}`,
  });
  return JSON.stringify({
    format: "darkroom/1",
    nodes: Object.fromEntries(numbers.map((number) => [`u${number}`, nodeOf(number)])),
    layout: Object.fromEntries(numbers.map((number) => [`u${number}`, [(number % COLUMNS) * 360, Math.floor(number / COLUMNS) * 260]])),
  });
}

const element = (page, number) => page.locator(`[data-id="n/u${number}"]`);
const linkOf = (page, from, to) => page.locator(`[aria-label="Edge from n/u${from} to n/u${to}"]`);
/** The view: how far the canvas is moved, and its zoom. */
const viewOf = async (page) => {
  const style = await page.locator(".react-flow__viewport").evaluate((view) => view.style.transform);
  return style.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
};
const zoomOf = async (page) => (await viewOf(page))[2];

/** Where a point of the canvas is on the screen. */
async function onScreen(page, x, y) {
  const { x: left, y: top } = await page.locator(".react-flow").boundingBox();
  const [right, down, zoom] = await viewOf(page);
  return [left + right + x * zoom, top + down + y * zoom];
}

const middleOnScreen = (page, number) => onScreen(page, (number % COLUMNS) * 360 + 110, Math.floor(number / COLUMNS) * 260 + 60);

async function dragBy(page, [x, y], right, down) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + Math.sign(right) * 2, y + Math.sign(down) * 2);
  await page.mouse.move(x + right / 2, y + down / 2, { steps: 3 });
  await page.mouse.move(x + right, y + down, { steps: 3 });
  await page.mouse.up();
}

async function zoomTo(page, [x, y], least) {
  await page.mouse.move(x, y);
  for (let step = 0; step < 60 && (await zoomOf(page)) < least; step += 1) await page.mouse.wheel(0, -100);
}

async function zoomOut(page, most) {
  for (let step = 0; step < 60 && (await zoomOf(page)) > most; step += 1) await page.mouse.wheel(0, 100);
}

const showAll = async (page) => {
  await page.getByRole("button", { name: "Show all" }).click();
  await page.waitForFunction(() => document.querySelector("canvas[data-drawn]:not([hidden])"));
};

async function farAway(page) {
  await showAll(page);
  assert.ok((await zoomOf(page)) < 0.4);
  assert.equal(await page.getByRole("article").count(), 0);

  // A click chooses what is painted under it; a drag moves it
  const point = await middleOnScreen(page, 45);
  await page.mouse.click(...point);
  await page.waitForFunction(() => document.querySelector('[data-id="n/u45"].selected'));
  const before = await element(page, 45).boundingBox();
  await dragBy(page, point, 60, 40);
  const after = await element(page, 45).boundingBox();
  assert.ok(Math.hypot(after.x - before.x - 60, after.y - before.y - 40) < 8, `${JSON.stringify(before)} ${JSON.stringify(after)}`);
  await page.keyboard.press("Control+z");

  // All that is chosen goes along, painted or not
  await page.keyboard.press("Control+a");
  await dragBy(page, await middleOnScreen(page, 0), 0, 60);
  const [x, y] = await middleOnScreen(page, 99);
  await page.mouse.move(x, y + 60);
  await element(page, 99).waitFor();
  await page.keyboard.press("Control+z");
  await page.mouse.move(x, y);
  await element(page, 99).waitFor();
}

async function marquee(page) {
  const [left, top] = await onScreen(page, -100, -100);
  const [right, bottom] = await onScreen(page, 2 * 360 + 20, 2 * 260 - 60);
  await page.keyboard.down("Shift");
  await dragBy(page, [left, top], right - left, bottom - top);
  await page.keyboard.up("Shift");
  await page.keyboard.press("Delete"); // six nodes: three columns of two rows
  await page.getByRole("button", { name: "Undo" }).click();
  await page.mouse.move(...(await middleOnScreen(page, 22)));
  await element(page, 22).waitFor();
}

async function near(page, shot) {
  await zoomTo(page, await middleOnScreen(page, 46), 0.9);
  await node(page, "Upscale 46").waitFor();
  await node(page, "Upscale 47").waitFor();
  await shot("large-near");

  // A double-click cuts a link
  await linkOf(page, 45, 46).waitFor({ state: "attached" });
  const [x, y] = await linkOf(page, 45, 46).evaluate((link) => {
    const path = link.querySelector("path");
    const point = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
    return [point.x, point.y];
  });
  await page.mouse.dblclick(x, y);
  await linkOf(page, 45, 46).waitFor({ state: "detached" });
  await page.keyboard.press("Control+z");
  await linkOf(page, 45, 46).waitFor({ state: "attached" });

  // The end of a link is dragged to another node
  const [endX, endY] = await middleOf(input(node(page, "Upscale 46"), "samples"));
  const [toX, toY] = await middleOf(input(node(page, "Upscale 66"), "samples"));
  await dragBy(page, [endX - 14, endY], toX - endX + 14, toY - endY);
  await linkOf(page, 45, 66).waitFor({ state: "attached" });
  await linkOf(page, 45, 46).waitFor({ state: "detached" });
  await page.keyboard.press("Control+z");
  await linkOf(page, 45, 46).waitFor({ state: "attached" });
}

/** What is written in stays while the view moves far away. */
async function writing(page) {
  const field = node(page, "Upscale 46").getByLabel("scale_by", { exact: true });
  await field.click();
  await page.keyboard.type("2.25");
  await page.mouse.move(30, 120); // over the field the wheel would step its value
  await zoomOut(page, 0.3);
  assert.equal(await page.evaluate(() => document.activeElement.value), "2.25");
  await page.keyboard.press("Enter");

  // The map shows another place
  await zoomTo(page, [800, 450], 0.9);
  const box = await page.getByRole("img", { name: "Map of the workflow" }).boundingBox();
  await page.mouse.click(box.x + box.width * 0.9, box.y + box.height * 0.75);
  await node(page, "Upscale 46").waitFor({ state: "detached" });
  await page.getByRole("article").first().waitFor();
}

export async function play({ page, shot }) {
  await page.getByText("Nothing here yet").waitFor();
  await drop(page, "large.json", "application/json", Buffer.from(chain()));
  await page.getByRole("tab", { name: "large" }).waitFor();
  await shot("large-far");
  await farAway(page);
  await marquee(page);
  await near(page, shot);
  await writing(page);
}
