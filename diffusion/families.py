"""Model families: one row each, and how a row is chosen from what a file holds."""

from dataclasses import dataclass
from typing import Final, Literal

Prediction = Literal["eps", "v_prediction"]
Weighting = Literal["final", "hidden"]


@dataclass(frozen=True, slots=True)
class TextTower:
    """One text encoder of a family.

    name: its name in token dicts ("l", "h", "g"); prefix: where a single file keeps it; layout: "clip"
    (transformers' names) or "open_clip"; layer: the hidden layer used, counted from the end (-1 the last);
    normed: whether the final norm is applied to it; pad: the token that fills a chunk (None: the end
    token); activation: of its MLP.
    """

    name: str
    prefix: str
    layout: Literal["clip", "open_clip"]
    layer: int = -1
    normed: bool = True
    pad: int | None = None
    activation: str = "quick_gelu"


@dataclass(frozen=True, slots=True)
class Family:
    """What every checkpoint of a family shares. size_inputs: the numbers that condition it beside the
    pooled text."""

    name: str
    title: str
    base: str
    towers: tuple[TextTower, ...]
    latent_scale: float = 0.18215
    latent_channels: int = 4
    in_channels: int = 4
    concat: tuple[str, ...] = ()
    prediction: Prediction = "eps"
    size_inputs: tuple[str, ...] = ()
    heads: int | None = None
    head_width: int = 64
    beta_start: float = 0.00085
    beta_end: float = 0.012


_CLIP_L = TextTower("l", "cond_stage_model.transformer.", "clip")
_CLIP_H = TextTower("h", "cond_stage_model.model.", "open_clip", layer=-2, pad=0, activation="gelu")
_XL_L = TextTower("l", "conditioner.embedders.0.transformer.", "clip", layer=-2, normed=False)
_XL_G = TextTower(
    "g", "conditioner.embedders.1.model.", "open_clip", layer=-2, normed=False, pad=0, activation="gelu"
)
_REFINER_G = TextTower(
    "g", "conditioner.embedders.0.model.", "open_clip", layer=-2, normed=False, pad=0, activation="gelu"
)
_SIZES = ("height", "width", "crop_h", "crop_w", "target_height", "target_width")
_REFINER_SIZES = ("height", "width", "crop_h", "crop_w", "aesthetic_score")
_INPAINT = ("mask", "masked_image")

_ROWS = (
    Family("sd1", "Stable Diffusion 1.x", "sd1", (_CLIP_L,), heads=8),
    Family(
        "sd1-inpaint", "Stable Diffusion 1.x inpainting", "sd1", (_CLIP_L,),
        in_channels=9, concat=_INPAINT, heads=8,
    ),
    Family("sd1-ip2p", "InstructPix2Pix", "sd1", (_CLIP_L,), in_channels=8, concat=("image",), heads=8),
    Family("sd2", "Stable Diffusion 2.x", "sd2", (_CLIP_H,)),
    Family("sd2-v", "Stable Diffusion 2.x 768 (v)", "sd2", (_CLIP_H,), prediction="v_prediction"),
    Family(
        "sd2-inpaint", "Stable Diffusion 2.x inpainting", "sd2", (_CLIP_H,), in_channels=9, concat=_INPAINT,
    ),
    Family("sd2-depth", "Stable Diffusion 2.x depth", "sd2", (_CLIP_H,), in_channels=5, concat=("depth",)),
    Family("sdxl", "Stable Diffusion XL", "sdxl", (_XL_L, _XL_G), latent_scale=0.13025, size_inputs=_SIZES),
    Family(
        "sdxl-inpaint", "Stable Diffusion XL inpainting", "sdxl", (_XL_L, _XL_G),
        latent_scale=0.13025, in_channels=9, concat=_INPAINT, size_inputs=_SIZES,
    ),
    Family(
        "sdxl-ip2p", "Stable Diffusion XL InstructPix2Pix", "sdxl", (_XL_L, _XL_G),
        latent_scale=0.13025, in_channels=8, concat=("image",), size_inputs=_SIZES,
    ),
    Family(
        "sdxl-refiner", "Stable Diffusion XL refiner", "sdxl-refiner", (_REFINER_G,),
        latent_scale=0.13025, size_inputs=_REFINER_SIZES,
    ),
)  # fmt: skip

FAMILIES: Final[dict[str, Family]] = {row.name: row for row in _ROWS}

PUBLISHED_CONTEXTS: Final = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl-refiner"}


def choose(base: str, in_channels: int, prediction: str) -> Family | None:
    """The row for a base family, the network's input channels and its prediction; None when there is none."""
    rows = [row for row in _ROWS if row.base == base and row.in_channels == in_channels]
    exact = [row for row in rows if row.prediction == prediction]
    return (exact or rows or [None])[0]
