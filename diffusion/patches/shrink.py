"""Patches of sizes and masks: deep shrink and differential diffusion."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from diffusion.values import Model

Options = dict[str, Any]
Resize = Callable[[Tensor, int, int], Tensor]
"""(B, C, H, W), width, height -> scaled."""


def deep_shrink(
    model: Model,
    block: int,
    factor: float,
    start_percent: float,
    end_percent: float,
    after_skip: bool,
    shrink: Resize,
    grow: Resize,
) -> Model:
    """The network's inside made smaller by a factor while the picture's outlines are drawn (Kohya 2023, "Deep
    Shrink"): large pictures without repeated subjects.

    block: number of the input block whose output is shrunk; after_skip: its skip keeps its size.
    """
    first, last = (model.sampling.percent_to_sigma(p) for p in (start_percent, end_percent))

    def smaller(h: Tensor, options: Options) -> Tensor:
        if options["block"][1] != block or not last <= float(options["sigmas"][0]) <= first:
            return h
        height, width = (round(size * (1.0 / factor)) for size in h.shape[-2:])
        return shrink(h, max(1, width), max(1, height))

    def larger(h: Tensor, skip: Tensor, options: Options) -> tuple[Tensor, Tensor]:
        if h.shape[2] != skip.shape[2]:
            h = grow(h, skip.shape[-1], skip.shape[-2])
        return h, skip

    patched = model.clone()
    if after_skip:
        patched.set_model_input_block_patch_after_skip(smaller)
    else:
        patched.set_model_input_block_patch(smaller)
    patched.set_model_output_block_patch(larger)
    return patched


def differential(model: Model, strength: float = 1.0) -> Model:
    """A noise mask as a map of change: grey places are freed later than white ones (Levin and Fried 2023).

    strength: 1 frees each place at once when its time comes, less mixes the mask's own grey in.
    """

    def mask_at(sigma: Tensor, mask: Tensor, extra_options: Options) -> Tensor:
        levels, sigmas = extra_options["model"].inner_model.model_sampling, extra_options["sigmas"]
        start = levels.timestep(sigmas[:1])
        end = levels.timestep(sigmas[-1:].clamp(min=float(levels.sigma_min)))
        part = (levels.timestep(sigma[:1].cpu()) - end) / (start - end)
        free = (mask >= part.to(mask.device)).to(mask.dtype)
        return strength * free + (1 - strength) * mask if 0 < strength < 1 else free

    patched = model.clone()
    patched.set_model_denoise_mask_function(mask_at)
    return patched
