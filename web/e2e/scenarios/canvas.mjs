/** The canvas beyond building: palette, menus, aligning, colours, sizes, names, and a graph linked without a mouse. */

import assert from "node:assert/strict";
import { violations } from "../accessibility.mjs";
import { add, input, middleOf, node } from "../canvas.mjs";

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

async function panelsShowAll({ page, shot }) {
  await page.keyboard.press("s");
  await page.getByText("4×64×64").or(page.getByText(/^4×\d+×\d+$/)).first().waitFor();
  await page.keyboard.press("o");
  await page.getByRole("complementary", { name: "Outline" }).getByRole("button", { name: /^My sampler/ }).first().waitFor();
  await shot("canvas-7-outline");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await page.getByRole("main").focus();
  await page.keyboard.press("l");
  const library = page.getByRole("complementary", { name: "Node library" });
  await library.getByRole("searchbox").fill("upscale");
  await library.getByRole("button", { name: /^Upscale/ }).first().waitFor();
  await shot("canvas-8-library");
  assert.deepEqual(await violations(page), []);
  await library.getByRole("button", { name: "Close", exact: true }).click();
  await node(page, "My sampler").getByRole("heading").click();
  await page.keyboard.press("h");
  await page.getByRole("dialog", { name: /^About/ }).waitFor();
  await shot("canvas-9-help");
  await page.keyboard.press("Escape");
}

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.tagName);

/** From nothing to two nodes and a link, with keys alone. */
async function linksWithoutMouse({ page, shot }) {
  await command(page, "new workflow");
  await page.getByText("Nothing here yet").waitFor();
  await page.keyboard.press("F6");
  await page.keyboard.press("Space");
  await page.getByRole("combobox", { name: "Search nodes" }).fill("load checkpoint");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Load Checkpoint node");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.classList.contains("socket"));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "CLIP out");
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Choose what to link with" }).waitFor();
  await shot("canvas-10-link-picker");
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Search nodes" }).fill("text encode");
  await page.keyboard.press("Enter");
  const text = page.getByRole("article", { name: /^CLIP Text Encode/ });
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.startsWith("CLIP Text Encode"));
  await page.locator(".react-flow__edge").first().waitFor({ state: "attached" });
  await page.keyboard.press("Shift+Tab");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Load Checkpoint node");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "clip in");
  await page.keyboard.press("Delete");
  await page.locator(".react-flow__edge").first().waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: /^CLIP/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".react-flow__edge").first().waitFor({ state: "attached" });
  assert.equal(await focused(page), "clip in");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Delete");
  await text.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.tagName === "MAIN");
}

/** A node put into a link gets both ends. */
async function linkTakesNode({ page, shot }) {
  await page.keyboard.press("Control+z");
  const text = page.getByRole("article", { name: /^CLIP Text Encode/ });
  await text.waitFor();
  await command(page, "show all");
  await input(text, "clip").focus();
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menu", { name: "Link" }).waitFor();
  await shot("canvas-11-menu-link");
  await page.getByRole("menuitem", { name: "Insert a node…" }).click();
  await page.getByRole("combobox", { name: "Search nodes" }).fill("clip skip");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("article").length === 3);
  await page.waitForFunction(() => document.querySelectorAll(".react-flow__edge").length === 2);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelectorAll("article").length === 2);
  await command(page, "show all");
  const [from, to] = [await node(page, "Load Checkpoint").boundingBox(), await text.boundingBox()];
  await add(page, 500, 720, "clip skip");
  const skip = page.getByRole("article", { name: /^CLIP Set Last Layer/ });
  const [x, y] = await middleOf(skip.getByRole("heading"));
  const { width, height, y: top } = await skip.boundingBox();
  await page.mouse.move(x, y);
  await page.mouse.down();
  const between = (from.x + from.width + to.x) / 2;
  await page.mouse.move(between - width / 2 + (x - (await skip.boundingBox()).x), (from.y + to.y) / 2 + 40 - height / 2 + (y - top), { steps: 8 });
  await shot("canvas-13-dropping");
  await page.mouse.up();
  await page.getByText(/was put between Load Checkpoint and CLIP Text Encode/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".react-flow__edge").length === 2);
}

async function keysCanBeChanged({ page, shot }) {
  await page.getByRole("main").focus();
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await dialog.waitFor();
  await shot("canvas-12-shortcuts");
  await dialog.getByRole("button", { name: /change the keys of Outline$/ }).click();
  await page.keyboard.press("l");
  await dialog.getByRole("alert").getByText("Node library has these keys.").waitFor();
  await page.keyboard.press("Control+Shift+o");
  await dialog.getByRole("button", { name: "Ctrl+Shift+O: change the keys of Outline" }).waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).click();
  await page.getByRole("main").focus();
  await page.keyboard.press("Control+Shift+o");
  await page.getByRole("complementary", { name: "Outline" }).waitFor();
}

export async function play(tools) {
  await paletteRunsCommands(tools);
  await menusActOnWhatIsUnder(tools);
  await nodesAlignAndResize(tools);
  await panelsShowAll(tools);
  await linksWithoutMouse(tools);
  await linkTakesNode(tools);
  await keysCanBeChanged(tools);
}
