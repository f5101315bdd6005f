/** The main screens in both themes, looked over by axe-core. */

import assert from "node:assert/strict";
import { violations } from "../accessibility.mjs";
import { node } from "../canvas.mjs";

export const title = "No serious accessibility violation on the main screens";

const RUN_TIME = { timeout: 120_000 };

const bar = (name) => (page) => page.getByRole("button", { name, exact: true }).click();
const key = (keys) => (page) => page.keyboard.press(keys);

/** Does a command by its name in the palette. */
const command = (title) => async (page) => {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Commands and workflows" }).fill(title);
  await page.getByRole("dialog").getByRole("option", { name: title }).first().click();
};

const closed = (panel) => (page) => page.getByRole("complementary", { name: panel }).getByRole("button", { name: "Close", exact: true }).click();

/** A screen by name: how to get there, and how to leave it where Escape does not. */
const SCREENS = {
  templates: [key("t")],
  "save as": [key("Control+Shift+s")],
  open: [key("Control+o")],
  shortcuts: [key("?")],
  settings: [key("Control+,")],
  about: [command("About…")],
  "API call": [command("Run it from elsewhere")],
  gallery: [key("Alt+g")],
  search: [bar("Add node")],
  palette: [key("Control+k")],
  choice: [(page) => node(page, "Sampler").getByRole("combobox", { name: "sampler_name" }).click()],
  "menu of a node": [(page) => node(page, "Sampler").getByRole("heading").click({ button: "right" })],
  library: [key("l"), closed("Node library")],
  outline: [key("o"), closed("Outline")],
  problems: [key("Alt+p"), key("Alt+p")],
  runs: [key("Alt+q"), key("Alt+q")],
  log: [command("Log of the server"), closed("Log")],
  form: [command("Form"), command("Form")],
};

async function check(page, screen, found) {
  for (const line of await violations(page)) found.push(`On the screen "${screen}": ${line}`);
}

async function tour({ page, shot }, theme, found) {
  for (const [name, [show, leave = key("Escape")]] of Object.entries(SCREENS)) {
    await show(page);
    await page.waitForLoadState("networkidle");
    await check(page, `${name} (${theme})`, found);
    await shot(`screen-${name.replaceAll(" ", "-")}-${theme}`);
    await leave(page);
  }
}

export async function play(tools) {
  const { page, shot } = tools;
  const found = [];
  await page.getByText("Nothing here yet").waitFor();
  await check(page, "empty", found);
  await page.keyboard.press("t");
  await page.getByRole("button", { name: /^Text to image/ }).first().click();
  await node(page, "Sampler").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await check(page, "after a run", found);
  await page.getByRole("button", { name: "Result 1" }).click();
  await check(page, "full view", found);
  await page.keyboard.press("Escape");
  await tour(tools, "dark", found);
  await page.getByRole("button", { name: "Change theme" }).click();
  await check(page, "after a run (light)", found);
  await shot("accessibility-light");
  await tour(tools, "light", found);
  assert.equal(found.length, 0, `${found.length} violations\n${found.join("\n")}`);
}
