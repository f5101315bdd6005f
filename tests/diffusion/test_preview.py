"""Pictures of half-finished latents: linear ones for every family, TAESD's when its file is there."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.preview import latent_to_rgb, load_tiny_decoder, tiny_decoder_name
from diffusion.values import Checkpoint
from tests.diffusion.tiny_decoder import tiny


def in_authors_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as TAESD's files name them: numbers of layers, after one without weights."""
    parts = {name.removeprefix("layers."): value for name, value in weights.items()}
    return {f"{int(n.split('.')[0]) + 1}.{n.partition('.')[2]}": value for n, value in parts.items()}


@pytest.mark.parametrize("names", ["authors", "diffusers"])
def test_a_tiny_decoder_draws_what_its_weights_say(tmp_path: Path, names: str) -> None:
    module = tiny()
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    named = (
        in_authors_names(weights) if names == "authors" else {f"decoder.{n}": v for n, v in weights.items()}
    )
    save_file(named, tmp_path / "taesd_decoder.safetensors")
    latent = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(1))
    drawn = load_tiny_decoder(tmp_path / "taesd_decoder.safetensors").picture(latent)
    with torch.no_grad():
        wanted = (module(latent[:1])[0] / 2 + 0.5).clamp(0, 1) * 255
    assert drawn.shape == (24, 40, 3)
    assert (drawn.float() - wanted.movedim(0, -1)).abs().max() <= 0.51


def test_another_file_in_its_place_is_named(tmp_path: Path) -> None:
    save_file({"some.weight": torch.zeros(2, 2)}, tmp_path / "taesd_decoder.safetensors")
    with pytest.raises(DiffusionError, match="no TAESD decoder"):
        load_tiny_decoder(tmp_path / "taesd_decoder.safetensors")


def test_every_family_has_a_linear_preview_and_a_name_for_its_decoder(loaded: dict[str, Checkpoint]) -> None:
    latent = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    for name, checkpoint in loaded.items():
        network = checkpoint.model.model
        picture = latent_to_rgb(network, latent)
        assert picture.shape == (6, 8, 3)
        assert picture.float().std() > 1
        assert tiny_decoder_name(network) == ("taesdxl_decoder" if "xl" in name else "taesd_decoder")
