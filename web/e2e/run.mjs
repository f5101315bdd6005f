/** From an empty page to a picture, in Chromium, against a real server and the embedded model. */

import assert from "node:assert/strict";
import { browserPath, newFolder, removeFolder, shot, startBrowser, startServer } from "./browser.mjs";
import { add, choose, grow, hover, input, link, node, output, type } from "./canvas.mjs";

const RUN_TIME = { timeout: 120_000 };

async function buildTextToImage(page) {
  await add(page, 60, 160, "load checkpoint");
  const checkpoint = node(page, "Load Checkpoint");
  await checkpoint.getByRole("combobox", { name: "ckpt_name" }).click();
  await shot(page, "02-choice");
  await page.getByRole("option", { name: /^darkroom-tiny\.safetensors/ }).click();
  await grow(page, output(checkpoint, "CLIP"), 420, 130, "text encode");
  const prompts = page.getByRole("article", { name: /^CLIP Text Encode/ });
  await prompts.first().getByLabel("text", { exact: true }).fill("a large red circle above a small blue square");
  await grow(page, output(checkpoint, "CLIP"), 420, 420, "clip text encode");
  await page.waitForFunction(() => document.querySelectorAll("article").length === 3);
  await page.mouse.move(700, 700);
  await page.mouse.dblclick(820, 130);
  await shot(page, "03-search");
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

async function steps(page, url, context) {
  await page.goto(url);
  await page.getByText("Nothing here yet").waitFor();
  while (!(await fetch(`${url}/readyz`)).ok) await page.waitForTimeout(200);
  await shot(page, "01-empty");
  const cards = await buildTextToImage(page);
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot(page, "04-built");

  // A wrong link is refused with the reason
  await hover(page, output(cards.checkpoint, "VAE"), input(cards.sampler, "model"));
  await page.getByText("model takes MODEL, not VAE.").waitFor();
  await shot(page, "05-refused");
  await page.mouse.up();

  // Another tab sees the same run
  const other = await context.newPage();
  await other.goto(url);
  await node(other, "KSampler").waitFor();
  await page.bringToFront();

  await page.getByRole("button", { name: "Run", exact: true }).click();
  await cards.sampler.getByRole("progressbar").waitFor(RUN_TIME);
  await cards.sampler.getByRole("img", { name: "Preview" }).waitFor(RUN_TIME);
  await shot(page, "06-running");
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await cards.save.getByRole("img").waitFor();
  await other.getByRole("button", { name: "Result 1" }).waitFor();
  await node(other, "Save Image").getByRole("img").waitFor();
  await other.close();
  await shot(page, "07-done");
  const natural = await page.getByRole("button", { name: "Result 1" }).getByRole("img").evaluate((image) => image.naturalWidth);
  assert.equal(natural, 128);

  await page.getByRole("button", { name: "Result 1" }).click();
  await page.getByRole("dialog", { name: "Full view" }).waitFor();
  await shot(page, "08-full-view");
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
  await shot(page, "09-problems");
  await page.keyboard.press("Control+z");
  await page.getByText("Everything is in order.").waitFor();

  // Save, reload, and the list of shortcuts
  await page.keyboard.press("Control+s");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("first");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("tab", { name: "first", exact: true }).waitFor();
  await page.reload();
  await page.waitForFunction((expected) => document.querySelectorAll("article").length === expected, before);
  await page.getByRole("button", { name: "Change theme" }).click();
  await shot(page, "10-light");
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await shot(page, "11-shortcuts");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Change theme" }).click();
}

async function templatesAndFiles(page) {
  await page.getByLabel("Workflow", { exact: true }).first().click();
  await page.getByRole("menuitem", { name: "Templates…" }).click();
  await page.getByRole("button", { name: /^Inpaint/ }).first().waitFor();
  await shot(page, "12-templates");
  await page.getByRole("dialog", { name: "Templates" }).getByRole("button", { name: /^Image to image/ }).click();
  const source = node(page, "Source picture");
  await source.locator("input[type=file]").setInputFiles({ name: "mine.png", mimeType: "image/png", buffer: await pictureOf(page) });
  await source.getByRole("combobox", { name: "image" }).getByText("mine.png").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot(page, "13-uploaded");

  // A picture opens the workflow that made it
  await drop(page, "result.png", "image/png", await pictureOf(page));
  await page.getByRole("tab", { name: "result", exact: false }).waitFor();
  await node(page, "KSampler").waitFor();
  assert.equal(await page.getByRole("article").count(), 7);
}

/** The bytes of the first result. */
async function pictureOf(page) {
  const source = await page.getByRole("button", { name: "Result 1" }).getByRole("img").getAttribute("src");
  return Buffer.from(await (await fetch(new URL(source, page.url()))).arrayBuffer());
}

async function drop(page, name, type, bytes) {
  await page.getByRole("main").evaluate(
    (main, file) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(file.bytes)], file.name, { type: file.type }));
      main.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    },
    { name, type, bytes: [...bytes] },
  );
}

/** The server goes and comes back; what is edited meanwhile stays, and runs go on. */
async function restart(page, server, folder) {
  await server.stop();
  await page.getByText("No connection").waitFor();
  await node(page, "KSampler").getByLabel("steps", { exact: true }).fill("4");
  await page.keyboard.press("Enter");
  await shot(page, "14-offline");
  const again = await startServer(folder, new URL(server.url).port);
  await page.getByText("No connection").waitFor({ state: "hidden", timeout: 30_000 });
  assert.equal(await node(page, "KSampler").getByLabel("steps", { exact: true }).inputValue(), "4");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 2" }).waitFor(RUN_TIME);
  return again;
}

async function main() {
  if (!browserPath()) {
    console.log("There is no Chromium here: the editor's test in the browser is left out.");
    return;
  }
  const folder = newFolder();
  let server = await startServer(folder);
  const browser = await startBrowser();
  const page = browser.context.pages()[0] ?? (await browser.context.newPage());
  try {
    await steps(page, server.url, browser.context);
    await templatesAndFiles(page);
    assert.deepEqual(browser.complaints, []);
    server = await restart(page, server, folder);
    console.log("The editor works in the browser: built, ran, undid, saved, opened files, outlived a restart.");
  } catch (error) {
    await shot(page, "failed").catch(() => undefined);
    console.log(browser.complaints.join("\n"));
    throw error;
  } finally {
    await browser.stop();
    await server.stop();
    removeFolder(folder);
  }
}

await main();
