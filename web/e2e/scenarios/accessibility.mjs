/** The main screens in both themes, looked over by axe-core. */

import assert from "node:assert/strict";
import { violations } from "../accessibility.mjs";
import { node } from "../canvas.mjs";

export const title = "No serious accessibility violation on the main screens";

const RUN_TIME = { timeout: 120_000 };

/** A screen by name: how to get there, and how to leave it. */
const SCREENS = {
  templates: (page) => page.getByLabel("Workflow", { exact: true }).first().click().then(() => page.getByRole("menuitem", { name: "Templates…" }).click()),
  "save as": (page) => page.keyboard.press("Control+Shift+s"),
  open: (page) => page.keyboard.press("Control+o"),
  shortcuts: (page) => page.keyboard.press("?"),
  search: (page) => page.getByRole("button", { name: "Add node" }).click(),
  choice: (page) => node(page, "Sampler").getByRole("combobox", { name: "sampler_name" }).click(),
  problems: (page) => page.getByRole("button", { name: "No problems" }).click(),
  queue: (page) => page.getByRole("button", { name: "Runs", exact: true }).click(),
};

async function check(page, screen, found) {
  for (const line of await violations(page)) found.push(`On the screen "${screen}": ${line}`);
}

async function tour(page, theme, found) {
  for (const [name, show] of Object.entries(SCREENS)) {
    await show(page);
    await page.waitForTimeout(100);
    await check(page, `${name} (${theme})`, found);
    await page.keyboard.press("Escape");
  }
}

export async function play({ page, shot }) {
  const found = [];
  await page.getByText("Nothing here yet").waitFor();
  await check(page, "empty", found);
  await SCREENS.templates(page);
  await page.getByRole("button", { name: /^Text to image/ }).first().click();
  await node(page, "Sampler").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await check(page, "after a run", found);
  await page.getByRole("button", { name: "Result 1" }).click();
  await check(page, "full view", found);
  await page.keyboard.press("Escape");
  await tour(page, "dark", found);
  await page.getByRole("button", { name: "Change theme" }).click();
  await check(page, "after a run (light)", found);
  await shot("accessibility-light");
  await tour(page, "light", found);
  assert.equal(found.length, 0, `${found.length} violations\n${found.join("\n")}`);
}
