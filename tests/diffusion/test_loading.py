"""Single files → modules: small random checkpoints in the published layout against diffusers and
transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion import latents
from diffusion.errors import DiffusionError
from diffusion.loading import load_checkpoint, load_model, load_vae
from diffusion.text import encode
from diffusion.unet import run_unet, timestep_embedding
from diffusion.values import Checkpoint
from tests.diffusion.conftest import FAMILIES
from tests.diffusion.published import SD1, Sizes, save_checkpoint


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_the_network_run_block_by_block_equals_diffusers_own_forward(
    loaded: dict[str, Checkpoint], name: str
) -> None:
    network, sizes = loaded[name].model.model, FAMILIES[name]
    unet = network.diffusion_model.float()
    x, steps, text = noise(2, 4, 16, 12), torch.tensor([10, 500]), noise(2, 77, sizes.context)
    vector, given = vectors(sizes)
    theirs = unet(x, steps, text, added_cond_kwargs=given).sample
    torch.testing.assert_close(run_unet(unet, x, steps, text, vector), theirs, rtol=1e-5, atol=1e-5)


def vectors(sizes: Sizes) -> tuple[Tensor | None, dict[str, Tensor] | None]:
    """The vector conditioning as one tensor, and as diffusers takes it."""
    if sizes.adm is None:
        return None, None
    pooled, numbers = noise(2, 128), noise(2, (sizes.adm - 128) // 256).abs() * 100
    waves = timestep_embedding(numbers.flatten(), 256).reshape(2, -1)
    return torch.cat([pooled, waves], dim=1), {"text_embeds": pooled, "time_ids": numbers}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_told_from_the_file_and_loads_whole(loaded: dict[str, Checkpoint], name: str) -> None:
    model, clip, vae = loaded[name]
    assert model.family.name == name
    assert clip is not None
    assert vae is not None
    for module in (model.model.diffusion_model, vae.first_stage_model, *(e.module for e in clip.encoders)):
        assert not any(t.is_meta for t in (*module.parameters(), *module.buffers()))


@pytest.mark.parametrize(("name", "width"), [("sd1", 64), ("sd2", 128), ("sdxl", 192), ("sdxl-refiner", 128)])
def test_text_is_as_wide_as_the_network_takes(loaded: dict[str, Checkpoint], name: str, width: int) -> None:
    clip = loaded[name].clip
    assert clip is not None
    [[cond, keys]] = encode(clip, "a small green triangle")
    assert cond.shape == (1, 77, width)
    assert keys["pooled_output"].shape == (1, clip.encoders[-1].width)


@torch.no_grad()
def test_a_picture_is_encoded_to_the_posterior_mean(loaded: dict[str, Checkpoint]) -> None:
    vae = loaded["sd1"].vae
    assert vae is not None
    picture = noise(1, 32, 48, 3).sigmoid()
    ours = latents.encode(vae, picture)["samples"]
    module: Any = vae.first_stage_model
    theirs = module.encode(picture.movedim(-1, 1) * 2 - 1).latent_dist.mode()
    torch.testing.assert_close(ours, theirs)
    decoded = (module.decode(ours).sample / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    torch.testing.assert_close(latents.decode(vae, {"samples": ours}), decoded)


def test_a_part_can_be_loaded_from_a_whole_checkpoint(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, SD1)
    assert load_model(path).family.name == "sd1"
    assert load_vae(path).latent_channels == 4


def test_a_tensor_that_no_layer_takes_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_checkpoint(tmp_path, SD1)
    stray = {"model.diffusion_model.input_blocks.1.7.weight": torch.zeros(2)}
    save_file(load_file(path) | stray, path)
    with pytest.raises(DiffusionError, match=r"input_blocks\.1\.7\.weight"):
        load_checkpoint(path)


def test_a_tensor_that_is_missing_is_named(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_checkpoint(tmp_path, SD1)
    tensors = load_file(path)
    del tensors["model.diffusion_model.out.2.bias"]
    save_file(tensors, path)
    with pytest.raises(DiffusionError, match=r"1 tensors are missing.*conv_out\.bias"):
        load_checkpoint(path)
