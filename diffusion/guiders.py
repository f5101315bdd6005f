"""Rules that make one clean image of several conditionings: what a Guider may follow instead of plain
guidance."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from diffusion.guidance import Options, combine, guided, predictions

if TYPE_CHECKING:
    from diffusion.sampling import Guider, Rule


def classifier_free(guider: "Guider", x: Tensor, sigma: Tensor, options: Options) -> Tensor:
    """Plain guidance with the guider's cfg (Ho and Salimans 2022)."""
    conds = guider.conds
    return guided(
        guider.model_patcher, x, sigma, conds["positive"], conds.get("negative"), guider.cfg, options
    )


def dual(cfg_first: float, cfg_second: float, nested: bool = False) -> "Rule":
    """Two prompts ("positive", "middle") against "negative" (Brooks et al. 2023, InstructPix2Pix).

    cfg_first weighs the first prompt against the second, cfg_second the second against the negative. nested:
    the negative is weighed against both together.
    """

    def rule(guider: "Guider", x: Tensor, sigma: Tensor, options: Options) -> Tensor:
        model, conds = guider.model_patcher, guider.conds
        sides = [conds.get("negative"), conds.get("middle"), conds["positive"]]
        if nested:
            negative, middle, positive = predictions(model, sides, x, sigma, options)
            return negative + cfg_second * (
                combine(model, x, sigma, positive, middle, cfg_first, options) - negative
            )
        if math.isclose(cfg_second, 1.0) and not options.get("disable_cfg1_optimization", False):
            sides[0] = None
            if math.isclose(cfg_first, 1.0):
                sides[1] = None
        negative, middle, positive = predictions(model, sides, x, sigma, options)
        return (
            combine(model, x, sigma, middle, negative, cfg_second, options) + (positive - middle) * cfg_first
        )

    return rule


def perpendicular_negative(cfg: float, neg_scale: float) -> "Rule":
    """Only what the negative prompt has that the positive has not is pushed away (Armandpour et al. 2023).

    Sides: "positive", "negative" and "empty_negative_prompt", which stands for no prompt.
    """

    def rule(guider: "Guider", x: Tensor, sigma: Tensor, options: Options) -> Tensor:
        model, conds = guider.model_patcher, guider.conds
        sides = [conds[side] for side in ("positive", "negative", "empty_negative_prompt")]
        positive, negative, empty = predictions(model, sides, x, sigma, options)
        result = perpendicular(positive, negative, empty, neg_scale, cfg)
        for change in options.get("sampler_post_cfg_function", ()):
            result = change(
                {
                    "denoised": result,
                    "cond": sides[0],
                    "uncond": sides[1],
                    "cond_denoised": positive,
                    "uncond_denoised": negative,
                    "empty_cond": sides[2],
                    "empty_cond_denoised": empty,
                    "cond_scale": cfg,
                    "timestep": sigma,
                    "sigma": sigma,
                    "input": x,
                    "model": model.network,
                    "model_options": options,
                }
            )
        return result

    return rule


def perpendicular(positive: Tensor, negative: Tensor, empty: Tensor, neg_scale: float, cfg: float) -> Tensor:
    """The guided clean image from those of the positive, the negative and no prompt."""
    wanted, unwanted = positive - empty, negative - empty
    shared = (unwanted * wanted).sum() / torch.linalg.vector_norm(wanted) ** 2 * wanted
    return empty + cfg * (wanted - neg_scale * (unwanted - shared))
