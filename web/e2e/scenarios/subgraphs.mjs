/** A workflow of ComfyUI's editor with a subgraph: gone into, changed, run, undone and given back. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { drop, input, link, node, output, type } from "../canvas.mjs";

export const title = "Subgraphs are shown, edited inside, run, undone and given back to ComfyUI's editor";

const RUN_TIME = { timeout: 120_000 };
const DRAW = "7b1c2f4e-52d1-4c7b-9b9e-0d0f3a6a1c11";

const slot = (name, kind, number, widget = false) => ({ name, type: kind, link: number, ...(widget ? { widget: { name } } : {}) });
const drawn = (id, kind, x, inputs, outputs, values, more = {}) => ({
  id,
  type: kind,
  pos: [x, id * 40],
  size: [260, 120],
  flags: {},
  order: id,
  mode: 0,
  inputs,
  outputs: outputs.map((name) => ({ name, type: name, links: [] })),
  properties: {},
  widgets_values: values,
  ...more,
});
const wire = (id, from, output, to, input, kind) => ({ id, origin_id: from, origin_slot: output, target_id: to, target_slot: input, type: kind });
const OUTSIDE = [
  ["model", "MODEL"],
  ["positive", "CONDITIONING"],
  ["negative", "CONDITIONING"],
  ["latent_image", "LATENT"],
  ["vae", "VAE"],
  ["steps", "INT"],
];

/** Sampling and decoding, with the number of steps shown outside. */
const definition = {
  id: DRAW,
  version: 1,
  revision: 0,
  name: "Draw",
  config: {},
  state: { lastGroupId: 0, lastNodeId: 2, lastLinkId: 8, lastRerouteId: 0 },
  inputNode: { id: -10, bounding: [-260, 0, 120, 160] },
  outputNode: { id: -20, bounding: [760, 0, 120, 60] },
  inputs: OUTSIDE.map(([name, kind], place) => ({ id: `7b1c2f4e-52d1-4c7b-9b9e-0d0f3a6a1c2${place}`, name, type: kind, linkIds: [] })),
  outputs: [{ id: "7b1c2f4e-52d1-4c7b-9b9e-0d0f3a6a1c31", name: "IMAGE", type: "IMAGE", linkIds: [8] }],
  widgets: [],
  nodes: [
    drawn(
      1,
      "KSampler",
      0,
      [slot("model", "MODEL", 1), slot("positive", "CONDITIONING", 2), slot("negative", "CONDITIONING", 3), slot("latent_image", "LATENT", 4), slot("steps", "INT", 6, true)],
      ["LATENT"],
      [7, "fixed", 20, 5, "dpmpp_2m", "karras", 1],
      { title: "Sampler" },
    ),
    drawn(2, "VAEDecode", 420, [slot("samples", "LATENT", 7), slot("vae", "VAE", 5)], ["IMAGE"], [], { title: "Develop" }),
  ],
  groups: [],
  links: [
    wire(1, -10, 0, 1, 0, "MODEL"),
    wire(2, -10, 1, 1, 1, "CONDITIONING"),
    wire(3, -10, 2, 1, 2, "CONDITIONING"),
    wire(4, -10, 3, 1, 3, "LATENT"),
    wire(5, -10, 4, 2, 1, "VAE"),
    wire(6, -10, 5, 1, 4, "INT"),
    wire(7, 1, 0, 2, 0, "LATENT"),
    wire(8, 2, 0, -20, 0, "IMAGE"),
  ],
  extra: {},
};

const WORKFLOW = {
  last_node_id: 7,
  last_link_id: 9,
  nodes: [
    drawn(1, "CheckpointLoaderSimple", 0, [], ["MODEL", "CLIP", "VAE"], ["darkroom-tiny.safetensors"], { title: "Checkpoint" }),
    drawn(2, "CLIPTextEncode", 320, [slot("clip", "CLIP", 1)], ["CONDITIONING"], ["a large red circle on a dark background"], { title: "Prompt" }),
    drawn(3, "CLIPTextEncode", 320, [slot("clip", "CLIP", 2)], ["CONDITIONING"], [""], { title: "Negative prompt", pos: [320, 420] }),
    drawn(4, "EmptyLatentImage", 0, [], ["LATENT"], [128, 128, 1], { title: "Size", pos: [0, 420] }),
    drawn(5, DRAW, 720, OUTSIDE.map(([name, kind], place) => slot(name, kind, place < 5 ? place + 3 : null, kind === "INT")), ["IMAGE"], [4]),
    drawn(6, "SaveImage", 1080, [slot("images", "IMAGE", 8)], [], ["subgraph"], { title: "Save" }),
  ],
  links: [
    [1, 1, 1, 2, 0, "CLIP"],
    [2, 1, 1, 3, 0, "CLIP"],
    [3, 1, 0, 5, 0, "MODEL"],
    [4, 2, 0, 5, 1, "CONDITIONING"],
    [5, 3, 0, 5, 2, "CONDITIONING"],
    [6, 4, 0, 5, 3, "LATENT"],
    [7, 1, 2, 5, 4, "VAE"],
    [8, 5, 0, 6, 0, "IMAGE"],
  ],
  groups: [],
  definitions: { subgraphs: [definition] },
  config: {},
  extra: {},
  version: 0.4,
};

const path = (page) => page.getByRole("navigation", { name: "Where this canvas lies" });
const out = (page) => page.getByRole("button", { name: "Go out" }).click();
const cfg = (page) => node(page, "Sampler").getByLabel("cfg", { exact: true });

async function open({ page, shot }) {
  await drop(page, "draw.json", "application/json", Buffer.from(JSON.stringify(WORKFLOW)));
  const draw = node(page, "Draw");
  await draw.waitFor();
  assert.equal(await draw.getByLabel("steps", { exact: true }).inputValue(), "4");
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot("subgraphs-outside");
}

async function goInside({ page, shot }) {
  await node(page, "Draw").getByRole("button", { name: "Go inside Draw" }).click();
  await path(page).getByText("Draw").waitFor();
  await node(page, "Sampler").waitFor();
  await type(node(page, "Sampler"), "cfg", "4");
  await link(page, output(node(page, "Sampler"), "LATENT"), input(node(page, "Outputs"), "+"));
  await node(page, "Outputs").getByRole("button", { name: "Rename LATENT" }).waitFor();
  await shot("subgraphs-inside");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  await node(page, "Develop").getByText(/\d s|ms/).first().waitFor();
  await shot("subgraphs-ran-inside");
}

async function comeOut({ page, shot }) {
  await out(page);
  await path(page).waitFor({ state: "detached" });
  await node(page, "Draw").getByText(/\d s|ms/).first().waitFor();
  await output(node(page, "Draw"), "LATENT").waitFor();
  await shot("subgraphs-ran-outside");
}

/** Undone outside is what was done inside. */
async function undo({ page }) {
  await page.keyboard.press("Control+z");
  await output(node(page, "Draw"), "LATENT").waitFor({ state: "detached" });
  await page.keyboard.press("Control+z");
  await node(page, "Draw").dblclick({ position: { x: 120, y: 60 } });
  await node(page, "Sampler").waitFor();
  assert.equal(Number(await cfg(page).inputValue()), 5);
  await page.keyboard.press("Control+Shift+z");
  assert.equal(Number(await cfg(page).inputValue()), 4);
  await page.keyboard.press("Alt+ArrowUp");
  await node(page, "Save").waitFor();
}

async function foldAndReroute({ page, shot }) {
  await node(page, "Prompt").getByRole("heading").click();
  await node(page, "Negative prompt").getByRole("heading").click({ modifiers: ["Shift"] });
  await page.keyboard.press("Shift+G");
  await node(page, "New subgraph").waitFor();
  await page.getByRole("button", { name: "No problems" }).waitFor();
  await shot("subgraphs-folded");
  await page.keyboard.press("Shift+U");
  await node(page, "Negative prompt").waitFor();
  await node(page, "New subgraph").waitFor({ state: "detached" });
  await page.keyboard.press("R");
  await page.getByRole("group", { name: "Reroute node" }).waitFor();
  await page.keyboard.press("Control+z");
}

async function giveBack({ page }) {
  await page.getByLabel("Workflow", { exact: true }).first().click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "Export as ComfyUI workflow", exact: true }).click(),
  ]);
  const written = JSON.parse(readFileSync(await download.path(), "utf8"));
  const [back] = written.definitions.subgraphs;
  const instance = written.nodes.find((item) => item.type === DRAW);
  assert.deepEqual([back.id, back.name, back.inputs.map(({ name }) => name)], [DRAW, "Draw", OUTSIDE.map(([name]) => name)]);
  assert.deepEqual(back.nodes.map(({ title }) => title), ["Sampler", "Develop"]);
  assert.equal(back.nodes[0].widgets_values[3], 4);
  assert.deepEqual(instance.widgets_values, [4]);
  assert.equal(back.links.length, definition.links.length);
}

export async function play(tools) {
  await open(tools);
  await goInside(tools);
  await comeOut(tools);
  await undo(tools);
  await foldAndReroute(tools);
  await giveBack(tools);
}
