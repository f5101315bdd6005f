/** Workflows as files: saved, compared, restored, imported with what is missing, and run from elsewhere. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { violations } from "../accessibility.mjs";
import { drop, node, pictureOf } from "../canvas.mjs";

export const title = "Files are saved without overwriting others' work, restored, imported and called";

const RUN_TIME = { timeout: 120_000 };

const menu = async (page, item) => {
  await page.getByLabel("Workflow", { exact: true }).first().click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
};

/** Closes the dialog that is open. */
const leave = async (page) => {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
};

const steps = (page) => node(page, "Sampler").getByLabel("steps", { exact: true });

async function setSteps(page, value) {
  await steps(page).fill(value);
  await page.keyboard.press("Enter");
}

/** What the server says to a page that asks for something that has changed is meant, no complaint. */
function forgive(complaints, status) {
  const others = complaints.filter((text) => !text.includes(status));
  complaints.splice(0, complaints.length, ...others);
}

/** Waits until every picture in a part of the page is there. */
async function pictures(part) {
  await part.evaluate((element) => Promise.all([...element.querySelectorAll("img")].slice(0, 9).map((image) => image.decode())));
}

async function start({ page, url, shot }) {
  await fetch(`${url}/api/v1/settings`, { method: "PATCH", body: JSON.stringify({ values: { autosave: 0 } }) });
  await page.reload();
  const first = page.getByRole("list", { name: "Templates to start from" });
  await first.getByRole("button", { name: "Open Text to image", exact: true }).waitFor();
  await pictures(first);
  await shot("files-welcome");
  await page.getByRole("button", { name: "Open Text to image and run it" }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await page.keyboard.press("Control+s");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("tales/fox");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("tab", { name: "tales/fox", exact: true }).waitFor();
}

/** Two windows have the same workflow; what one saves the other does not overwrite. */
async function meet({ page, context, url, complaints, shot }) {
  const other = await context.newPage();
  await other.goto(url);
  await node(other, "Sampler").waitFor();
  await setSteps(other, "7");
  await setSteps(page, "9");
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as tales/fox.").waitFor();
  await other.bringToFront();
  await other.keyboard.press("Control+s");
  const dialog = other.getByRole("dialog", { name: "tales/fox was saved elsewhere" });
  await dialog.getByRole("list", { name: "Differences" }).getByText("steps").waitFor();
  await shot("files-conflict", other);
  await dialog.getByRole("button", { name: "Keep mine under this name" }).click();
  await other.getByRole("tab", { name: "tales/fox (mine)", exact: true }).waitFor();
  await other.close();
  forgive(complaints, "412");
  const kept = await (await fetch(`${url}/api/v1/workflows/tales%2Ffox`)).json();
  assert.equal(kept.nodes.sampler.inputs.steps, 9);
}

async function restore({ page, shot }) {
  await menu(page, "Versions…");
  const dialog = page.getByRole("dialog", { name: "Versions of tales/fox" });
  await dialog.getByRole("list", { name: "Versions" }).getByRole("button").nth(1).click();
  await dialog.getByRole("list", { name: "Differences" }).getByText("steps").waitFor();
  await shot("files-versions");
  await dialog.getByRole("button", { name: "Put back" }).click();
  await page.waitForFunction(() => !document.querySelector("dialog[open]"));
  assert.notEqual(await steps(page).inputValue(), "9");
  await page.keyboard.press("Control+z");
  assert.equal(await steps(page).inputValue(), "9");
}

/** A file of ComfyUI's editor that names a model and a node type that are not here. */
async function importForeign({ page, url, shot }) {
  const template = await (await fetch(`${url}/api/v1/templates/txt2img`)).text();
  const foreign = await (await fetch(`${url}/api/v1/workflows/convert?to=editor`, { method: "POST", body: template })).text();
  const text = foreign.replaceAll("darkroom-tiny.safetensors", "SD15\\\\darkroom_tiny_v1.safetensors");
  await drop(page, "foreign.json", "application/json", Buffer.from(text));
  const dialog = page.getByRole("dialog", { name: "Some things are missing" });
  await dialog.getByText("darkroom_tiny_v1").first().waitFor();
  await shot("files-missing");
  await dialog.getByRole("button", { name: "Use the match" }).click();
  await node(page, "Checkpoint").getByRole("combobox", { name: "ckpt_name" }).getByText(/^darkroom-tiny/).waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await page.keyboard.press("Control+z");
  await node(page, "Checkpoint").getByText("darkroom_tiny_v1").first().waitFor();
}

/** A broken file is told in a sentence, and a picture opens the workflow that made it. */
async function openDropped({ page, complaints }) {
  await drop(page, "broken.json", "application/json", Buffer.from("{oh"));
  await page.getByText("broken.json cannot be opened").waitFor();
  await drop(page, "broken.png", "image/png", Buffer.from("no picture"));
  await page.getByText("broken.png cannot be opened: the picture cannot be read.").waitFor();
  const cards = await page.getByRole("article").count();
  await drop(page, "cut.png", "image/png", (await pictureOf(page)).subarray(0, 30));
  await page.getByText("cut.png cannot be opened: the picture cannot be read.").waitFor();
  assert.equal(await page.getByRole("article").count(), cards);
  forgive(complaints, "400");
  await drop(page, "result.png", "image/png", await pictureOf(page));
  await page.getByRole("tab", { name: "result", exact: false }).waitFor();
  await node(page, "Sampler").waitFor();
}

/** Unsaved work is asked for, and a closed tab comes back. */
async function closeAndReopen({ page, shot }) {
  const tabs = page.getByRole("tab");
  const before = await tabs.count();
  await page.getByRole("tab", { name: /^result/ }).press("Delete");
  await page.getByRole("dialog", { name: "Close result?" }).waitFor();
  await shot("files-closing");
  await page.getByRole("button", { name: "Close without saving" }).click();
  await page.getByRole("tab", { name: /^result/ }).waitFor({ state: "detached" });
  await menu(page, "Reopen closed tab");
  await page.getByRole("tab", { name: /^result/ }).waitFor();
  assert.equal(await tabs.count(), before);
  await page.getByRole("tab", { name: /^result/ }).press("F2");
  await page.getByRole("textbox", { name: "New name of result" }).fill("renamed");
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: /^renamed/ }).press("Control+Shift+ArrowLeft");
  assert.deepEqual((await tabs.allTextContents()).at(-2), "renamed");
}

async function browse({ page, shot }) {
  await menu(page, "Templates…");
  const templates = page.getByRole("dialog", { name: "Templates" });
  await templates.getByRole("button", { name: /^Inpaint/ }).first().waitFor();
  await pictures(templates);
  await shot("files-templates");
  await templates.getByRole("navigation").getByRole("button", { name: "Inpainting" }).click();
  await templates.getByRole("button", { name: /^Inpaint/ }).first().waitFor();
  assert.equal(await templates.getByRole("button", { name: /^Text to image/ }).count(), 0);
  await leave(page);
  await page.keyboard.press("Control+o");
  const dialog = page.getByRole("dialog", { name: "Open a workflow" });
  await dialog.getByRole("button", { name: /^fox \(mine\)/ }).waitFor();
  await shot("files-open");
  await dialog.getByRole("button", { name: "Duplicate tales/fox", exact: true }).click();
  await dialog.getByRole("button", { name: /^fox 2/ }).waitFor();
  await dialog.getByRole("button", { name: "Delete tales/fox 2", exact: true }).click();
  await dialog.getByRole("button", { name: "Delete it" }).click();
  await dialog.getByRole("button", { name: /^fox 2/ }).waitFor({ state: "detached" });
  await dialog.getByRole("navigation").getByRole("button", { name: "Deleted" }).click();
  await dialog.getByRole("button", { name: /^tales\/fox 2/ }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** A workflow as a form: fields are chosen, set and run without the graph. */
async function fillForm({ page, shot }) {
  await menu(page, "Templates…");
  await page.getByRole("dialog", { name: "Templates" }).getByRole("button", { name: /^Text to image/ }).click();
  await node(page, "Sampler").waitFor();
  await menu(page, "Form");
  const form = page.getByRole("region", { name: "Form" });
  await form.getByRole("textbox", { name: "Prompt", exact: true }).fill("a small yellow triangle");
  await form.getByRole("button", { name: "Choose fields" }).click();
  await form.getByLabel("Add a field").selectOption({ label: "Size · batch_size" });
  await form.getByRole("textbox", { name: "Name of batch_size" }).fill("pictures");
  await page.keyboard.press("Enter");
  await shot("files-form-fields");
  await form.getByRole("button", { name: "Done" }).click();
  await form.getByText("Pictures", { exact: true }).waitFor();
  const before = await page.getByRole("button", { name: /^Result/ }).count();
  await form.getByRole("button", { name: "Make the picture" }).click();
  await page.getByRole("button", { name: `Result ${before + 1}` }).waitFor(RUN_TIME);
  await shot("files-form");
  await form.getByRole("button", { name: "Show the graph" }).click();
  await form.waitFor({ state: "detached" });
}

/** An input becomes a port from the menu of its row, and a pasted text of a workflow is opened. */
async function portAndPaste({ page, url }) {
  await node(page, "Sampler").getByText("denoise").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Make this input a port" }).or(page.getByRole("menuitemcheckbox", { name: "Make this input a port" })).click();
  await menu(page, "Form");
  await page.getByRole("region", { name: "Form" }).getByText("Denoise", { exact: true }).waitFor();
  await menu(page, "Form");
  await page.keyboard.press("Control+z");
  const tabs = page.getByRole("tab");
  const before = await tabs.count();
  const text = await (await fetch(`${url}/api/v1/templates/lora`)).text();
  await page.getByRole("main").evaluate((main, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    main.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
  }, text);
  await page.getByRole("tab", { name: /^LoRA/ }).waitFor();
  assert.equal(await tabs.count(), before + 1);
  await page.getByRole("tab", { name: /^LoRA/ }).press("Delete");
  await page.getByRole("button", { name: "Close without saving" }).click();
  await page.getByRole("tab", { name: /^LoRA/ }).waitFor({ state: "detached" });
}

/** The code that is shown runs the workflow on this very server. */
async function call({ page, url, folder, shot }) {
  await menu(page, "Run it from elsewhere…");
  const dialog = page.getByRole("dialog", { name: "Run it from elsewhere" });
  const code = dialog.getByLabel("The code");
  await shot("files-call");
  const downloading = page.waitForEvent("download");
  await dialog.getByRole("button", { name: /^Download/ }).click();
  const download = await downloading;
  await download.saveAs(join(folder, download.suggestedFilename()));
  const run = (command, args) => promisify(execFile)(command, args, { cwd: folder, timeout: 120_000 });
  const python = await run("python3", ["-c", await code.textContent()]);
  assert.match(python.stdout, /^done/);
  const [picture = ""] = python.stdout.split("\n").filter((line) => line.endsWith(".png"));
  assert.ok(existsSync(join(folder, picture)), python.stdout);
  await dialog.getByRole("tab", { name: "curl" }).click();
  const curl = await run("sh", ["-c", await code.textContent()]);
  assert.equal(JSON.parse(curl.stdout).state, "done");
  assert.ok(url.startsWith("http"));
  await leave(page);
}

async function settle({ page, url, shot }) {
  await page.getByRole("button", { name: "Settings" }).click();
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await shot("files-settings");
  await dialog.getByLabel("Theme").selectOption("light");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
  await dialog.getByLabel("Links").selectOption("stepped");
  await page.waitForFunction(() => {
    const lines = [...document.querySelectorAll(".react-flow__edge-path")];
    return lines.length > 0 && lines.every((line) => !line.getAttribute("d").includes("C"));
  });
  await dialog.getByRole("button", { name: "Saving and running" }).click();
  await dialog.getByLabel("Autosave").fill("9");
  await shot("files-settings-light");
  await page.waitForFunction(async (address) => (await (await fetch(address)).json()).values.autosave === 9, `${url}/api/v1/settings`);
  await dialog.getByRole("button", { name: "All as at first" }).click();
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await leave(page);
  await menu(page, "About…");
  await page.getByRole("dialog", { name: "About Darkroom" }).getByText("Version", { exact: true }).waitFor();
  await shot("files-about");
  await leave(page);
}

export async function play(given) {
  const found = [];
  const shot = async (name, of = given.page) => {
    await given.shot(name, of);
    for (const line of await violations(of)) found.push(`On ${name}: ${line}`);
  };
  const tools = { ...given, shot };
  await start(tools);
  await meet(tools);
  await restore(tools);
  await importForeign(tools);
  await openDropped(tools);
  await closeAndReopen(tools);
  await browse(tools);
  await fillForm(tools);
  await portAndPaste(tools);
  await call(tools);
  await settle(tools);
  assert.deepEqual(found, []);
}
