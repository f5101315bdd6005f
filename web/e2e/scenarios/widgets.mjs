/** Widgets: a picture uploaded, masked and repainted; numbers, prompts, seeds; a plugin's own widget. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { choose, drop, middleOf, node } from "../canvas.mjs";

export const title = "Widgets, a painted mask and a plugin's widget";

const RUN_TIME = { timeout: 180_000 };
const SIDE = 128;

const PACK = `
WEB_DIRECTORY = "web"
WEB_MODULES = ["broken.js", "hue.js"]
class HueAngle:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"hue": ("HUE", {"default": 90})}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"
    CATEGORY = "tiny"
    def run(self, hue):
        return (hue,)
NODE_CLASS_MAPPINGS = {"HueAngle": HueAngle}
NODE_DISPLAY_NAME_MAPPINGS = {"HueAngle": "Hue Angle"}
`;
const HUE = `export default (editor) => editor.widget("HUE", (element, { value, set, input }) => {
  const field = document.createElement("input");
  Object.assign(field, { type: "range", min: 0, max: 360, value, ariaLabel: input.name + " slider" });
  field.addEventListener("input", () => set(Number(field.value)));
  element.append(field);
  return { update: (next) => { field.value = next; }, unmount: () => field.remove() };
}, { height: 40 });
`;

export function prepare(folder) {
  const pack = join(folder, "custom_nodes", "tiny-hue");
  mkdirSync(join(pack, "web"), { recursive: true });
  writeFileSync(join(pack, "__init__.py"), PACK);
  writeFileSync(join(pack, "web", "hue.js"), HUE);
  writeFileSync(join(pack, "web", "broken.js"), 'export default () => { throw new Error("no luck today"); };\n');
}

const link = (id, output) => ({ link: [id, output] });
const WORKFLOW = {
  format: "darkroom/1",
  nodes: {
    picture: { type: "LoadImage", inputs: { image: "darkroom-scene.png" }, title: "Source picture" },
    checkpoint: { type: "CheckpointLoaderSimple", inputs: { ckpt_name: "darkroom-tiny.safetensors" } },
    positive: { type: "CLIPTextEncode", inputs: { text: "a red circle", clip: link("checkpoint", "CLIP") }, title: "Prompt" },
    negative: { type: "CLIPTextEncode", inputs: { text: "", clip: link("checkpoint", "CLIP") }, title: "Negative" },
    encode: { type: "VAEEncode", inputs: { pixels: link("picture", "IMAGE"), vae: link("checkpoint", "VAE") } },
    masked: { type: "SetLatentNoiseMask", inputs: { samples: link("encode", "LATENT"), mask: link("picture", "MASK") } },
    sampler: {
      type: "KSampler",
      inputs: {
        model: link("checkpoint", "MODEL"), positive: link("positive", "CONDITIONING"), negative: link("negative", "CONDITIONING"),
        latent_image: link("masked", "LATENT"), seed: 7, steps: 6, cfg: 5.0, sampler_name: "euler", scheduler: "normal", denoise: 1.0,
      },
      title: "Sampler",
      seed_control: { seed: "decrement" },
    },
    decode: { type: "VAEDecode", inputs: { samples: link("sampler", "LATENT"), vae: link("checkpoint", "VAE") } },
    joined: {
      type: "ImageCompositeMasked",
      inputs: { destination: link("picture", "IMAGE"), source: link("decode", "IMAGE"), mask: link("picture", "MASK"), x: 0, y: 0, resize_source: false },
    },
    save: { type: "SaveImage", inputs: { images: link("joined", "IMAGE"), filename_prefix: "widgets" } },
  },
  layout: {
    picture: [0, 0], checkpoint: [0, 420], positive: [340, 0], negative: [340, 220], encode: [340, 420], masked: [340, 540],
    sampler: [720, 0], decode: [720, 400], joined: [1060, 0], save: [1060, 300],
  },
};

/** The bytes of a picture with a pattern of its own in every pixel. */
const pattern = (page) =>
  page.evaluate(async (side) => {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    for (let at = 0; at < side * side; at += 1) image.data.set([(at * 7) % 256, (at >> 7) * 2, (at * 3) % 256, 255], at * 4);
    context.putImageData(image, 0, 0);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  }, SIDE);

const pixelsOf = (page, url) =>
  page.evaluate(async (address) => {
    const bitmap = await createImageBitmap(await (await fetch(address)).blob());
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(0, 0, bitmap.width, bitmap.height).data];
  }, url);

async function paint({ page, shot }) {
  const source = node(page, "Source picture");
  await source.locator("input[type=file]").setInputFiles({ name: "mine.png", mimeType: "image/png", buffer: Buffer.from(await pattern(page)) });
  await source.getByRole("combobox", { name: "image" }).getByText("mine.png", { exact: true }).waitFor();
  await source.getByRole("button", { name: "Paint a mask" }).click();
  const dialog = page.getByRole("dialog", { name: "Mask of mine.png" });
  const area = dialog.getByRole("application", { name: "Painting area" });
  const [x, y] = await middleOf(area);
  await dialog.getByRole("radio", { name: "Rectangle" }).check({ force: true });
  await page.mouse.move(x - 120, y - 120);
  await page.mouse.down();
  await page.mouse.move(x + 120, y + 120, { steps: 5 });
  await page.mouse.up();
  await dialog.getByText(/^2\d\.\d % masked$/).waitFor();
  await area.focus();
  await page.keyboard.press("Control+z");
  await dialog.getByText("0.0 % masked").waitFor();
  await page.keyboard.press("Control+y");
  await page.keyboard.press("b");
  await page.mouse.move(x - 60, y + 130);
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 130, { steps: 8 });
  await page.mouse.up();
  await page.keyboard.press("]");
  await shot("14-mask");
  await dialog.getByRole("button", { name: "Use this mask" }).click();
  await source.getByRole("combobox", { name: "image" }).getByText("masked/mine.png").waitFor();
  await dialog.waitFor({ state: "hidden" });
}

/** The picture under the mask is new, all else is as it was, to the bit. */
async function compare({ page, url }) {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Result 1" }).waitFor(RUN_TIME);
  const [saved] = (await (await fetch(`${url}/api/v1/assets?kind=output&limit=1`)).json()).assets;
  const made = await pixelsOf(page, saved.url);
  const [old, mask] = [await pixelsOf(page, "/api/v1/files/input?name=mine.png"), await pixelsOf(page, "/api/v1/files/input?name=masked/mine.png")];
  let [outside, inside, changed] = [0, 0, 0];
  for (let at = 0; at < old.length; at += 4) {
    const isSame = [0, 1, 2].every((channel) => made[at + channel] === old[at + channel]);
    if (mask[at + 3] === 255) {
      assert.ok(isSame, `pixel ${at / 4} outside of the mask changed`);
      outside += 1;
    } else if (mask[at + 3] === 0) [inside, changed] = [inside + 1, changed + (isSame ? 0 : 1)];
  }
  assert.ok(inside > 3000 && outside > 8000 && changed > inside * 0.95, `${inside} masked, ${changed} changed, ${outside} not masked`);
}

async function write({ page, shot }) {
  const text = node(page, "Prompt").getByRole("textbox", { name: "text", exact: true });
  await text.fill("a {red|blue} circle, ");
  await text.press("End");
  await text.pressSequentially("embedding:dar");
  const found = page.getByRole("listbox", { name: "Names that fit" });
  await found.getByRole("option", { name: /darkroom-tiny-tree/ }).waitFor();
  await shot("15-completion");
  await text.press("Enter");
  assert.equal(await text.inputValue(), "a {red|blue} circle, embedding:darkroom-tiny-tree");
  await text.press("Control+Home");
  await text.press("Control+ArrowUp");
  assert.equal(await text.inputValue(), "(a:1.1) {red|blue} circle, embedding:darkroom-tiny-tree");
  await text.press("Control+/");
  assert.match(await text.inputValue(), /^\/\/ \(a:1\.1\)/);
  await text.press("Control+/");
  await node(page, "Prompt").getByText(/^\d+ tokens$/).waitFor();
}

async function count({ page, shot }) {
  const sampler = node(page, "Sampler");
  const steps = sampler.getByRole("spinbutton", { name: "steps" });
  await steps.fill("2*8");
  await steps.press("Enter");
  assert.equal(await steps.inputValue(), "16");
  const [x, y] = await middleOf(sampler.getByText("steps", { exact: true }));
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 25, y, { steps: 5 });
  await page.mouse.move(x + 50, y, { steps: 5 });
  await page.mouse.up();
  assert.equal(await steps.inputValue(), "26");
  await page.mouse.dblclick(x, y);
  assert.equal(await steps.inputValue(), "20");
  await steps.fill("99999");
  await steps.press("Enter");
  await sampler.getByText("At most 10000").waitFor();
  await steps.press("Control+z");
  const seed = sampler.getByRole("textbox", { name: "seed", exact: true });
  assert.equal(await seed.inputValue(), "6"); // one less than 7, by the run
  await sampler.getByRole("button", { name: "Seeds of the last runs" }).click();
  await page.getByRole("button", { name: "Use 6" }).waitFor();
  await shot("16-seeds");
  await page.keyboard.press("Escape");
}

async function plugIn({ page, url, shot }) {
  await page.keyboard.press("Escape");
  await page.mouse.dblclick(30, 660);
  await choose(page, "hue angle");
  const card = node(page, "Hue Angle");
  const slider = card.getByRole("group", { name: "hue" }).getByRole("slider", { name: "hue slider" });
  assert.equal(await slider.inputValue(), "90");
  await slider.press("ArrowRight");
  await shot("17-plugin-widget");
  await page.getByRole("heading", { name: "Hue Angle" }).click();
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as widgets.").waitFor();
  const saved = await (await fetch(`${url}/api/v1/workflows/widgets`)).json();
  const [found] = Object.values(saved.nodes).filter((item) => item.type.endsWith("HueAngle"));
  assert.equal(found.inputs.hue, 91);
}

export async function play(tools) {
  const { page } = tools;
  await page.reload(); // the plugin's node types are known by now
  await page.getByText("The plugin module /extensions/tiny-hue/broken.js did not load: no luck today").waitFor();
  await page.getByText("Nothing here yet").waitFor();
  await drop(page, "widgets.json", "application/json", Buffer.from(JSON.stringify(WORKFLOW)));
  await node(page, "Source picture").waitFor();
  await paint(tools);
  await compare(tools);
  await count(tools);
  await write(tools);
  await plugIn(tools);
}
