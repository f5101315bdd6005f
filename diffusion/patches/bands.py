"""Patches that weigh frequencies: FreeU and FreSca."""

from typing import Any

import torch
from torch import Tensor

from diffusion.values import Model

Options = dict[str, Any]


def scale_bands(x: Tensor, radius: int, low: float, high: float = 1.0) -> Tensor:
    """(B, C, H, W) with frequencies up to `radius` of each axis' lowest times `low`, all others times `high`.

    The box of low frequencies reaches from -radius up to, and without, radius, at most to half the size.
    """
    spectrum = torch.fft.fftshift(torch.fft.fft2(x.float()), dim=(-2, -1))
    weights = torch.full(spectrum.shape[-2:], high, device=x.device)
    rows, columns = (
        slice(size // 2 - reach, size // 2 + reach)
        for size in spectrum.shape[-2:]
        for reach in (min(radius, size // 2),)
    )
    weights[rows, columns] = low
    whole = torch.fft.ifft2(torch.fft.ifftshift(spectrum * weights, dim=(-2, -1)))
    return whole.real.to(x.dtype)


def boost(h: Tensor, factor: float) -> Tensor:
    """The first half of the channels times a factor (FreeU as first published)."""
    half = h.shape[1] // 2
    return torch.cat([h[:, :half] * factor, h[:, half:]], dim=1)


def boost_where_strong(h: Tensor, factor: float) -> Tensor:
    """The first half of the channels times 1 to `factor`, by the size of the channels' mean at each place."""
    half, mean = h.shape[1] // 2, h.mean(1, keepdim=True)
    low, high = mean.amin((2, 3), keepdim=True), mean.amax((2, 3), keepdim=True)
    strength = (mean - low) / (high - low)
    return torch.cat([h[:, :half] * ((factor - 1) * strength + 1), h[:, half:]], dim=1)


def free_u(model: Model, b1: float, b2: float, s1: float, s2: float, by_strength: bool = False) -> Model:
    """Backbone features strengthened, the skips' low frequencies weakened (Si et al. 2023, "FreeU").

    b1 and s1 hold for the way up's levels of four times the network's first width, b2 and s2 for twice.
    by_strength: the second version, in which features count by their mean.
    """
    first = model.model.layout.model_channels
    scales = {first * 4: (b1, s1), first * 2: (b2, s2)}
    strengthen = boost_where_strong if by_strength else boost

    def patch(h: Tensor, skip: Tensor, options: Options) -> tuple[Tensor, Tensor]:
        if h.shape[1] not in scales:
            return h, skip
        backbone, low = scales[h.shape[1]]
        return strengthen(h, backbone), scale_bands(skip, 1, low)

    patched = model.clone()
    patched.set_model_output_block_patch(patch)
    return patched


def fresca(model: Model, scale_low: float, scale_high: float, freq_cutoff: int) -> Model:
    """Guidance with its low and high frequencies weighed apart (Huang et al. 2025, "FreSca")."""

    def patch(said: Options) -> list[Tensor]:
        outputs = said["conds_out"]
        if len(outputs) < 2 or None in list(said["conds"][:2]):
            return outputs
        cond, uncond, *rest = outputs
        return [scale_bands(cond - uncond, freq_cutoff, scale_low, scale_high) + uncond, uncond, *rest]

    patched = model.clone()
    patched.set_model_sampler_pre_cfg_function(patch)
    return patched
