/** Somebody who may only look: everything is seen, and what is not allowed says why. */

import assert from "node:assert/strict";
import { node } from "../canvas.mjs";

export const title = "A viewer sees everything, and is told what is not allowed";
export const options = ["--token", "viewer:only-looks", "--token", "admin:does-all"];

export async function play({ page, url, complaints, shot }) {
  complaints.splice(0); // without a token the page was refused
  await page.goto(`${url}/?token=only-looks`);
  await page.getByRole("button", { name: "Open Text to image", exact: true }).click();
  await node(page, "Sampler").waitFor();
  const run = page.getByRole("button", { name: "Run", exact: true });
  await page.waitForFunction(() => [...document.querySelectorAll("button.run")].some((button) => button.disabled));
  assert.equal(await run.isDisabled(), true);
  assert.equal(await run.getAttribute("title"), "That needs the role runner.");
  await page.getByLabel("Workflow", { exact: true }).first().click();
  assert.equal(await page.getByRole("menuitem", { name: "Save", exact: true }).isDisabled(), true);
  await shot("viewer");
  await page.getByRole("menuitem", { name: "About…" }).click();
  await page.getByRole("dialog", { name: "About Darkroom" }).getByText("viewer", { exact: true }).waitFor();
}
