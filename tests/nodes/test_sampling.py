"""Sampling through the nodes: reproducible, told step by step, and stopped when asked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nodes.latent import empty_latent_image
from nodes.loaders import checkpoint_loader_simple
from nodes.sampling import ksampler, ksampler_advanced
from nodes.text import clip_set_last_layer, clip_text_encode
from nodes.vae import vae_decode, vae_encode
from tests.diffusion.published import SD1, save_checkpoint
from tests.nodes.contexts import ToyContext, context_in

Parts = tuple[Any, Any, Any]
SIZE = 32


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """A small model of random values with its text encoder and VAE."""
    home = tmp_path_factory.mktemp("home")
    (home / "checkpoints").mkdir()
    save_checkpoint(home / "checkpoints", SD1, "a.safetensors")
    return checkpoint_loader_simple("a.safetensors", context_in(home))


def sampled(parts: Parts, context: ToyContext, **changes: Any) -> torch.Tensor:
    model, clip, _ = parts
    inputs = {
        "seed": 1,
        "steps": 4,
        "cfg": 2.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": clip_text_encode("a red circle", clip),
        "negative": clip_text_encode("", clip),
        "latent_image": empty_latent_image(SIZE, SIZE),
        "context": context,
    }
    return ksampler(model, **inputs | changes)["samples"]


def test_the_same_seed_gives_the_same_latent_and_steps_are_told(parts: Parts, tmp_path: Path) -> None:
    context = context_in(tmp_path)
    first = sampled(parts, context)
    assert first.shape == (1, 4, SIZE // 8, SIZE // 8)
    assert context.steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert torch.equal(sampled(parts, context), first)
    assert not torch.equal(sampled(parts, context, seed=2), first)


def test_a_cancelled_job_stops_at_the_next_step(parts: Parts, tmp_path: Path) -> None:
    context = context_in(tmp_path)
    context.cancelled = True
    with pytest.raises(InterruptedError):
        sampled(parts, context)
    assert context.steps == []


def test_no_denoising_gives_the_start_back(parts: Parts, tmp_path: Path) -> None:
    start, context = {"samples": torch.rand(1, 4, 4, 4)}, context_in(tmp_path)
    assert torch.equal(sampled(parts, context, latent_image=start, denoise=0.0), start["samples"])


def test_two_samplers_that_share_the_steps_make_what_one_makes(parts: Parts, tmp_path: Path) -> None:
    model, clip, _ = parts
    context = context_in(tmp_path)
    shared: dict[str, Any] = {
        "noise_seed": 1,
        "steps": 4,
        "cfg": 2.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": clip_text_encode("a red circle", clip),
        "negative": clip_text_encode("", clip),
        "context": context,
    }
    start = empty_latent_image(SIZE, SIZE)
    half = ksampler_advanced(
        model, "enable", latent_image=start, end_at_step=2, return_with_leftover_noise="enable", **shared
    )
    whole = ksampler_advanced(
        model, "disable", latent_image=half, start_at_step=2, return_with_leftover_noise="disable", **shared
    )
    assert torch.allclose(whole["samples"], sampled(parts, context), atol=1e-4)


def test_decoding_and_encoding_give_pictures_and_latents_of_fitting_size(
    parts: Parts, tmp_path: Path
) -> None:
    context = context_in(tmp_path)
    _, _, vae = parts
    image = vae_decode(empty_latent_image(SIZE, 2 * SIZE), vae, context)
    assert image.shape == (1, 2 * SIZE, SIZE, 3)
    assert float(image.min()) >= 0 and float(image.max()) <= 1
    assert vae_encode(image[:, :-3], vae, context)["samples"].shape == (1, 4, 2 * SIZE // 8 - 1, SIZE // 8)


def test_stopping_at_an_earlier_layer_leaves_the_first_encoder_alone(parts: Parts) -> None:
    _, clip, _ = parts
    earlier = clip_set_last_layer(clip, -2)
    assert (clip.layer_idx, earlier.layer_idx) == (None, -2)
