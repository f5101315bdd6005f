/** The canvas beyond building: palette, menus, aligning, colours, sizes, names, and a graph linked without a mouse. */

import assert from "node:assert/strict";
import { violations } from "../accessibility.mjs";
import { node } from "../canvas.mjs";

export const title = "Commands, menus and the keyboard reach all of the canvas";

const palette = (page) => page.getByRole("combobox", { name: "Commands and workflows" });

async function command(page, words) {
  await page.keyboard.press("Control+k");
  await palette(page).fill(words);
  await page.keyboard.press("Enter");
  await palette(page).waitFor({ state: "hidden" });
}

const placeOf = async (card) => {
  const { x, y, width, height } = await card.boundingBox();
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
};

async function paletteRunsCommands({ page, shot }) {
  await page.getByText("Nothing here yet").waitFor();
  await command(page, "templates");
  await page.getByRole("dialog", { name: "Templates" }).getByRole("button", { name: /^Text to image/ }).first().click();
  await node(page, "Sampler").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: /Undo/ }).first().waitFor();
  await shot("canvas-1-palette");
  assert.deepEqual(await violations(page), []);
  await palette(page).fill("sampler");
  await page.getByRole("option", { name: /^Sampler/ }).first().waitFor();
  await shot("canvas-2-palette-nodes");
  await page.keyboard.press("Escape");
  await command(page, "select all");
  await page.getByRole("article").locator("nth=0").and(page.locator(".selected")).waitFor();
  await page.keyboard.press("Escape");
}

async function menusActOnWhatIsUnder({ page, shot }) {
  const sampler = node(page, "Sampler");
  await sampler.getByRole("heading").click({ button: "right" });
  const menu = page.getByRole("menu", { name: "Node" });
  await menu.waitFor();
  await shot("canvas-3-menu-node");
  assert.deepEqual(await violations(page), []);
  await menu.getByRole("menuitemradio", { name: "Blue" }).click();
  await page.locator("article[data-tint]").waitFor();
  assert.equal(await page.locator("article[data-tint]").count(), 1);
  await page.keyboard.press("Shift+F10");
  await menu.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.startsWith("Rename")), true);
  await page.keyboard.press("Enter");
  const name = sampler.getByRole("textbox", { name: "Title of the node" });
  await name.fill("My sampler");
  await name.press("Enter");
  await node(page, "My sampler").waitFor();
  await page.mouse.click(700, 780, { button: "right" });
  await page.getByRole("menu", { name: "Canvas" }).waitFor();
  await shot("canvas-4-menu-canvas");
  await page.keyboard.press("Escape");
}

async function nodesAlignAndResize({ page, shot }) {
  const prompts = page.getByRole("article", { name: /prompt/i });
  const [one, two] = [prompts.nth(0), prompts.nth(1)];
  await one.getByRole("heading").click();
  await two.getByRole("heading").click({ modifiers: ["Shift"] });
  for (let press = 0; press < 3; press += 1) await page.keyboard.press("ArrowRight");
  await one.getByRole("heading").click();
  await page.keyboard.press("ArrowRight");
  await two.getByRole("heading").click({ modifiers: ["Shift"] });
  assert.notEqual((await placeOf(one)).x, (await placeOf(two)).x);
  await command(page, "align left");
  await page.waitForFunction(([a, b]) => Math.round(a.getBoundingClientRect().x) === Math.round(b.getBoundingClientRect().x), [await one.elementHandle(), await two.elementHandle()]);
  await one.getByRole("heading").click();
  const before = await placeOf(one);
  await page.mouse.move(before.x + before.width - 3, before.y + before.height - 3);
  await page.mouse.down();
  await page.mouse.move(before.x + before.width + 80, before.y + before.height + 60, { steps: 6 });
  await page.mouse.up();
  const after = await placeOf(one);
  assert(after.width > before.width + 50 && after.height > before.height + 30, JSON.stringify([before, after]));
  await shot("canvas-5-resized");
  await page.keyboard.press("Control+z");
  await page.waitForFunction(([card, width]) => Math.abs(card.getBoundingClientRect().width - width) < 2, [await one.elementHandle(), before.width]);
  await command(page, "arrange");
  await command(page, "show all");
  await shot("canvas-6-arranged");
}

export async function play(tools) {
  await paletteRunsCommands(tools);
  await menusActOnWhatIsUnder(tools);
  await nodesAlignAndResize(tools);
}
