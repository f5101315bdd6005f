/** Gestures that people bring along from other editors, and what is told where nothing happens. */

import assert from "node:assert/strict";
import { middleOf, node } from "../canvas.mjs";

export const title = "what the hands know: copy by dragging, frames, copies in another window, a run that changes nothing";

const heading = (page, name) => node(page, name).getByRole("heading");

async function open(page) {
  await page.getByRole("button", { name: "Open Text to image", exact: true }).click();
  await node(page, "Prompt").waitFor();
}

async function dragWith(page, key, from, to) {
  await page.keyboard.down(key);
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 4 });
  await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up(key);
}

async function copyByDragging(page) {
  const [x, y] = await middleOf(heading(page, "Prompt"));
  await dragWith(page, "Alt", [x, y], [x + 80, y - 110]);
  assert.equal(await node(page, "Prompt").count(), 2);
  await page.keyboard.press("Control+z");
  assert.equal(await node(page, "Prompt").count(), 1);
}

async function frameWith(page, key) {
  const box = await node(page, "Prompt").boundingBox();
  const last = await node(page, "Size").boundingBox();
  await dragWith(page, key, [box.x - 20, box.y - 20], [last.x + last.width + 10, last.y + last.height + 10]);
  assert.equal(await page.locator(".react-flow__node.selected").count(), 3);
}

/** A text that has the focus lets go of it: keys then mean what is in the frame. */
async function groupAfterWriting(page) {
  await node(page, "Prompt").getByRole("textbox").click();
  await frameWith(page, "Shift");
  await page.keyboard.press("Control+g");
  await page.getByText("Group", { exact: true }).waitFor();
}

async function copyToOtherWindow(page, context, url) {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
  await frameWith(page, "Control");
  await page.keyboard.press("Control+c");
  await page.getByText("3 nodes copied.").waitFor();
  const other = await context.newPage();
  await other.goto(url);
  await other.getByRole("main").waitFor();
  await other.getByRole("button", { name: "New workflow", exact: true }).click();
  await other.getByRole("main").focus();
  await other.keyboard.press("Control+v");
  await node(other, "Size").waitFor();
  await other.waitForFunction(() => document.querySelectorAll("article").length === 3);
  await other.close();
}

async function runTwice(page) {
  const run = page.getByRole("button", { name: "Run", exact: true });
  await run.click();
  await page.getByRole("button", { name: "Result 1" }).waitFor();
  await page.getByText("ran: first run").first().waitFor();
  await run.click();
  await page.getByRole("button", { name: "Use random seeds" }).click();
  await page.getByRole("button", { name: "Result 2" }).waitFor();
  assert.equal(await node(page, "Sampler").getByLabel("What seed does before each run").inputValue(), "random");
}

/** The library and the outline end above the results. */
async function besideResults(page) {
  const strip = await page.getByRole("region", { name: "Results" }).boundingBox();
  for (const [key, name] of [["l", "Node library"], ["o", "Outline"]]) {
    await page.getByRole("main").focus();
    await page.keyboard.press(key);
    const panel = page.getByRole("complementary", { name });
    const { y, height } = await panel.boundingBox();
    assert.ok(y + height <= strip.y, `${name} ends at ${y + height}, the results begin at ${strip.y}`);
    await panel.getByRole("button", { name: "Close", exact: true }).click();
  }
}

/** In a narrow window with many tabs the open one can be read, and the bar still holds all. */
async function manyTabs(page, shot) {
  for (let count = 0; count < 8; count += 1) await page.getByRole("button", { name: "New workflow", exact: true }).click();
  await page.setViewportSize({ width: 1100, height: 800 });
  await page.getByRole("combobox", { name: "All open workflows" }).waitFor();
  const list = await page.getByRole("tablist").boundingBox();
  for (const tab of await page.locator(".tab").all()) assert.ok((await tab.boundingBox()).width >= 90);
  assert.ok(list.width >= 90, `the tabs have ${list.width} pixels`);
  await page.waitForFunction(() => {
    const [row, open] = [document.querySelector("[role=tablist]"), document.querySelector(".tab.active")].map((element) => element.getBoundingClientRect());
    return open.left >= row.left - 1 && open.right <= row.right + 1;
  });
  const run = await page.getByRole("button", { name: "More ways to run" }).boundingBox();
  assert.ok(run.x + run.width <= 1100);
  await shot("hands-narrow");
}

export async function play({ page, context, url, shot }) {
  await open(page);
  await copyByDragging(page);
  await frameWith(page, "Control");
  await groupAfterWriting(page);
  await copyToOtherWindow(page, context, url);
  await runTwice(page);
  await besideResults(page);
  await manyTabs(page, shot);
}
