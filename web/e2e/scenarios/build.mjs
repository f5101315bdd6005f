/** From an empty page to a picture: built by search and links, run, undone, saved, restored; outlives a restart. */

import assert from "node:assert/strict";
import { add, choose, drop, grow, hover, input, link, node, output, pictureOf, type } from "../canvas.mjs";

export const title = "A picture from an empty page";

const RUN_TIME = { timeout: 120_000 };

async function buildTextToImage(page, shot) {
  await add(page, 60, 160, "load checkpoint");
  const checkpoint = node(page, "Load Checkpoint");
  await checkpoint.getByRole("combobox", { name: "ckpt_name" }).click();
  await shot("02-choice");
  await page.getByRole("option", { name: /^darkroom-tiny\.safetensors/ }).click();
  await grow(page, output(checkpoint, "CLIP"), 420, 130, "text encode");
  const prompts = page.getByRole("article", { name: /^CLIP Text Encode/ });
  await prompts.first().getByLabel("text", { exact: true }).fill("a large red circle above a small blue square");
  await grow(page, output(checkpoint, "CLIP"), 420, 420, "clip text encode");
  await page.waitForFunction(() => document.querySelectorAll("article").length === 3);
  await page.mouse.move(700, 700);
  await page.mouse.dblclick(820, 130);
  await shot("03-search");
  await choose(page, "ksampler");
  const sampler = node(page, "KSampler");
  await link(page, output(checkpoint, "MODEL"), input(sampler, "model"));
  await link(page, output(prompts.nth(0), "CONDITIONING"), input(sampler, "positive"));
  await link(page, output(prompts.nth(1), "CONDITIONING"), input(sampler, "negative"));
  await grow(page, input(sampler, "latent_image"), 420, 660, "empty latent");
  const latent = node(page, "Empty Latent Image");
  await type(latent, "width", "128");
  await type(latent, "height", "128");
  await type(sampler, "steps", "240");
  await grow(page, output(sampler, "LATENT"), 1150, 160, "vae decode");
  const decode = node(page, "VAE Decode");
  await link(page, output(checkpoint, "VAE"), input(decode, "vae"));
  await grow(page, output(decode, "IMAGE"), 1150, 340, "save image");
  return { checkpoint, sampler, decode, save: node(page, "Save Image") };
}

/** What was just added and is not linked yet is to do, not wrong, until it is to run. */
async function beginCalmly(page, shot) {
  await add(page, 620, 300, "ksampler");
  const sampler = node(page, "KSampler");
  await page.getByRole("button", { name: /^\d+ to do$/ }).click();
  const panel = page.getByRole("complementary", { name: "Problems" });
  await panel.getByRole("button", { name: "Show KSampler" }).waitFor();
  assert.equal(await page.locator(".has-problem, .socket.wrong, .trouble").count(), 0);
  await shot("00-to-do");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: /^\d+ problems$/ }).waitFor();
  await sampler.getByText(/^input model: /).waitFor();
  await shot("00-tried");
  await page.getByRole("button", { name: /^\d+ problems$/ }).click();
  await panel.waitFor({ state: "detached" });
  await sampler.getByRole("heading").click();
  await page.keyboard.press("Delete");
  await sampler.waitFor({ state: "detached" });
}

async function compose({ page, url, context, complaints, shot }) {
  await page.getByText("Nothing here yet").waitFor();
  await shot("01-empty");
  await beginCalmly(page, shot);
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("400")));
  const cards = await buildTextToImage(page, shot);
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot("04-built");

  // A wrong link is refused with the reason
  await hover(page, output(cards.checkpoint, "VAE"), input(cards.sampler, "model"));
  await page.getByText("model takes MODEL, not VAE.").waitFor();
  await shot("05-refused");
  await page.mouse.up();

  // Another tab sees the same run
  const other = await context.newPage();
  await other.goto(url);
  await node(other, "KSampler").waitFor();
  await page.bringToFront();

  await page.getByRole("button", { name: "Run", exact: true }).click();
  await cards.sampler.getByRole("progressbar").waitFor(RUN_TIME);
  await cards.sampler.getByRole("img", { name: "Preview" }).waitFor(RUN_TIME);
  await shot("06-running");
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await cards.save.getByRole("img").waitFor();
  await other.getByRole("button", { name: "Result 1" }).waitFor();
  await node(other, "Save Image").getByRole("img").waitFor();
  await other.close();
  await shot("07-done");
  const natural = await page.getByRole("button", { name: "Result 1" }).getByRole("img").evaluate((image) => image.naturalWidth);
  assert.equal(natural, 128);

  await page.getByRole("button", { name: "Result 1" }).click();
  await page.getByRole("dialog", { name: "Full view" }).waitFor();
  await shot("08-full-view");
  await page.keyboard.press("Escape");

  // Undo all the way, and redo
  const count = () => page.getByRole("article").count();
  const before = await count();
  const undo = page.getByRole("button", { name: "Undo" });
  while (await undo.isEnabled()) await undo.click();
  assert.equal(await count(), 0);
  const redo = page.getByRole("button", { name: "Redo" });
  while (await redo.isEnabled()) await redo.click();
  assert.equal(await count(), before);

  // What is wrong is said on the node and in the panel
  await node(page, "Load Checkpoint").getByRole("heading").click();
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: /^\d+ problems?$/ }).click();
  await page.getByRole("complementary", { name: "Problems" }).getByRole("listitem").first().waitFor();
  await shot("09-problems");
  await page.keyboard.press("Control+z");
  await page.getByText("Everything is in order.").waitFor();

  // Save, reload, and the list of shortcuts
  await page.keyboard.press("Control+s");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("first");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("tab", { name: "first", exact: true }).waitFor();
  await page.reload();
  await page.waitForFunction((expected) => document.querySelectorAll("article").length === expected, before);
  for (const name of ["Undo", "Redo"]) {
    await page.getByRole("button", { name: new RegExp(`^${name}`) }).and(page.locator(":enabled")).click();
  }
  await page.getByRole("tab", { name: "first", exact: true }).waitFor();
  await page.getByRole("button", { name: "Change theme" }).click();
  await shot("10-light");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await shot("11-shortcuts");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Change theme" }).click();
}

async function templatesAndFiles({ page, shot }) {
  await page.getByLabel("Workflow", { exact: true }).first().click();
  await page.getByRole("menuitem", { name: "Templates…" }).click();
  await page.getByRole("button", { name: /^Inpaint/ }).first().waitFor();
  await shot("12-templates");
  await page.getByRole("dialog", { name: "Templates" }).getByRole("button", { name: /^Image to image/ }).click();
  const source = node(page, "Source picture");
  await source.locator("input[type=file]").setInputFiles({ name: "mine.png", mimeType: "image/png", buffer: await pictureOf(page) });
  await source.getByRole("combobox", { name: "image" }).getByText("mine.png").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot("13-uploaded");

  // A picture opens the workflow that made it
  await drop(page, "result.png", "image/png", await pictureOf(page));
  await page.getByRole("tab", { name: "result", exact: false }).waitFor();
  await node(page, "KSampler").waitFor();
  assert.equal(await page.getByRole("article").count(), 7);
}

/** The server goes and comes back; what is edited meanwhile stays, and runs go on. */
async function outliveRestart({ page, stopServer, startServer, shot }) {
  await stopServer();
  await page.getByText("No connection").waitFor();
  await node(page, "KSampler").getByLabel("steps", { exact: true }).fill("4");
  await page.keyboard.press("Enter");
  await shot("14-offline");
  await startServer();
  await page.getByText("No connection").waitFor({ state: "hidden", timeout: 30_000 });
  assert.equal(await node(page, "KSampler").getByLabel("steps", { exact: true }).inputValue(), "4");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 2" }).waitFor(RUN_TIME);
}

export async function play(tools) {
  await compose(tools);
  await templatesAndFiles(tools);
  await outliveRestart(tools);
}
