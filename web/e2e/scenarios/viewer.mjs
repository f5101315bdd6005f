/** Somebody who may only look: everything is seen, and what is not allowed says why. */

import assert from "node:assert/strict";
import { node } from "../canvas.mjs";

export const title = "A viewer sees everything, and is told what is not allowed";
export const options = ["--token", "viewer:only-looks", "--token", "admin:does-all"];

const REASON = "That needs the role runner.";

/** Not by key, palette, menu, node or the list of runs. */
async function noWayToRun(page) {
  await page.getByRole("main").focus();
  await page.keyboard.press("Control+Enter");
  await page.getByText(REASON).waitFor();
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Commands and workflows" });
  await palette.getByRole("combobox").fill("run");
  const option = palette.getByRole("option", { name: /^Run up to here/ });
  await option.getByText(REASON).waitFor();
  assert.equal(await option.getAttribute("aria-disabled"), "true");
  await page.keyboard.press("Escape");
  await palette.waitFor({ state: "detached" });
  await node(page, "Sampler").getByText("Sampler", { exact: true }).click({ button: "right" });
  const item = page.getByRole("menuitem", { name: /^Run up to here/ });
  assert.equal(await item.getAttribute("aria-disabled"), "true");
  assert.equal(await item.getAttribute("title"), REASON);
  await page.keyboard.press("Escape");
  const here = page.locator("button.run-here").first();
  assert.equal(await here.isDisabled(), true);
  await page.getByRole("button", { name: "More ways to run" }).click();
  assert.equal(await page.getByRole("menuitemcheckbox", { name: /change/ }).isDisabled(), true);
  await page.keyboard.press("Escape");
}

export async function play({ page, url, complaints, shot }) {
  complaints.splice(0); // without a token the page was refused
  await page.goto(`${url}/?token=only-looks`);
  await page.getByRole("button", { name: "Open Text to image", exact: true }).click();
  await node(page, "Sampler").waitFor();
  const run = page.getByRole("button", { name: "Run", exact: true });
  await page.waitForFunction(() => [...document.querySelectorAll("button.run")].some((button) => button.disabled));
  assert.equal(await run.isDisabled(), true);
  assert.equal(await run.getAttribute("title"), "That needs the role runner.");
  await noWayToRun(page);
  await page.getByLabel("Workflow", { exact: true }).first().click();
  assert.equal(await page.getByRole("menuitem", { name: "Save", exact: true }).isDisabled(), true);
  await shot("viewer");
  await page.getByRole("menuitem", { name: "About…" }).click();
  await page.getByRole("dialog", { name: "About Darkroom" }).getByText("viewer", { exact: true }).waitFor();
}
