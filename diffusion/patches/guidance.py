"""Patches of classifier-free guidance: other ways from two predictions to one clean image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.conditions import Canvas, prepare
from diffusion.guidance import predictions
from diffusion.guiders import perpendicular
from diffusion.values import Conditioning, Model

Said = dict[str, Any]
_ALL = (-1, -2, -3)


def _after(model: Model, change: Callable[[Said], Tensor]) -> Model:
    patched = model.clone()
    patched.set_model_sampler_post_cfg_function(change)
    return patched


def _both(said: Said) -> bool:
    """Whether there are a positive and a negative side to weigh against each other."""
    return len(said["conds_out"]) > 1 and None not in list(said["conds"][:2])


def rescaled(cond: Tensor, uncond: Tensor, cfg: float, multiplier: float) -> Tensor:
    """Guided outputs (B, C, H, W) brought back, by a part, to the spread of the positive ones."""
    guided = uncond + cfg * (cond - uncond)
    spread = cond.std((1, 2, 3), keepdim=True) / guided.std((1, 2, 3), keepdim=True)
    return guided * (multiplier * spread + (1.0 - multiplier))


def rescale_cfg(model: Model, multiplier: float) -> Model:
    """Guidance that does not overexpose (Lin et al. 2023, "Common diffusion noise schedules", 3.4).

    multiplier: 0 is plain guidance, 1 the full rescaling. It is done on the velocity, whatever the network
    predicts.
    """

    def patch(said: Said) -> Tensor:
        x, sigma = said["input"], said["sigma"].reshape(-1, 1, 1, 1)
        shown, root = x / (sigma**2 + 1), (sigma**2 + 1) ** 0.5
        cond, uncond = ((shown - said[side]) * root / sigma for side in ("cond_denoised", "uncond_denoised"))
        velocity = rescaled(cond, uncond, said["cond_scale"], multiplier)
        return x - (shown - velocity * sigma / root)

    patched = model.clone()
    patched.set_model_sampler_cfg_function(patch)
    return patched


def mahiro(model: Model) -> Model:
    """Guidance that leans to the positive prompt's own direction, the more the less the two sides agree."""

    def patch(said: Said) -> Tensor:
        cfg, guided = said["cond_scale"], said["denoised"]
        leap = said["cond_denoised"] * cfg
        agreement = F.cosine_similarity(_root(said["uncond_denoised"] * cfg), _root((leap + guided) / 2))
        part = (agreement.mean() + 1) / 2
        return part * guided + (1 - part) * leap

    return _after(model, patch)


def _root(x: Tensor) -> Tensor:
    return x.abs().sqrt() * x.sign()


def projection_scale(positive: Tensor, negative: Tensor) -> Tensor:
    """How much of the negative side lies along the positive: (B, 1, 1, 1)."""
    a, b = positive.flatten(1), negative.flatten(1)
    scale = (a * b).sum(1) / ((b**2).sum(1) + 1e-8)
    return scale.reshape(-1, *[1] * (positive.ndim - 1))


def cfg_zero_star(model: Model) -> Model:
    """Guidance against the negative side scaled to fit the positive (Fan et al. 2025, "CFG-Zero*")."""

    def patch(said: Said) -> Tensor:
        x, uncond = said["input"], said["uncond_denoised"]
        scale = projection_scale(x - said["cond_denoised"], x - uncond)
        return said["denoised"] + uncond * (scale - 1.0) * (1.0 - said["cond_scale"])

    return _after(model, patch)


def cfg_norm(model: Model, strength: float) -> Model:
    """A guided image whose values are, at each place, no longer than the positive side's; times strength."""

    def patch(said: Said) -> Tensor:
        guided, cond = said["denoised"], said["cond_denoised"]
        lengths = cond.norm(dim=1, keepdim=True), guided.norm(dim=1, keepdim=True)
        return guided * (lengths[0] / (lengths[1] + 1e-8)).clamp(0.0, 1.0) * strength

    return _after(model, patch)


def epsilon_scaling(model: Model, scaling_factor: float) -> Model:
    """Predicted noise divided by a factor, against exposure bias (Ning et al. 2023)."""
    return _after(model, lambda said: said["input"] - (said["input"] - said["denoised"]) / scaling_factor)


def damped(positive: Tensor, negative: Tensor) -> Tensor:
    """The negative noise without what is tangential to the direction that both sides share most."""
    flat = negative.flatten(1)[:, None].float()
    both = torch.cat([flat, positive.flatten(1)[:, None].float()], dim=1)
    main = torch.linalg.svd(both, full_matrices=False)[2][:, :1]
    return ((flat @ main.transpose(1, 2)) * main).reshape_as(negative).to(negative.dtype)


def tangential_damping(model: Model) -> Model:
    """Guidance with a damped negative side (Kwon et al. 2025, "TCFG")."""

    def patch(said: Said) -> list[Tensor]:
        if not _both(said):
            return said["conds_out"]
        x, (cond, uncond, *rest) = said["input"], said["conds_out"]
        return [cond, x - damped(x - cond, x - uncond), *rest]

    patched = model.clone()
    patched.set_model_sampler_pre_cfg_function(patch)
    return patched


def split_along(update: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """An update's part along a direction, and the rest, item by item."""
    unit = F.normalize(direction, dim=_ALL)  # type: ignore[arg-type]
    along = (update * unit).sum(_ALL, keepdim=True) * unit
    return along, update - along


@dataclass
class _Momentum:
    """The running sum of updates in one run."""

    run: Any = None
    sigma: float = 0.0
    average: Tensor | None = None

    def add(self, update: Tensor, momentum: float, run: Any, sigma: float) -> Tensor:
        if run is not self.run or sigma > self.sigma:
            self.average = None
        self.average = update if self.average is None else momentum * self.average + update
        self.run, self.sigma = run, sigma
        return self.average


def apg(model: Model, eta: float, norm_threshold: float, momentum: float) -> Model:
    """Guidance split along and across the positive prediction (Sadat et al. 2024, "APG").

    eta: weight of the part along it, which oversaturates; norm_threshold: the longest an update may be, 0 for
    no limit; momentum: weight of earlier updates, below 0 to push away from them.
    """
    memory = _Momentum()

    def patch(said: Said) -> list[Tensor]:
        if not _both(said):
            return said["conds_out"]
        cond, uncond, *rest = said["conds_out"]
        update = cond - uncond
        if momentum:
            run = said["model_options"].get("transformer_options", {}).get("sample_sigmas")
            update = memory.add(update, momentum, run, float(said["sigma"][0]))
        if norm_threshold > 0:
            length = torch.linalg.vector_norm(update, dim=_ALL, keepdim=True)
            update = update * (norm_threshold / length).clamp(max=1.0)
        along, across = split_along(update, cond)
        # Guidance multiplies by cfg what is between the sides; the paper multiplies only the update.
        return [uncond + across + eta * along + (cond - uncond) / said["cond_scale"], uncond, *rest]

    patched = model.clone()
    patched.set_model_sampler_pre_cfg_function(patch)
    return patched


def perp_neg(model: Model, empty: Conditioning, neg_scale: float) -> Model:
    """Only what the negative prompt has that the positive has not is pushed away (Armandpour et al. 2023).

    empty: the conditioning of no prompt.
    """

    prepared: list[tuple[Any, Any]] = []

    def blank_side(said: Said) -> Any:
        run, x = said["model_options"]["transformer_options"].get("sample_sigmas"), said["input"]
        if run is None or not prepared or prepared[0][0] is not run:
            canvas = Canvas(x, torch.zeros_like(x))
            prepared[:] = [(run, prepare(Model(said["model"]), {"negative": empty}, canvas)["negative"])]
        return prepared[0][1]

    def patch(said: Said) -> Tensor:
        x, handle = said["input"], Model(said["model"])
        [blank] = predictions(handle, [blank_side(said)], x, said["sigma"], said["model_options"])
        cond, uncond = said["cond_denoised"], said["uncond_denoised"]
        return x - perpendicular(cond, uncond, blank, neg_scale, said["cond_scale"])

    patched = model.clone()
    patched.set_model_sampler_cfg_function(patch)
    return patched
