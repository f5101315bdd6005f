/** A workflow of many nodes as people build them: cells of eleven nodes with their widgets, twenty links a cell. */

const CELL = [2300, 1100];
const PROMPT = "a large red circle above a small blue square, soft light, shallow depth of field";

const link = (node, output) => ({ link: [node, output] });
const sampler = (name, latent) => ({
  type: "KSampler",
  inputs: {
    model: link(`${name}.lora`, "MODEL"),
    seed: 7,
    steps: 20,
    cfg: 7.5,
    sampler_name: "euler",
    scheduler: "normal",
    positive: link(`${name}.positive`, "CONDITIONING"),
    negative: link(`${name}.negative`, "CONDITIONING"),
    latent_image: latent,
    denoise: 1,
  },
});

/** One cell: a picture in two stages, blended with the one of the cell before. */
function cell(name, before) {
  const checkpoint = `${name}.checkpoint`;
  const prompt = (text) => ({ type: "CLIPTextEncode", inputs: { text, clip: link(`${name}.lora`, "CLIP") } });
  const lora = { lora_name: "darkroom-tiny-style.safetensors", strength_model: 1, strength_clip: 1 };
  const decode = `${name}.decode`;
  return {
    [checkpoint]: [0, 0, { type: "CheckpointLoaderSimple", inputs: { ckpt_name: "darkroom-tiny.safetensors" } }],
    [`${name}.lora`]: [0, 260, { type: "LoraLoader", inputs: { model: link(checkpoint, "MODEL"), clip: link(checkpoint, "CLIP"), ...lora } }],
    [`${name}.positive`]: [360, 0, prompt(PROMPT)],
    [`${name}.negative`]: [360, 260, prompt("blurred")],
    [`${name}.latent`]: [360, 520, { type: "EmptyLatentImage", inputs: { width: 512, height: 512, batch_size: 1 } }],
    [`${name}.first`]: [760, 0, sampler(name, link(`${name}.latent`, "LATENT"))],
    [`${name}.scale`]: [760, 520, { type: "LatentUpscaleBy", inputs: { samples: link(`${name}.first`, "LATENT"), upscale_method: "bilinear", scale_by: 1.5 } }],
    [`${name}.second`]: [1100, 0, sampler(name, link(`${name}.scale`, "LATENT"))],
    [decode]: [1440, 0, { type: "VAEDecode", inputs: { samples: link(`${name}.second`, "LATENT"), vae: link(checkpoint, "VAE") } }],
    [`${name}.blend`]: [
      1440,
      200,
      { type: "ImageBlend", inputs: { image1: link(decode, "IMAGE"), image2: link(before, "IMAGE"), blend_factor: 0.5, blend_mode: "normal" } },
    ],
    [`${name}.save`]: [1760, 0, { type: "SaveImage", inputs: { images: link(`${name}.blend`, "IMAGE"), filename_prefix: "darkroom" } }],
  };
}

/** The text of a workflow with so many nodes. */
export function scene(count) {
  const cells = Math.ceil(count / 11);
  const columns = Math.ceil(Math.sqrt(cells / 2));
  const placed = Array.from({ length: cells }, (_, index) => {
    const [x, y] = [(index % columns) * CELL[0], Math.floor(index / columns) * CELL[1]];
    const nodes = Object.entries(cell(`c${index}`, `c${Math.max(index - 1, 0)}.decode`));
    return nodes.map(([id, [left, top, node]]) => [id, node, [x + left, y + top]]);
  }).flat().slice(0, count);
  return JSON.stringify({
    format: "darkroom/1",
    nodes: Object.fromEntries(placed.map(([id, node]) => [id, node])),
    layout: Object.fromEntries(placed.map(([id, , place]) => [id, place])),
  });
}
