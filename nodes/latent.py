"""Latents: empty ones, to and from pictures, and changes of size and batch."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.lookups import CELL, given_size, scaled_size
from nodes.sizes import counted, resized, taken, times
from nodes.sockets import (
    MAX_RESOLUTION,
    BatchSize,
    Crop,
    Height,
    Latent,
    LatentScaling,
    Mask,
    Width,
)

if TYPE_CHECKING:
    from diffusion import latents
    from nodes import tensors
else:
    latents = LazyModule("diffusion.latents")
    tensors = LazyModule("nodes.tensors")

SMALLEST: Final = 64
"""The smallest side in pixels that an upscaled latent may have, as the field has it."""

Method = Annotated[LatentScaling, Hint("How new values are computed; bislerp keeps their strength.")]
NewWidth = Annotated[int, Number(0, MAX_RESOLUTION, 8), Hint("Width in pixels; 0 follows from the height.")]
NewHeight = Annotated[int, Number(0, MAX_RESOLUTION, 8), Hint("Height in pixels; 0 follows from the width.")]


def with_values(samples: Latent, values: Any) -> Latent:
    """Latents with other values (B, C, H, W); what stands beside them is kept."""
    return samples | {"samples": values}


@node("EmptyLatentImage", title="Empty Latent Image", category="latent", infer=given_size("LATENT"))
def empty_latent_image(width: Width = 512, height: Height = 512, batch_size: BatchSize = 1) -> Latent:
    """Empty latents, the start of a picture made from nothing."""
    return latents.empty(width, height, batch_size)


@node(
    "SetLatentNoiseMask",
    title="Set Latent Noise Mask",
    category="latent/inpaint",
    infer=carry("samples", to=["LATENT"]),
)
def set_latent_noise_mask(
    samples: Latent, mask: Annotated[Mask, Hint("1 where the sampler may change the latents.")]
) -> Latent:
    """Latents that the sampler changes only inside a mask."""
    return samples | {"noise_mask": mask.reshape(-1, 1, mask.shape[-2], mask.shape[-1])}


def _new_size(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    """The size in pixels of latents of columns × rows that are scaled; a side given as 0 follows."""
    if width == 0 and height == 0:
        return columns * CELL, rows * CELL
    wide = max(SMALLEST, width or round(columns * max(SMALLEST, height) / rows))
    tall = max(SMALLEST, height or round(rows * max(SMALLEST, width) / columns))
    return wide, tall


def _upscaled(wide: int, tall: int, width: int, height: int) -> tuple[int, int]:
    new = _new_size(wide // CELL, tall // CELL, width, height)
    return new[0] // CELL * CELL, new[1] // CELL * CELL


@node(
    "LatentUpscale",
    title="Upscale Latent",
    category="latent",
    infer=resized("samples", "width", "height", size=_upscaled, to=["LATENT"]),
)
def latent_upscale(
    samples: Latent,
    upscale_method: Method,
    *,
    width: NewWidth = 512,
    height: NewHeight = 512,
    crop: Annotated[Crop, Hint("center cuts to the new aspect ratio first.")],
) -> Latent:
    """Latents scaled to a size in pixels."""
    if width == 0 and height == 0:
        return samples
    values = samples["samples"]
    rows, columns = values.shape[-2], values.shape[-1]
    wide, tall = _new_size(columns, rows, width, height)
    return samples | {"samples": tensors.resize(values, wide // CELL, tall // CELL, upscale_method, crop)}


@node(
    "LatentUpscaleBy",
    title="Upscale Latent By",
    category="latent",
    infer=scaled_size("samples", "LATENT", "scale_by", CELL),
)
def latent_upscale_by(
    samples: Latent,
    upscale_method: Method,
    scale_by: Annotated[float, Number(0.01, 8.0, 0.01), Hint("The factor for both sides.")] = 1.5,
) -> Latent:
    """Latents scaled by a factor."""
    values = samples["samples"]
    columns, rows = (max(1, round(side * scale_by)) for side in (values.shape[-1], values.shape[-2]))
    return samples | {"samples": tensors.resize(values, columns, rows, upscale_method)}


def _take(values: dict[str, Any], start: int, length: int) -> dict[str, Any]:
    """Part of a batch of latents, its mask and batch numbers with it."""
    count = values["samples"].shape[0]
    start = min(start, count - 1)
    end = start + min(length, count - start)
    taken = values | {"samples": values["samples"][start:end].clone()}
    if (mask := values.get("noise_mask")) is not None:
        taken["noise_mask"] = (
            mask.clone() if mask.shape[0] == 1 else tensors.repeat_to(mask, count)[start:end].clone()
        )
    return taken | {"batch_index": values.get("batch_index", list(range(count)))[start:end]}


@node(
    "LatentFromBatch",
    title="Latent From Batch",
    category="latent/batch",
    infer=counted("samples", ["batch_index", "length"], taken, "LATENT"),
)
def latent_from_batch(
    samples: Latent,
    batch_index: Annotated[int, Number(0, 63), Hint("The first latent to take, counted from 0.")] = 0,
    length: Annotated[int, Number(1, 64), Hint("How many to take.")] = 1,
) -> Latent:
    """Some latents out of a batch; each keeps the noise it would get in the whole batch."""
    return _take(samples, batch_index, length)


@node(
    "RepeatLatentBatch",
    title="Repeat Latent Batch",
    category="latent/batch",
    infer=counted("samples", ["amount"], times, "LATENT"),
)
def repeat_latent_batch(
    samples: Latent, amount: Annotated[int, Number(1, 64), Hint("How many times the batch is repeated.")] = 1
) -> Latent:
    """A batch of latents repeated; every copy gets noise of its own."""
    values = samples["samples"]
    count = values.shape[0]
    repeated = samples | {"samples": values.repeat(amount, 1, 1, 1)}
    mask = samples.get("noise_mask")
    if mask is not None and mask.shape[0] > 1:
        repeated["noise_mask"] = tensors.repeat_to(mask, count).repeat(amount, 1, 1, 1)
    if (numbers := samples.get("batch_index")) is not None:
        step = max(numbers) - min(numbers) + 1
        repeated["batch_index"] = [number + step * copy for copy in range(amount) for number in numbers]
    return repeated
