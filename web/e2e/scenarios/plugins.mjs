/** Plugins: the example's node, slider, colour, sampler and route; plugins and modules that fail are told of. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drop, grow, middleOf, node, output, pictureOf } from "../canvas.mjs";
import { pictureNodes } from "../workflow.mjs";

export const title = "A plugin's node, widget and route, and plugins that fail";

const RUN_TIME = { timeout: 60_000 };
const EXAMPLE = join(import.meta.dirname, "../../../custom_nodes/example");

export function prepare(folder) {
  const plugins = join(folder, "custom_nodes");
  cpSync(EXAMPLE, join(plugins, "example"), { recursive: true });
  mkdirSync(join(plugins, "broken"));
  writeFileSync(join(plugins, "broken", "plugin.toml"), 'name = "broken"\nversion = "0.1.0"\n');
  writeFileSync(join(plugins, "broken", "nodes.py"), 'raise RuntimeError("no luck with this one")\n');
  mkdirSync(join(plugins, "halfway", "web"), { recursive: true });
  writeFileSync(join(plugins, "halfway", "plugin.toml"), 'name = "halfway"\nversion = "0.1.0"\nweb_modules = ["dial.js"]\n');
  writeFileSync(join(plugins, "halfway", "web", "dial.js"), 'export default () => { throw new Error("no dial today"); };\n');
}

const WORKFLOW = {
  format: "darkroom/1",
  nodes: pictureNodes("a large white circle", 128, { sampler_name: "example_midpoint", scheduler: "example_cosine" }),
  layout: { checkpoint: [0, 0], latent: [0, 220], positive: [320, 0], negative: [320, 220], sampler: [660, 0], decode: [660, 420] },
};

/** The node and what it is linked with, by search. */
async function build({ page, shot }) {
  await drop(page, "tinted.json", "application/json", Buffer.from(JSON.stringify(WORKFLOW)));
  const decode = node(page, "VAE Decode");
  await decode.waitFor();
  await grow(page, output(decode, "IMAGE"), 1150, 160, "tint");
  const tint = node(page, "Tint");
  await grow(page, output(tint, "IMAGE"), 1150, 560, "save image");
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot("70-plugin-node");
  return tint;
}

async function change({ page, shot }, tint) {
  const [x, y] = await middleOf(tint.getByText("amount", { exact: true }));
  const amount = tint.getByRole("spinbutton", { name: "amount" });
  assert.equal(await amount.inputValue(), "0.3");
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 200, y, { steps: 5 });
  await page.mouse.move(x + 400, y, { steps: 5 });
  await page.mouse.up();
  assert.equal(await amount.inputValue(), "1.0");
  const colour = tint.getByRole("group", { name: "colour" }).getByLabel("colour");
  assert.equal(await colour.inputValue(), "#ffcc80");
  await colour.fill("#ff0000");
  await shot("71-plugin-colour");
  await page.keyboard.press("Control+z");
  assert.equal(await colour.inputValue(), "#ffcc80");
  await page.keyboard.press("Control+Shift+z");
  assert.equal(await colour.inputValue(), "#ff0000");
}

async function runIt({ page, shot }, tint) {
  await tint.evaluate((card) => {
    const look = () => {
      if (card.querySelector("img[alt=Preview]")) card.dataset.shown = "yes";
    };
    new MutationObserver(look).observe(card, { subtree: true, childList: true });
  });
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await page.locator("article[data-shown=yes]").waitFor();
  await shot("72-plugin-result");
  const [red, green, blue] = await means(page, await pictureOf(page));
  assert.ok(red > 20 && green === 0 && blue === 0, `red ${red}, green ${green}, blue ${blue}`);
}

/** The mean of each colour of a picture. */
const means = (page, bytes) =>
  page.evaluate(async (data) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(data)]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    return [0, 1, 2].map((channel) => pixels.filter((_, at) => at % 4 === channel).reduce((sum, value) => sum + value, 0) / (pixels.length / 4));
  }, [...bytes]);

async function callRoute({ url }) {
  const reply = await fetch(`${url}/plugins/example/finished`);
  assert.equal(reply.status, 200);
  assert.deepEqual(await reply.json(), { done: 1 });
}

async function openAbout(page) {
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Commands and workflows" }).fill("about");
  await page.keyboard.press("Enter");
  return page.getByRole("dialog", { name: "About Darkroom" });
}

async function readTroubles({ page, url, shot }) {
  const about = await openAbout(page);
  const broken = about.getByRole("listitem").filter({ hasText: "broken" });
  await broken.getByText("RuntimeError: no luck with this one.", { exact: true }).waitFor();
  await broken.getByText("Details", { exact: true }).click();
  await broken.getByText(/Traceback[^]*RuntimeError: no luck with this one/).waitFor();
  await about.getByRole("listitem").getByText("The plugin module /plugins/halfway/dial.js did not load: no dial today").waitFor();
  await shot("73-plugin-troubles");
  await about.getByRole("button", { name: "Turn off example" }).click();
  await about.getByRole("button", { name: "Turn on example" }).waitFor();
  await shot("74-plugin-off");
  const hasTint = async () => (await (await fetch(`${url}/api/v1/nodes`)).json()).nodes.some(({ id }) => id.endsWith("Tint"));
  while (await hasTint()) await page.waitForTimeout(200);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^[1-9]\d* problems?/ }).waitFor(RUN_TIME);
  await shot("75-plugin-missed");
  await (await openAbout(page)).getByRole("button", { name: "Turn on example" }).click();
  while (!(await hasTint())) await page.waitForTimeout(200);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "No problems" }).waitFor(RUN_TIME);
}

export async function play(tools) {
  const { page } = tools;
  await page.getByText("Plugin broken could not be loaded. See About.").waitFor();
  await page.getByText("Nothing here yet").waitFor();
  const tint = await build(tools);
  await change(tools, tint);
  await runIt(tools, tint);
  await callRoute(tools);
  await readTroubles(tools);
}
