"""Conditioning made ready for one sampling run: areas in latent pixels, masks, sigma ranges, vectors, extra
channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.unclip import pooled_of, vector_of
from diffusion.unet import timestep_embedding
from diffusion.values import Conditioning, Model

Area = tuple[int, int, int, int]
"""Height, width, top and left, in latent pixels."""

SIZE_EMBEDDING: Final = 256
# What an inpainting network sees where there is no picture: mid-grey through the SD1 autoencoder, scaled.
GREY: Final = (0.8223, -0.6876, 0.6364, 0.1380)


@dataclass(frozen=True)
class Condition:
    """One conditioning, ready: text (1, T, W), vector (1, A) and extra channels (B, C, H, W) if the network
    takes them.

    It counts only where area and mask say, with strength, while start >= sigma >= end. extras: all other
    keys.
    """

    text: Tensor
    vector: Tensor | None
    channels: Tensor | None
    extras: dict[str, Any]
    strength: float = 1.0
    area: Area | None = None
    mask: Tensor | None = None
    start: float | None = None
    end: float | None = None
    control: Any = None
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else the network is told: plugins' values that know how to be repeated and joined."""

    def active(self, sigma: float) -> bool:
        """Whether this conditioning counts at a sigma."""
        return not (self.start is not None and sigma > self.start) and not (
            self.end is not None and sigma < self.end
        )


@dataclass(frozen=True)
class Canvas:
    """What a run samples on: its noise and start (network's latents, (B, C, H, W)), noise mask and seed."""

    noise: Tensor
    latent: Tensor
    mask: Tensor | None = None
    seed: int | None = None

    @property
    def height(self) -> int:
        return self.noise.shape[-2]

    @property
    def width(self) -> int:
        return self.noise.shape[-1]


def as_dicts(conditioning: Conditioning) -> list[dict[str, Any]]:
    """Conditioning as a run takes it: each text among its keys, as "cross_attn"."""
    return [
        {**keys, "cross_attn": text, "model_conds": dict(keys.get("model_conds", {})), "uuid": uuid4()}
        for text, keys in conditioning
    ]


def _keys(one: dict[str, Any] | list[Any]) -> dict[str, Any]:
    return one if isinstance(one, dict) else as_dicts([one])[0]


def prepare(
    model: Model, sides: Mapping[str, Sequence[dict[str, Any] | list[Any]]], canvas: Canvas
) -> dict[str, list[Condition]]:
    """The conditionings of each side ("positive", "negative", ...) for a run, sides matched to each other's
    areas."""
    ready = {
        side: [_ready(model, keys["cross_attn"], keys, canvas, side) for keys in map(_keys, conds)]
        for side, conds in sides.items()
    }
    for side, conditions in ready.items():
        for other in (o for name, o in ready.items() if name != side):
            for condition in list(conditions):
                _match_area(other, condition)
    if "positive" in ready and "negative" in ready:
        _share_control(ready["positive"], ready["negative"])
    controls = [c.control for conditions in ready.values() for c in conditions if c.control is not None]
    for control in {id(control): control for control in controls}.values():
        control.pre_run(model.network, model.sampling.percent_to_sigma)
    return ready


def forget(sides: Mapping[str, Sequence[Condition | Mapping[str, Any]]]) -> None:
    """Let the ControlNets of a run go of its model, which conditionings outlive."""
    for one in (one for conditions in sides.values() for one in conditions):
        control = one.control if isinstance(one, Condition) else one.get("control")
        if control is not None:
            control.cleanup()


def _ready(model: Model, text: Tensor, keys: dict[str, Any], canvas: Canvas, side: str) -> Condition:
    _check_width(model, text)
    area, mask = _placed(keys, canvas)
    sampling = model.sampling
    start, end = keys.get("start_percent"), keys.get("end_percent")
    told = _told(model, keys, canvas, side)
    return Condition(
        text=text,
        vector=_first(_vector(model, keys, canvas, side), told.pop("y", None)),
        channels=_first(_channels(model, keys, canvas), keys.get("noise_concat"), told.pop("c_concat", None)),
        extras=keys,
        strength=keys.get("strength", 1.0),
        area=area,
        mask=mask,
        start=None if start is None else sampling.percent_to_sigma(start),
        end=None if end is None else sampling.percent_to_sigma(end),
        control=keys.get("control"),
        more={name: value for name, value in told.items() if name != "c_crossattn"},
    )


def _told(model: Model, keys: dict[str, Any], canvas: Canvas, side: str) -> dict[str, Any]:
    """What a conditioning, or a part that a patch put in the network, tells it by the field's names."""
    told = dict(keys.get("model_conds", {}))
    if ask := vars(model.model).get("extra_conds"):
        facts = {"noise": canvas.noise, "latent_image": canvas.latent, "denoise_mask": canvas.mask}
        size = {"width": canvas.width * 8, "height": canvas.height * 8, "device": canvas.noise.device}
        told |= ask(**{**size, **facts, "seed": canvas.seed, "prompt_type": side, **keys})
    return told


def _first(*values: Any) -> Tensor | None:
    """The first value there is; one that knows how to be joined is taken out."""
    found = next((value for value in values if value is not None), None)
    return getattr(found, "cond", found)


def condition_of(keys: Condition | Mapping[str, Any]) -> Condition:
    """A condition of the field's keys, as plugins change them; one that is ready stays."""
    if isinstance(keys, Condition):
        return keys
    told = dict(keys.get("model_conds", {}))
    text, area, mask = told.pop("c_crossattn", None), keys.get("area"), keys.get("mask")
    return Condition(
        text=keys["cross_attn"] if text is None else text.cond,
        vector=_first(told.pop("y", None)),
        channels=_first(told.pop("c_concat", None)),
        extras=dict(keys),
        strength=keys.get("strength", 1.0),
        area=None if area is None else tuple(area),
        mask=None if mask is None else mask * keys.get("mask_strength", 1.0),
        start=keys.get("timestep_start"),
        end=keys.get("timestep_end"),
        control=keys.get("control"),
        more=told,
    )


def _check_width(model: Model, text: Tensor) -> None:
    wanted = model.model.layout.context
    if text.shape[-1] != wanted:
        raise DiffusionError(
            f"this conditioning is {text.shape[-1]} wide, but {model.family.title} takes {wanted}: "
            "it was made with the text encoder of another family. Use the CLIP that belongs to this model."
        )


def _placed(keys: dict[str, Any], canvas: Canvas) -> tuple[Area | None, Tensor | None]:
    area, mask = keys.get("area"), keys.get("mask")
    if area is not None and area[0] == "percentage":
        area = _from_percentage(area[1:], canvas)
    if mask is not None:
        mask = _fit_mask(mask, canvas)
        if keys.get("set_area_to_bounds", False):
            area = _bounds(mask)
        mask = mask * keys.get("mask_strength", 1.0)
    return None if area is None else _inside(area, canvas), mask


def _inside(area: Area, canvas: Canvas) -> Area:
    height, width, top, left = area
    if top >= canvas.height or left >= canvas.width:
        raise DiffusionError(
            f"an area begins at {left * 8}, {top * 8}, outside the picture of "
            f"{canvas.width * 8}×{canvas.height * 8}. Move it inside or make the latent larger."
        )
    return (min(height, canvas.height - top), min(width, canvas.width - left), top, left)


def _from_percentage(part: tuple[float, ...], canvas: Canvas) -> Area:
    height, width, top, left = part
    return (
        max(1, round(height * canvas.height)),
        max(1, round(width * canvas.width)),
        round(top * canvas.height),
        round(left * canvas.width),
    )


def _fit_mask(mask: Tensor, canvas: Canvas) -> Tensor:
    mask = mask.float()
    mask = mask[None] if mask.ndim == 2 else mask
    if mask.shape[-2:] != (canvas.height, canvas.width):
        size = (canvas.height, canvas.width)
        mask = F.interpolate(mask[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]
    return mask


def _bounds(mask: Tensor) -> Area:
    """The smallest area around what a mask lets through, at least 8 latent pixels each way."""
    rows, columns = (mask.amax(0).amax(d) > 0 for d in (1, 0))
    if not rows.any():
        return (8, 8, 0, 0)
    top, left = int(rows.nonzero()[0]), int(columns.nonzero()[0])
    height, width = int(rows.nonzero()[-1]) - top + 1, int(columns.nonzero()[-1]) - left + 1
    return (max(8, height), max(8, width), top, left)


def _vector(model: Model, keys: dict[str, Any], canvas: Canvas, side: str) -> Tensor | None:
    """The vector conditioning: pooled text, then a sinusoid for each size the family is told."""
    width = model.model.layout.adm
    if width is None:
        return None
    if not model.family.size_inputs:
        return vector_of(model, keys, width, canvas.seed)
    sizes = [_size(name, keys, canvas, side) for name in model.family.size_inputs]
    waves = timestep_embedding(torch.tensor(sizes), SIZE_EMBEDDING).flatten()[None]
    pooled = pooled_of(keys, canvas.seed, width - waves.shape[1])
    if pooled is None:
        pooled = torch.zeros(1, width - waves.shape[1])
    vector = torch.cat([pooled.flatten(1).float(), waves.expand(pooled.shape[0], -1)], dim=1)
    if vector.shape[1] != width:
        raise DiffusionError(
            f"the pooled text is {pooled.shape[1]} wide, but {model.family.title} takes "
            f"{width - waves.shape[1]}: use the CLIP that belongs to this model."
        )
    return vector


def _size(name: str, keys: dict[str, Any], canvas: Canvas, side: str) -> float:
    whole = {"height": canvas.height * 8, "width": canvas.width * 8}
    height, width = keys.get("height", whole["height"]), keys.get("width", whole["width"])
    defaults = {
        "height": height,
        "width": width,
        "target_height": height,
        "target_width": width,
        "aesthetic_score": 2.5 if keys.get("prompt_type", side) == "negative" else 6.0,
    }
    return float(keys.get(name, defaults.get(name, 0)))


def _channels(model: Model, keys: dict[str, Any], canvas: Canvas) -> Tensor | None:
    """The extra input channels of inpainting, depth and picture-editing networks."""
    names = model.family.concat
    if not names:
        return None
    picture = keys.get("concat_latent_image")
    picture = canvas.latent if picture is None else model.network.process_latent_in(picture)
    mask = keys.get("concat_mask", canvas.mask)
    parts = {
        "mask": lambda: _mask_channel(mask, canvas),
        "masked_image": lambda: _grey(canvas) if mask is None else _fit(picture, canvas),
        "image": lambda: _fit(picture / model.family.latent_scale, canvas),
        "depth": lambda: _fit(mask, canvas) if mask is not None else torch.zeros_like(canvas.noise[:, :1]),
    }
    return torch.cat([parts[name]() for name in names], dim=1)


def _mask_channel(mask: Tensor | None, canvas: Canvas) -> Tensor:
    if mask is None:
        return torch.ones_like(canvas.noise[:, :1])
    mask = mask[:, :1] if mask.ndim == canvas.noise.ndim else mask.reshape(-1, 1, *mask.shape[-2:])
    return _fit(mask, canvas).round()


def _grey(canvas: Canvas) -> Tensor:
    return torch.ones_like(canvas.noise) * torch.tensor(GREY).to(canvas.noise)[None, :, None, None]


def _fit(image: Tensor, canvas: Canvas) -> Tensor:
    """Scaled (cropped at the centre to the canvas's shape first) and repeated to the canvas's batch."""
    if image.shape[-2:] != canvas.noise.shape[-2:]:
        image = F.interpolate(_crop(image, canvas), size=(canvas.height, canvas.width), mode="bilinear")
    return fit_batch(image, canvas.noise.shape[0])


def _crop(image: Tensor, canvas: Canvas) -> Tensor:
    height, width = image.shape[-2:]
    old, new = width / height, canvas.width / canvas.height
    x = round((width - width * (new / old)) / 2) if old > new else 0
    y = round((height - height * (old / new)) / 2) if old < new else 0
    return image[..., y : height - y, x : width - x]


def fit_batch(tensor: Tensor, batch: int) -> Tensor:
    """Cut or repeated along the first axis to a batch size."""
    if tensor.shape[0] >= batch:
        return tensor[:batch]
    times = -(-batch // tensor.shape[0])
    return tensor.repeat(times, *[1] * (tensor.ndim - 1))[:batch]


def _match_area(others: list[Condition], condition: Condition) -> None:
    """Give the other side a twin for an area: its smallest conditioning that covers it, cut to that area."""
    if condition.area is None:
        return
    covering = [o for o in others if o.area is None or _covers(o.area, condition.area)]
    areas = [o for o in covering if o.area is not None]
    smallest = min(areas, key=lambda o: (o.area or (0, 0))[0] * (o.area or (0, 0))[1]) if areas else None
    chosen = smallest or (covering[0] if covering else None)
    if chosen is not None and chosen.area != condition.area:
        others.append(replace(condition, text=chosen.text, vector=chosen.vector, channels=chosen.channels))


def _covers(outer: Area, inner: Area) -> bool:
    return all(
        outer[i + 2] <= inner[i + 2] and outer[i] + outer[i + 2] >= inner[i] + inner[i + 2] for i in (0, 1)
    )


def _share_control(positive: list[Condition], negative: list[Condition]) -> None:
    """Conditionings that ask for it lend their ControlNets to the other side."""
    shared = [
        c.control
        for c in positive
        if c.control is not None and c.extras.get("control_apply_to_uncond", False)
    ]
    if not shared or any(c.control is not None for c in negative):
        return
    for index, condition in enumerate(negative[:]):
        if condition.area is None:
            negative[index] = replace(condition, control=shared[index % len(shared)])
