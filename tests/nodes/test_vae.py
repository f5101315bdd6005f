"""The VAE's nodes: tiles make the same picture, short memory and numberless values are got over and told."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion import latents, tiling
from diffusion.devices import Device
from diffusion.errors import DiffusionError
from diffusion.loading import load_checkpoint
from diffusion.weights import ready
from nodes import vae
from tests.nodes.contexts import ToyContext, context_in

EMBEDDED = Path(__file__).parents[2] / "models" / "checkpoints" / "darkroom-tiny.safetensors"


@pytest.fixture(scope="module")
def embedded() -> Any:
    return load_checkpoint(EMBEDDED, device=Device(torch.device("cpu"), torch.float32)).vae


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """Smooth colours and hard edges, 104 × 136."""
    noise = torch.rand(1, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    soft = F.interpolate(noise, scale_factor=8, mode="bilinear").movedim(1, -1)
    soft[:, 30:60, 40:90] = torch.tensor([0.9, 0.1, 0.2])
    return soft


@pytest.fixture
def context(tmp_path: Path) -> ToyContext:
    return context_in(tmp_path)


def test_tiles_leave_no_seams(embedded: Any, picture: Tensor, context: ToyContext) -> None:
    whole = vae.vae_encode(picture, embedded, context)
    tiled = vae.vae_encode_tiled(picture, embedded, 64, context=context)
    torch.testing.assert_close(tiled["samples"], whole["samples"], rtol=1e-3, atol=1e-4)
    once = vae.vae_decode(whole, embedded, context)
    parts = vae.vae_decode_tiled(whole, embedded, 64, context=context)
    assert once.shape == parts.shape == (1, 104, 136, 3)
    assert (once - parts).abs().max() * 255 < 0.1
    assert context.job.notes == []


def short(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[int]:
    """Memory that runs out `times` times, whole or in tiles; the tile sizes asked for, 0 for whole."""
    asked: list[int] = []
    real: Any = latents._run  # pyright: ignore[reportPrivateUsage]

    def run(vae: Any, x: Tensor, dtype: Any, tile: int | None, *rest: Any) -> Tensor:
        asked.append(tile or 0)
        if len(asked) <= times:
            raise error
        return real(vae, x, dtype, tile, *rest)

    monkeypatch.setattr(latents, "_run", run)
    return asked


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
)
def test_short_memory_is_met_with_smaller_and_smaller_tiles(
    embedded: Any, context: ToyContext, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    start = {"samples": torch.randn(1, 4, 16, 32, generator=torch.Generator().manual_seed(1))}
    whole = vae.vae_decode(start, embedded, context)
    asked = short(monkeypatch, error, 2)
    made = vae.vae_decode(start, embedded, context)
    assert asked == [0, 128, 64]
    assert (made - whole).abs().max() * 255 < 0.1
    assert len(context.job.notes) == 2 and "in tiles of 64 pixels" in context.job.notes[1]


def test_memory_that_never_suffices_and_other_errors_are_told(
    embedded: Any, context: ToyContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = {"samples": torch.zeros(1, 4, 16, 16)}
    short(monkeypatch, MemoryError("none"), 99)
    with pytest.raises(MemoryError):
        vae.vae_decode(start, embedded, context)
    monkeypatch.undo()
    asked = short(monkeypatch, RuntimeError("a broken layer"), 1)
    with pytest.raises(RuntimeError, match="a broken layer"):
        vae.vae_decode(start, embedded, context)
    assert asked == [0]


def test_a_picture_too_large_for_the_memory_is_done_in_tiles_at_once(
    embedded: Any, context: ToyContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latents, "free_memory", lambda device: 1 << 20)
    vae.vae_decode({"samples": torch.zeros(1, 4, 16, 16)}, embedded, context)
    assert context.job.notes == [
        "Memory is too short to decode a latent of 16×16 as asked: it is done in tiles of 64 pixels."
    ]


def test_values_that_are_no_numbers_are_made_again_in_fp32(
    context: ToyContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    half: Any = load_checkpoint(EMBEDDED, device=Device(torch.device("cpu"), torch.bfloat16)).vae
    start = {"samples": torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))}
    real: Any = latents._picture  # pyright: ignore[reportPrivateUsage]

    def overflowing(module: Any, latent: Tensor) -> Tensor:
        made = real(module, latent)
        return made * float("nan") if latent.dtype == torch.bfloat16 else made

    monkeypatch.setattr(latents, "_picture", overflowing)
    made = vae.vae_decode(start, half, context)
    assert made.isfinite().all()
    assert context.job.notes == [
        "To decode a latent of 8×8 in bfloat16 gave no numbers: it was done again in fp32."
    ]
    monkeypatch.undo()
    assert (vae.vae_decode(start, half, context) - made).abs().max() < 0.1


def test_a_damaged_latent_is_a_sentence(embedded: Any, context: ToyContext) -> None:
    with pytest.raises(DiffusionError, match="no numbers: the input is damaged"):
        vae.vae_decode({"samples": torch.full((1, 4, 8, 8), float("nan"))}, embedded, context)


def test_a_cancelled_job_stops_between_tiles(embedded: Any, context: ToyContext) -> None:
    context.cancelled = True
    with pytest.raises(InterruptedError):
        vae.vae_decode_tiled({"samples": torch.zeros(1, 4, 16, 16)}, embedded, 64, context=context)


def test_plugins_decode_and_encode_in_tiles(embedded: Any, picture: Tensor) -> None:
    latent = embedded.encode_tiled(picture, tile_x=64, tile_y=64, overlap=16)
    torch.testing.assert_close(latent, embedded.encode(picture), rtol=1e-3, atol=1e-4)
    made = embedded.decode_tiled(latent, tile_x=8, tile_y=8, overlap=2)
    torch.testing.assert_close(made, embedded.decode(latent), rtol=1e-3, atol=1e-4)


def test_inpainting_greys_the_mask_and_grows_it(embedded: Any, picture: Tensor, context: ToyContext) -> None:
    mask = torch.zeros(1, 104, 136)
    mask[:, 40:50, 60:70] = 0.9
    made = vae.vae_encode_for_inpaint(picture, embedded, mask, 6, context=context)
    grey = picture.clone()
    grey[:, 40:50, 60:70] = 0.5
    torch.testing.assert_close(made["samples"], embedded.encode(grey))
    rows, columns = made["noise_mask"][0, 0].nonzero(as_tuple=True)
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (38, 52, 58, 72)
    same = vae.vae_encode_for_inpaint(picture, embedded, mask, 0, context=context)["noise_mask"]
    assert torch.equal(same[0, 0], mask[0].round())


def test_a_window_sees_what_lies_around_it(embedded: Any) -> None:
    ready(embedded.first_stage_model, torch.device("cpu"), torch.float32)
    block = embedded.first_stage_model.decoder.up_blocks[0].resnets[0]
    x = torch.randn(1, block.norm1.num_channels, 20, 28, generator=torch.Generator().manual_seed(0))
    tiler = tiling.Tiler(64, torch.device("cpu"), torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(tiler.resnet(block, x, 8), block(x, None), rtol=1e-4, atol=1e-4)
