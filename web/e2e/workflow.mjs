/** A picture of the embedded model as a workflow, which scenarios drop on the page. */

/** The link of an input: the node it comes from, and that node's output. */
export const link = (id, output) => ({ link: [id, output] });

/** From a checkpoint to a decoded picture. size: its sides in pixels; sampler: other values of the KSampler. */
export function pictureNodes(prompt, size, sampler = {}) {
  const clip = link("checkpoint", "CLIP");
  return {
    checkpoint: { type: "CheckpointLoaderSimple", inputs: { ckpt_name: "darkroom-tiny.safetensors" } },
    positive: { type: "CLIPTextEncode", inputs: { text: prompt, clip }, title: "Prompt" },
    negative: { type: "CLIPTextEncode", inputs: { text: "", clip }, title: "Negative" },
    latent: { type: "EmptyLatentImage", inputs: { width: size, height: size, batch_size: 1 } },
    sampler: {
      type: "KSampler",
      inputs: {
        model: link("checkpoint", "MODEL"), positive: link("positive", "CONDITIONING"), negative: link("negative", "CONDITIONING"),
        latent_image: link("latent", "LATENT"), seed: 7, steps: 4, cfg: 5.0, sampler_name: "euler", scheduler: "normal", denoise: 1.0, ...sampler,
      },
    },
    decode: { type: "VAEDecode", inputs: { samples: link("sampler", "LATENT"), vae: link("checkpoint", "VAE") } },
  };
}
