"""Upscaling nodes load a model by its name and tell how far they are."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diffusion.upscalers import Compact
from nodes.upscale import image_upscale_with_model, upscale_model_loader
from tests.nodes.contexts import ToyContext, context_in
from tests.nodes.pixels import picture


def with_model(folder: Path) -> ToyContext:
    context = context_in(folder)
    torch.manual_seed(1)
    save_file(
        Compact(3, 3, 4, 1, 2).state_dict(), context.job.files.folder("upscale_models") / "a.safetensors"
    )
    return context


def test_pictures_are_made_larger_with_progress(tmp_path: Path) -> None:
    context = with_model(tmp_path)
    image = picture(20, 700, 2, channels=4)
    made = image_upscale_with_model(upscale_model_loader("a.safetensors", context), image, context)
    assert made.shape == (2, 40, 1400, 3) and made.min() >= 0 and made.max() <= 1
    assert context.steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_tiles_and_the_whole_picture_agree(tmp_path: Path) -> None:
    context = with_model(tmp_path)
    model, image = upscale_model_loader("a.safetensors", context), picture(8, 600)
    whole = model(image.movedim(-1, 1)).movedim(1, -1).clamp(0, 1)
    assert torch.allclose(image_upscale_with_model(model, image, context), whole, atol=0.02)


def test_a_model_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Did you mean a\.safetensors\?"):
        upscale_model_loader("b.safetensors", with_model(tmp_path))
