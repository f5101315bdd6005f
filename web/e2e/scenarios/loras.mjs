/** LoRAs in a prompt: chosen while writing, and made nodes of words that other programs write. */

import assert from "node:assert/strict";
import { add, drop, node } from "../canvas.mjs";
import { link, pictureNodes } from "../workflow.mjs";

export const title = "LoRAs chosen in a prompt become nodes";

const WORKFLOW = {
  format: "darkroom/1",
  nodes: {
    ...pictureNodes("a red circle", 64, { steps: 2 }),
    save: { type: "SaveImage", inputs: { images: link("decode", "IMAGE"), filename_prefix: "loras" } },
  },
  layout: { checkpoint: [0, 0], positive: [340, 0], negative: [340, 420], latent: [340, 640], sampler: [720, 0], decode: [720, 400], save: [1060, 0] },
};

async function saved(page, url) {
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as loras.").waitFor();
  return (await (await fetch(`${url}/api/v1/workflows/loras`)).json()).nodes;
}

const ends = (nodes, id, name) => nodes[id].inputs[name].link.join(" ");

/** In an empty workflow a checkpoint that makes pictures by itself, not the refiner that the names begin with. */
async function begin(page) {
  await page.getByText("Nothing here yet").waitFor();
  await add(page, 300, 700, "load checkpoint");
  await node(page, "Load Checkpoint").getByText("darkroom-tiny.safetensors", { exact: true }).waitFor();
  await page.keyboard.press("Control+z");
  await node(page, "Load Checkpoint").waitFor({ state: "detached" });
}

export async function play({ page, url, shot }) {
  await begin(page);
  await drop(page, "loras.json", "application/json", Buffer.from(JSON.stringify(WORKFLOW)));
  const text = node(page, "Prompt").getByRole("textbox", { name: "text", exact: true });
  const loader = node(page, "Load LoRA");
  await text.press("End");
  await text.pressSequentially(", <lora:sty");
  const option = page.getByRole("listbox", { name: "Names that fit" }).getByRole("option", { name: /darkroom-tiny-style/ });
  await option.getByText(/LoRA · .+B/).waitFor();
  await shot("loras-completion");
  await text.press("Enter");
  await loader.waitFor();
  await page.getByText(/^A node loads darkroom-tiny-style\.safetensors now/).waitFor();
  assert.equal(await text.inputValue(), "a red circle, ");
  await shot("loras-node");

  await text.press("Control+z");
  await loader.waitFor({ state: "detached" });
  assert.equal(await text.inputValue(), "a red circle, <lora:sty");

  await text.fill("a red circle <lora:Darkroom-Tiny-Style:0.5>");
  await page.getByRole("button", { name: "Make it a Load LoRA node" }).first().click();
  await loader.waitFor();
  assert.equal(await text.inputValue(), "a red circle");
  await text.press("End");
  await text.pressSequentially(" <sty");
  await option.waitFor();
  await text.press("Tab");
  await page.getByText("is loaded already, by Load LoRA.").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("main").focus();
  const nodes = await saved(page, url);
  const [id] = Object.keys(nodes).filter((key) => nodes[key].type === "LoraLoader");
  assert.deepEqual([nodes[id].inputs.strength_model, nodes[id].inputs.strength_clip], [0.5, 0.5]);
  assert.deepEqual([ends(nodes, "sampler", "model"), ends(nodes, "positive", "clip"), ends(nodes, "negative", "clip")], [`${id} MODEL`, `${id} CLIP`, `${id} CLIP`]);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor({ timeout: 180_000 });
}
