"""The shipped tiny model, through a workflow's nodes: it draws what a prompt says, and heeds denoise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch

from graph.context import Files, Job
from host.folders import folders_of, installation
from nodes.latent import empty_latent_image
from nodes.loaders import checkpoint_loader_simple
from nodes.sampling import ksampler
from nodes.text import clip_text_encode
from nodes.vae import vae_decode, vae_encode
from tools.detect import shows
from tools.scenes import PICTURE, Scene, held_scenes, plain_caption, render

CHECKPOINT: Final = Path(__file__).parent.parent / "models" / "checkpoints" / "darkroom-tiny.safetensors"
PROMPTS: Final = 40
LIMIT_MB: Final = 17


@dataclass(frozen=True)
class OneJob:
    files: Files = field(default_factory=lambda: folders_of(installation()))
    metadata: dict[str, str] = field(default_factory=dict)

    def note(self, message: str) -> None: ...


@dataclass(frozen=True)
class Quiet:
    """A context that nobody listens to."""

    job: Job = field(default_factory=OneJob)
    node_id: str = "node"

    def progress(self, done: int, total: int, preview: Any = None) -> None: ...

    def check_cancelled(self) -> None: ...

    def log(self, message: str) -> None: ...

    def note(self, message: str) -> None: ...


@cache
def checkpoint() -> tuple[Any, Any, Any]:
    return checkpoint_loader_simple(CHECKPOINT.name, Quiet())


def conditioning(prompts: Sequence[str]) -> list[list[Any]]:
    """Many prompts as one conditioning, a prompt for each picture of the batch."""
    encoded = [clip_text_encode(prompt, checkpoint()[1])[0] for prompt in prompts]
    return [[torch.cat([text for text, _ in encoded]), encoded[0][1]]]


def sample(prompts: Sequence[str], latent: Any, seed: int, **options: Any) -> np.ndarray:
    """One picture a prompt: (N, 128, 128, 3) uint8."""
    model, _, vae = checkpoint()
    start = {"steps": 20, "cfg": 5.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"} | options
    positive, negative = conditioning(prompts), conditioning([""])
    made = ksampler(
        model, seed=seed, positive=positive, negative=negative, latent_image=latent, context=Quiet(), **start
    )
    return (vae_decode(made, vae, Quiet()) * 255).round().to(torch.uint8).numpy()


def draw(prompts: Sequence[str], seed: int = 20, **options: Any) -> np.ndarray:
    return sample(prompts, empty_latent_image(PICTURE, PICTURE, len(prompts)), seed, **options)


def share(pictures: np.ndarray, scenes: Sequence[Scene]) -> float:
    return sum(shows(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)) / len(scenes)


def test_the_checkpoint_is_small_enough_to_ship() -> None:
    assert CHECKPOINT.stat().st_size < LIMIT_MB * 1e6


@pytest.mark.parametrize("cfg", [4.0, 7.0])
def test_pictures_of_held_prompts_show_the_shapes_and_colours_asked(cfg: float) -> None:
    scenes = held_scenes(PROMPTS)
    assert share(draw([plain_caption(scene) for scene in scenes], cfg=cfg), scenes) >= 0.85


def test_pictures_of_an_empty_prompt_do_not_show_them() -> None:
    scenes = held_scenes(PROMPTS)
    assert share(draw([""] * PROMPTS, cfg=1.0), scenes) < 0.4


def test_a_low_denoise_stays_closer_to_the_source_than_a_high_one() -> None:
    scenes = held_scenes(8)
    sources = np.stack([render(scene) for scene in scenes])
    latent = vae_encode(torch.from_numpy(sources).float() / 255, checkpoint()[2], Quiet())
    prompts = [plain_caption(scene) for scene in held_scenes(8, seed=1)]

    def distance(denoise: float) -> np.ndarray:
        made = sample(prompts, latent, seed=3, denoise=denoise).astype(float)
        return np.abs(made - sources).mean(axis=(1, 2, 3))

    near, far = distance(0.3), distance(0.9)
    assert near.mean() < 0.6 * far.mean()
    assert (near < far).mean() > 0.9
