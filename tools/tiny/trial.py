"""Draws with the files that are shipped, through the loaders that users have, to judge them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from diffusion.loading import load_checkpoint
from diffusion.sampling import sample_latent
from diffusion.text import encode
from diffusion.values import Checkpoint, Clip, Conditioning, Latent, Model
from tools.detect import shows, shows_all
from tools.scenes import PICTURE, held_scenes, plain_caption, render

STEPS: Final = 20
CFG: Final = 5.0


def prompts_as_batch(clip: Clip, prompts: Sequence[str]) -> Conditioning:
    """Many prompts as one conditioning, one for each picture of a batch."""
    found = [encode(clip, prompt)[0] for prompt in prompts]
    pooled = torch.cat([keys["pooled_output"] for _, keys in found])
    return [[torch.cat([text for text, _ in found]), {"pooled_output": pooled}]]


def empty(count: int) -> Latent:
    """Latents of nothing for pictures of 128×128."""
    return {"samples": torch.zeros(count, 4, PICTURE // 8, PICTURE // 8)}


def sample(
    model: Model, positive: Conditioning, negative: Conditioning, start: Latent, **options: Any
) -> Latent:
    """Latents sampled with what the workflows use, unless options say otherwise."""
    usual = {"seed": 20, "steps": STEPS, "cfg": CFG, "sampler_name": "dpmpp_2m", "scheduler": "karras"}
    return sample_latent(model, positive=positive, negative=negative, latent=start, **(usual | options))


def bytes_of(pictures: Tensor) -> np.ndarray:
    """(B, H, W, 3) in 0..1 as uint8."""
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def draw_with(found: Checkpoint, prompts: Sequence[str], **options: Any) -> np.ndarray:
    """One picture a prompt: (N, 128, 128, 3) uint8."""
    assert found.clip is not None and found.vae is not None
    positive, negative = prompts_as_batch(found.clip, prompts), encode(found.clip, "")
    made = sample(found.model, positive, negative, empty(len(prompts)), **options)
    return bytes_of(found.vae.decode(made["samples"]))


def try_checkpoint(path: Path, count: int) -> tuple[dict[str, float], np.ndarray]:
    """The shares of held prompts that come out right and wholly right, and their pictures."""
    scenes = held_scenes(count)
    pictures = draw_with(load_checkpoint(path), [plain_caption(scene) for scene in scenes])
    pairs = list(zip(pictures, scenes, strict=True))
    right = sum(shows(*pair) for pair in pairs) / count
    whole = sum(shows_all(*pair) for pair in pairs) / count
    return {"right": round(right, 3), "whole": round(whole, 3)}, pictures


def refining_errors(base_file: Path, refiner_file: Path, count: int) -> tuple[dict[str, float], np.ndarray]:
    """The mean error (0–255) of held scenes after noise of the last fifth of the steps, when the base or the
    refiner takes those steps; and pictures of both, and of the scenes."""
    scenes = held_scenes(count)
    wanted = np.stack([render(scene) for scene in scenes])
    figures, rows = dict[str, float](), [wanted]
    for name, file in (("base", base_file), ("refiner", refiner_file)):
        found = load_checkpoint(file)
        assert found.clip is not None and found.vae is not None
        start = {"samples": found.vae.encode(torch.from_numpy(wanted).float() / 255)}
        positive = prompts_as_batch(found.clip, [plain_caption(scene) for scene in scenes])
        for cfg in (1.0, CFG):
            options = {"cfg": cfg, "scheduler": "normal", "start_step": STEPS * 4 // 5}
            made = sample(found.model, positive, encode(found.clip, ""), start, **options)
            rows.append(bytes_of(found.vae.decode(made["samples"])))
            error = np.abs(rows[-1].astype(float) - wanted).mean()
            figures[f"{name}_cfg{cfg:g}"] = round(float(error), 3)
    return figures, np.concatenate([row[:8] for row in rows])
