"""Precision and memory: bf16 is near fp32, casting is undone exactly, and short memory is got over."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion import denoising, latents, weights
from diffusion.devices import Device
from diffusion.loading import load_checkpoint
from diffusion.sampling import sample_latent
from diffusion.text import encode
from diffusion.values import Checkpoint

EMBEDDED = Path(__file__).parents[2] / "models" / "checkpoints" / "darkroom-tiny.safetensors"
CPU = torch.device("cpu")


def picture(checkpoint: Checkpoint, size: int = 64, steps: int = 4, scale: float = 5.0) -> Tensor:
    assert checkpoint.clip is not None and checkpoint.vae is not None
    made = sample_latent(
        checkpoint.model,
        seed=3,
        steps=steps,
        cfg=scale,
        sampler_name="euler",
        scheduler="normal",
        positive=encode(checkpoint.clip, "a red circle above a blue square"),
        negative=encode(checkpoint.clip, ""),
        latent=latents.empty(size, size),
    )
    return checkpoint.vae.decode(made["samples"])


def test_a_bf16_picture_stays_within_30_decibels_of_fp32() -> None:
    whole, half = (
        picture(load_checkpoint(EMBEDDED, device=Device(CPU, dtype)))
        for dtype in (torch.float32, torch.bfloat16)
    )
    error = float(F.mse_loss(whole, half))
    assert not torch.equal(whole, half)
    assert -10 * torch.log10(torch.tensor(error)) >= 30


def layer(dtype: torch.dtype = torch.float16) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    module = weights.make_casting(nn.Sequential(nn.Linear(8, 8), nn.Conv2d(4, 4, 3))).to(dtype)
    for value in module.parameters():
        value.requires_grad_(False).copy_(torch.randn(value.shape, generator=generator))
    return module


def test_another_dtype_is_cast_from_the_file_s_own_weights() -> None:
    module = layer(torch.float32)
    before = {name: t.clone() for name, t in module.state_dict().items()}
    weights.ready(module, CPU, torch.bfloat16)
    assert {t.dtype for t in module.parameters()} == {torch.bfloat16}
    weights.ready(module, CPU, torch.float32)
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())


def test_a_model_gives_its_cast_copy_back_to_another_when_memory_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = layer(), layer()
    weights.ready(first, CPU, torch.float32)
    monkeypatch.setattr(weights, "free_memory", lambda device: 0)
    weights.ready(second, CPU, torch.float32)
    for module in (first, second):
        assert {t.dtype for t in module.parameters()} == {torch.float16}


@pytest.mark.parametrize("shape", [(2, 77, 8), (100, 8), (2, 8)])
def test_a_linear_layer_is_the_same_as_a_convolution(shape: tuple[int, ...]) -> None:
    linear: Any = layer(torch.float32)[0]  # type: ignore[index]
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    made = weights._as_convolution(x, linear.weight, linear.bias)  # pyright: ignore[reportPrivateUsage]
    torch.testing.assert_close(made, F.linear(x, linear.weight, linear.bias))
    assert made.is_contiguous()


@pytest.mark.parametrize("last", [True, False])
def test_channels_may_lie_side_by_side(
    small: Checkpoint, monkeypatch: pytest.MonkeyPatch, last: bool
) -> None:
    plain = picture(small, 32, 1)
    unet = small.model.model.diffusion_model
    weights.release(unet)
    monkeypatch.setattr(weights, "channels_last_pays", lambda device, dtype: last)
    torch.testing.assert_close(picture(small, 32, 1), plain, rtol=1e-3, atol=1e-3)
    first: Any = unet.conv_in
    assert first.weight.is_contiguous(memory_format=torch.channels_last) == last
    weights.release(unet)


def test_a_batch_that_memory_is_too_short_for_is_run_in_halves(
    small: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = picture(small, 32, 1)
    seen: list[int] = []
    real = denoising.run_unet

    def narrow(unet: Any, x: Tensor, *rest: Any) -> Tensor:
        seen.append(len(x))
        if len(x) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(unet, x, *rest)

    monkeypatch.setattr(denoising, "run_unet", narrow)
    torch.testing.assert_close(picture(small, 32, 1), whole, rtol=1e-3, atol=1e-3)
    assert seen == [2, 1, 1]
    monkeypatch.setattr(denoising, "run_unet", lambda *_: (_ for _ in ()).throw(MemoryError("none left")))
    with pytest.raises(MemoryError, match="none left"):
        picture(small, 32, 1)
