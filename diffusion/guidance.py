"""Guidance: from a noisy latent and conditionings to the clean image, in as few network calls as memory
allows."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from diffusion.conditions import Area, Condition, condition_of
from diffusion.devices import free_memory, is_out_of_memory
from diffusion.stages import tell
from diffusion.values import Model
from diffusion.wrappers import wrapped

Options = dict[str, Any]

# Activations of a U-Net, in values for each latent pixel and channel of its first level; measured on SD1.5,
# rounded up.
_ACTIVATIONS = 64
_MAX_REPEAT = 4


def predictions(
    model: Model, sides: Sequence[Sequence[Condition] | None], x: Tensor, sigma: Tensor, options: Options
) -> list[Tensor]:
    """Each side's clean image: its active conditionings, averaged by strength where they overlap (zeros for
    None)."""
    run = wrapped(_predictions, "calc_cond_batch", options.get("transformer_options", {}))
    return run(model, sides, x, sigma, options)


def _predictions(
    model: Model, sides: Sequence[Sequence[Condition] | None], x: Tensor, sigma: Tensor, options: Options
) -> list[Tensor]:
    sums = [torch.zeros_like(x) for _ in sides]
    weights = [torch.full_like(x, 1e-37) for _ in sides]
    level = float(sigma[0])
    jobs = [
        (number, condition)
        for number, side in enumerate(sides)
        for condition in map(condition_of, side or ())
        if condition.active(level)
    ]
    tell(model, "on_prepare_state", sigma)
    for batch in _batches(model, jobs, x):
        outputs = _outputs(model, batch, x, sigma, options)
        for (number, condition), output in zip(batch, outputs, strict=True):
            where = _window(condition.area, x)
            weight = _weight(condition, x)
            sums[number][where] += output * weight
            weights[number][where] += weight
    return [total / weight for total, weight in zip(sums, weights, strict=True)]


Job = tuple[int, Condition]


def _batches(model: Model, jobs: list[Job], x: Tensor) -> list[list[Job]]:
    """Jobs that may share a call, together; at most as many as fit in memory. The last side goes first, as
    the field's patches know it."""
    batches: list[list[Job]] = []
    limit = _limit(model, x)
    for job in jobs:
        fitting = (b for b in batches if len(b) < limit and _may_share(b[0][1], job[1], x))
        batch = next(fitting, None)
        if batch is None:
            batches.append([job])
        else:
            batch.append(job)
    return [batch[::-1] for batch in batches]


def _limit(model: Model, x: Tensor) -> int:
    network = model.network
    item = x.shape[0] * x.shape[-1] * x.shape[-2] * network.layout.model_channels * _ACTIVATIONS
    return max(1, int(free_memory(network.compute.device) * 0.7 // (item * network.compute.dtype.itemsize)))


def _may_share(a: Condition, b: Condition, x: Tensor) -> bool:
    lengths = sorted((a.text.shape[1], b.text.shape[1]))
    return (
        _shape(a.area, x) == _shape(b.area, x)
        and (a.vector is None) == (b.vector is None)
        and (a.channels is None) == (b.channels is None)
        and a.control is b.control
        and a.more.keys() == b.more.keys()
        and all(value.can_concat(b.more[name]) for name, value in a.more.items())
        and math.lcm(*lengths) // lengths[0] <= _MAX_REPEAT
    )


def _shape(area: Area | None, x: Tensor) -> tuple[int, ...]:
    return tuple(x[_window(area, x)].shape)


def _window(area: Area | None, x: Tensor) -> tuple[slice, ...]:
    if area is None:
        return (slice(None), slice(None))
    height, width, top, left = area
    return (slice(None), slice(None), slice(top, top + height), slice(left, left + width))


def _weight(condition: Condition, x: Tensor) -> Tensor:
    """How much a conditioning counts at each pixel of its area; areas fade in over 8 pixels inside the
    picture."""
    part = x[_window(condition.area, x)]
    weight = torch.full_like(part, condition.strength)
    if condition.mask is not None:
        mask = condition.mask[(slice(None), *_window(condition.area, x)[2:])]
        return (
            weight * mask[:, None].to(x).repeat(math.ceil(x.shape[0] / mask.shape[0]), 1, 1, 1)[: x.shape[0]]
        )
    if condition.area is not None:
        _fade(weight, condition.area, x)
    return weight


def _fade(weight: Tensor, area: Area, x: Tensor) -> None:
    for axis in (0, 1):
        size, start = area[axis], area[axis + 2]
        ramp = min(8, weight.shape[2 + axis] // 4)
        for step in range(ramp):
            if start != 0:
                weight.narrow(2 + axis, step, 1).mul_((step + 1) / ramp)
            if start + size < x.shape[2 + axis]:
                weight.narrow(2 + axis, weight.shape[2 + axis] - 1 - step, 1).mul_((step + 1) / ramp)


def _outputs(model: Model, batch: list[Job], x: Tensor, sigma: Tensor, options: Options) -> list[Tensor]:
    """Clean images of a batch: by one call, or by two of half of it when memory runs out."""
    try:
        return _call(model, batch, x, sigma, options)
    except (RuntimeError, MemoryError) as error:
        if len(batch) == 1 or not is_out_of_memory(error):
            raise
    half = len(batch) // 2
    return [o for part in (batch[:half], batch[half:]) for o in _outputs(model, part, x, sigma, options)]


def _call(model: Model, batch: list[Job], x: Tensor, sigma: Tensor, options: Options) -> list[Tensor]:
    """One network call for several conditionings; their clean images in order."""
    conditions = [condition for _, condition in batch]
    count, each = len(batch), x.shape[0]
    parts = torch.cat([x[_window(c.area, x)] for c in conditions])
    sigmas = sigma.repeat(count)
    c: dict[str, Any] = {"c_crossattn": _texts(conditions, each)}
    if conditions[0].vector is not None:
        c["y"] = torch.cat([_repeat(k.vector, each) for k in conditions])
    if conditions[0].channels is not None:
        c["c_concat"] = torch.cat([_repeat(k.channels, each)[_window(k.area, x)] for k in conditions])
    for name in conditions[0].more:
        first, *others = (k.more[name].process_cond(batch_size=each, area=k.area) for k in conditions)
        c[name] = first.concat(others)
    c["transformer_options"] = _transformer_options(batch, sigmas, each, options)
    if (own := _control_texts(conditions, each)) is not None:
        c["crossattn_controlnet"] = own
    if conditions[0].control is not None:
        c["control"] = conditions[0].control.get_control(parts, sigmas, c, count, c["transformer_options"])
    wrapper = options.get("model_function_wrapper")
    if wrapper is None:
        output = model.network.apply_model(parts, sigmas, **c)
    else:
        marks = [number for number, _ in batch]
        output = wrapper(
            model.network.apply_model,
            {"input": parts, "timestep": sigmas, "c": c, "cond_or_uncond": marks},
        )
    return list(output.chunk(count))


def _texts(conditions: list[Condition], each: int) -> Tensor:
    """Text of several conditionings for one call, repeated to one length: attention does not notice
    repetition."""
    length = math.lcm(*(c.text.shape[1] for c in conditions))
    return torch.cat([_repeat(c.text, each).repeat(1, length // c.text.shape[1], 1) for c in conditions])


def _control_texts(conditions: list[Condition], each: int) -> Tensor | None:
    """Text that ControlNets read in place of the prompt, where a conditioning has one of its own."""
    if not any("cross_attn_controlnet" in c.extras for c in conditions):
        return None
    return _texts([replace(c, text=c.extras.get("cross_attn_controlnet", c.text)) for c in conditions], each)


def _repeat(tensor: Tensor | None, batch: int) -> Tensor:
    assert tensor is not None
    times = math.ceil(batch / tensor.shape[0])
    return tensor.repeat(times, *[1] * (tensor.ndim - 1))[:batch]


def _transformer_options(batch: list[Job], sigmas: Tensor, each: int, options: Options) -> Options:
    made = dict(options.get("transformer_options", {}))
    made["cond_or_uncond"] = [number for number, _ in batch]
    made["uuids"] = [condition.extras.get("uuid", id(condition)) for _, condition in batch]
    made["sigmas"] = sigmas[:each]
    return made


def guided(
    model: Model,
    x: Tensor,
    sigma: Tensor,
    positive: Sequence[Condition],
    negative: Sequence[Condition] | None,
    cfg: float,
    options: Options,
) -> Tensor:
    """The clean image under classifier-free guidance (Ho and Salimans 2022). cfg 1 costs one conditioning's
    call."""
    if math.isclose(cfg, 1.0) and not options.get("disable_cfg1_optimization", False):
        negative = None
    outputs = predictions(model, [positive, negative], x, sigma, options)
    for change in options.get("sampler_pre_cfg_function", ()):
        outputs = change(
            {
                "conds": [positive, negative],
                "conds_out": outputs,
                "cond_scale": cfg,
                "timestep": sigma,
                "input": x,
                "sigma": sigma,
                "model": model.network,
                "model_options": options,
            }
        )
    return combine(model, x, sigma, outputs[0], outputs[1], cfg, options, (positive, negative))


def combine(
    model: Model,
    x: Tensor,
    sigma: Tensor,
    cond: Tensor,
    uncond: Tensor,
    cfg: float,
    options: Options,
    sides: tuple[Sequence[Condition] | None, Sequence[Condition] | None] = (None, None),
) -> Tensor:
    """Two sides' clean images → the guided one, through the functions that patches put in the way.

    sides: the conditionings that the clean images came from, for functions that ask the network again.
    """
    said = {
        "cond_scale": cfg,
        "timestep": sigma,
        "sigma": sigma,
        "input": x,
        "cond_denoised": cond,
        "uncond_denoised": uncond,
        "model": model.network,
        "model_options": options,
    }
    replacement = options.get("sampler_cfg_function")
    if replacement is None:
        result = uncond + (cond - uncond) * cfg
    else:
        asked = {"cond": x - cond, "uncond": x - uncond, "input_cond": sides[0], "input_uncond": sides[1]}
        result = x - replacement({**said, **asked})
    for change in options.get("sampler_post_cfg_function", ()):
        result = change({**said, "denoised": result, "cond": sides[0], "uncond": sides[1]})
    return result
