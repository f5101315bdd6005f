/** Runs that wait, move, pause and fail; their pictures in the gallery, compared, and dragged onto an input. */

import assert from "node:assert/strict";
import { violations } from "../accessibility.mjs";
import { node, type } from "../canvas.mjs";

export const title = "The queue, errors with their fix, the gallery and comparing";

const RUN_TIME = { timeout: 120_000 };
const run = (page) => page.getByRole("button", { name: "Run", exact: true });
const panel = (page) => page.getByRole("complementary", { name: "Runs" });
const waitingRows = (page) => panel(page).getByRole("list", { name: "Running and waiting" }).getByRole("listitem");
const endedRows = (page) => panel(page).getByRole("list", { name: "Ended" }).getByRole("listitem");

async function openTemplate(page, name) {
  await page.getByLabel("Workflow", { exact: true }).first().click();
  await page.getByRole("menuitem", { name: "Templates…" }).click();
  await page.getByRole("dialog", { name: "Templates" }).getByRole("button", { name }).first().click();
}

async function accessible(page, screen) {
  assert.deepEqual(await violations(page), [], screen);
}

/** Saves under a name with a seed of its own, so that its runs are told apart, and hands it in. */
async function handIn(page, name, seed) {
  await type(node(page, "Sampler"), "seed", String(seed));
  await page.keyboard.press("Control+Shift+s");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("tab", { name, exact: true }).waitFor();
  await run(page).click();
  await waitingRows(page).filter({ hasText: name }).waitFor();
}

const order = (page) => waitingRows(page).locator(".run-title > b").allTextContents();

async function until(page, expected) {
  await page.waitForFunction(
    (names) => JSON.stringify([...document.querySelectorAll('[aria-label="Running and waiting"] .run-title > b')].map((item) => item.textContent)) === names,
    JSON.stringify(expected),
  );
}

async function queue({ page, shot }) {
  await page.getByRole("button", { name: "Runs", exact: true }).click();
  await panel(page).getByRole("button", { name: "Pause the queue" }).click();
  await panel(page).getByText("The queue is paused").waitFor();
  for (const [seed, name] of ["one", "two", "three"].entries()) await handIn(page, name, seed + 1);
  await until(page, ["one", "two", "three"]);

  // By keyboard, by the menu, by dragging
  await waitingRows(page).nth(2).getByTitle("Show three on the canvas").focus();
  await page.keyboard.press("Alt+ArrowUp");
  await until(page, ["one", "three", "two"]);
  await panel(page).getByRole("button", { name: "More for two" }).click();
  await shot("runs-menu");
  await page.getByRole("menuitem", { name: "Run next" }).click();
  await until(page, ["two", "one", "three"]);
  await waitingRows(page).nth(0).dragTo(waitingRows(page).nth(2));
  await until(page, ["one", "three", "two"]);
  await shot("runs-waiting");
  await accessible(page, "the queue");

  // One is held, one is cancelled, one runs
  await waitingRows(page).filter({ hasText: "three" }).getByRole("button", { name: "Pause", exact: true }).click();
  await waitingRows(page).filter({ hasText: "three" }).getByText("paused").waitFor();
  await waitingRows(page).filter({ hasText: "two" }).getByRole("button", { name: "Cancel this run" }).click();
  await endedRows(page).filter({ hasText: "two" }).getByText("cancelled").waitFor();
  await panel(page).getByRole("button", { name: "Let the queue go on" }).click();
  await waitingRows(page).filter({ hasText: "one" }).getByRole("progressbar").waitFor(RUN_TIME);
  await page.waitForFunction(() => /^[1-9]\d* % · /.test(document.title), undefined, RUN_TIME);
  await page.getByRole("img", { name: "one is being made" }).waitFor();
  await node(page, "Sampler").getByRole("img", { name: "Preview" }).waitFor(RUN_TIME);
  await shot("runs-running");
  await endedRows(page).filter({ hasText: "one" }).getByText("done").waitFor(RUN_TIME);
  await waitingRows(page).filter({ hasText: "three" }).getByRole("button", { name: "Go on" }).click();
  await endedRows(page).filter({ hasText: "three" }).getByText("done").waitFor(RUN_TIME);

  // Once more, and it stands in the list of another tab too
  await endedRows(page).filter({ hasText: "two" }).getByRole("button", { name: "Run again" }).click();
  await endedRows(page).filter({ hasText: "two" }).getByText("done").waitFor(RUN_TIME);
  await panel(page).getByRole("searchbox", { name: "Search runs" }).fill("three");
  await page.waitForFunction(() => document.querySelectorAll('[aria-label="Ended"] > li').length === 1);
  await panel(page).getByRole("searchbox", { name: "Search runs" }).fill("");
  await page.reload();
  await page.getByRole("button", { name: "Runs", exact: true }).click();
  await endedRows(page).filter({ hasText: "three" }).getByText("done").waitFor();
  await node(page, "Sampler").getByText("ran: ").waitFor();
  await shot("runs-ended");
}

async function problems({ page, shot }) {
  const sampler = node(page, "Sampler");
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await sampler.getByRole("combobox", { name: "sampler_name" }).focus();
  await breakWorkflow(page);
  await sampler.getByRole("button", { name: "Use euler" }).waitFor();
  await page.getByRole("button", { name: /^\d+ problems$/ }).click();
  const list = page.getByRole("complementary", { name: "Problems" });
  await list.getByRole("button", { name: "Show Sampler" }).waitFor();
  await shot("runs-problems");
  await accessible(page, "problems");
  await list.getByRole("button", { name: "Fix 1 problem" }).click();
  await page.getByRole("button", { name: "1 problem", exact: true }).waitFor();
  await sampler.getByRole("button", { name: "Use euler" }).click();
  await list.getByText("Everything is in order.").waitFor();
  await page.keyboard.press("Control+z");
  await sampler.getByRole("button", { name: "Use euler" }).waitFor();
  await page.keyboard.press("Control+y");
  await list.getByText("Everything is in order.").waitFor();
}

/** Opens the workflow with a misspelled sampler and too many steps, as a file of somebody else would have. */
async function breakWorkflow(page) {
  const text = await (await fetch(new URL("/api/v1/templates/txt2img", page.url()))).text();
  const broken = text.replace('"dpmpp_2m"', '"eulr"').replace(/"steps": 20/, '"steps": 0');
  assert.notEqual(text, broken);
  await page.getByRole("main").evaluate((main, body) => {
    const data = new DataTransfer();
    data.items.add(new File([body], "broken.json", { type: "application/json" }));
    main.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, broken);
  await page.getByRole("tab", { name: "broken" }).waitFor();
}

async function gallery({ page, shot }) {
  await page.getByRole("complementary", { name: "Problems" }).getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Open the gallery" }).click();
  const dialog = page.getByRole("dialog", { name: "Gallery" });
  const files = dialog.getByRole("listbox", { name: "Files" }).getByRole("option");
  await files.nth(2).waitFor();
  await shot("runs-gallery");
  await accessible(page, "the gallery");
  await files.nth(0).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await dialog.getByText("2 chosen").waitFor();
  await dialog.getByRole("button", { name: "Compare" }).click();

  // The slider by keyboard
  const view = page.getByRole("dialog", { name: "Full view" });
  const slider = view.getByRole("slider", { name: "Where the pictures meet" });
  await slider.focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await slider.getAttribute("aria-valuenow"), "49");
  await page.keyboard.press("Home");
  assert.equal(await slider.getAttribute("aria-valuenow"), "0");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  assert.equal(await slider.getAttribute("aria-valuenow"), "30");
  await view.getByRole("button", { name: "What it is" }).click();
  await view.getByText("a large red circle above a small blue square on a dark background").waitFor();
  await shot("runs-compare");
  await accessible(page, "comparing");
  await view.getByRole("radio", { name: "Side by side" }).click();
  await shot("runs-sides");
  await view.getByRole("radio", { name: "Difference" }).click();
  await shot("runs-difference");
  await view.getByRole("button", { name: "End the comparison" }).click();
  const zoomed = async () => Number.parseInt(await view.getByRole("status").textContent(), 10);
  await view.getByRole("button", { name: "Actual size" }).click();
  assert.equal(await zoomed(), 100);
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, -500);
  await page.waitForFunction(() => Number.parseInt(document.querySelector(".zoom-tools output").textContent, 10) > 150);
  await page.keyboard.press("Escape");

  // One is deleted for good
  const before = await files.count();
  page.once("dialog", (asked) => void asked.accept());
  await dialog.getByRole("button", { name: "Choose none" }).click();
  await files.nth(0).focus();
  await page.keyboard.press("Delete");
  await page.waitForFunction((count) => document.querySelectorAll('[role="option"].gallery-item').length === count, before - 1);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
}

async function dragging({ page, shot }) {
  await openTemplate(page, /^Image to image/);
  const source = node(page, "Source picture");
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await page.getByRole("button", { name: "Result 1", exact: true }).dragTo(source.getByRole("combobox", { name: "image" }));
  await source.getByRole("combobox", { name: "image" }).getByText("[output]").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await source.getByRole("img").evaluate((image) => image.decode());

  // On the empty canvas it becomes a node of its own
  const count = await page.getByRole("article").count();
  await page.getByRole("button", { name: "Result 1", exact: true }).dragTo(page.getByRole("main"), { targetPosition: { x: 900, y: 640 } });
  await page.waitForFunction((expected) => document.querySelectorAll("article").length === expected, count + 1);
  await page.keyboard.press("Control+z");
  await shot("runs-dragged");
}

/** A picture that is none fails its node while running; the reason stands there, with its trace, also after a reload. */
async function failure({ page, shot }) {
  const source = node(page, "Source picture");
  await source.locator("input[type=file]").setInputFiles({ name: "torn.webp", mimeType: "image/webp", buffer: Buffer.from("no picture") });
  await source.getByRole("combobox", { name: "image" }).getByText("torn.webp").waitFor();
  await run(page).click();
  await source.getByRole("alert").waitFor(RUN_TIME);
  await source.getByRole("button", { name: "Details" }).click();
  await source.getByText("Traceback").waitFor();
  await shot("runs-failed");
  await page.reload();
  await source.getByRole("alert").waitFor();
}

async function device({ page, shot }) {
  await page.getByRole("button", { name: /^Device: / }).click();
  await page.getByRole("dialog", { name: "Device" }).getByText("Memory", { exact: true }).waitFor();
  await shot("runs-device");
  await page.getByRole("dialog", { name: "Device" }).getByRole("button", { name: "Log" }).click();
  const log = page.getByRole("complementary", { name: "Log" });
  await log.getByText(/is done after/).first().waitFor();
  await page.keyboard.press("Escape");
  await shot("runs-log");
  await accessible(page, "the log");
  await page.getByRole("button", { name: "More ways to run" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Run whenever something changes" }).waitFor();
  await shot("runs-ways");
  await page.keyboard.press("Escape");
}

export async function play(tools) {
  const { page } = tools;
  await openTemplate(page, /^Text to image/);
  await type(node(page, "Sampler"), "steps", "150");
  await queue(tools);
  await problems(tools);
  await gallery(tools);
  await dragging(tools);
  await failure(tools);
  await device(tools);
  assert.deepEqual(await order(page).catch(() => []), []);
}
