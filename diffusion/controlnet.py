"""ControlNet: a second network that reads a hint picture and adds to the U-Net's skips (Zhang et al.
2023)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.controlnet_layout import control_config, rename_control
from diffusion.devices import Device, choose_device
from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES, PUBLISHED_CONTEXTS, Family
from diffusion.headers import read_header
from diffusion.loading import open_tensors
from diffusion.modules import control_class
from diffusion.probe import CONTROL, facts_of, strip
from diffusion.unet import Options, control_residuals
from diffusion.unet_layout import UnetLayout, unet_layout
from diffusion.weights import assign, hollow, make_casting, ready

Residuals = dict[str, list[Tensor | None]]


@dataclass
class ControlNet:
    """CONTROL_NET: a network, its hint picture, how strongly and when it counts, and the one that counts
    before it."""

    control_model: nn.Module
    layout: UnetLayout
    family: Family
    compute: Device
    path: Path | None = None
    cond_hint_original: Tensor | None = None
    strength: float = 1.0
    timestep_percent_range: tuple[float, float] = (0.0, 1.0)
    previous_controlnet: ControlNet | None = None
    _range: tuple[float, float] | None = field(default=None, repr=False)
    _sampling: Any = field(default=None, repr=False)

    def copy(self) -> ControlNet:
        """A handle to the same network that may be set up alone."""
        return copy.copy(self)

    def set_cond_hint(
        self,
        cond_hint: Tensor,
        strength: float = 1.0,
        timestep_percent_range: tuple[float, float] = (0.0, 1.0),
        **_: Any,
    ) -> ControlNet:
        """Set the hint (B, 3, H, W) in 0..1, its strength, and from which to which part of the way it
        counts."""
        self.cond_hint_original = cond_hint
        self.strength = strength
        self.timestep_percent_range = timestep_percent_range
        return self

    def set_previous_controlnet(self, controlnet: ControlNet | None) -> ControlNet:
        self.previous_controlnet = controlnet
        return self

    def pre_run(self, model: Any, percent_to_sigma: Callable[[float], float]) -> None:
        """Make ready for a run of a network."""
        if model.layout.context != self.layout.context:
            raise DiffusionError(
                f"{self.path.name if self.path else 'this ControlNet'} is a ControlNet for "
                f"{self.family.title}, but the model is {model.family.title}. "
                f"Use a ControlNet made for {model.family.title}."
            )
        start, end = self.timestep_percent_range
        self._range, self._sampling = (percent_to_sigma(start), percent_to_sigma(end)), model.model_sampling
        if self.previous_controlnet is not None:
            self.previous_controlnet.pre_run(model, percent_to_sigma)

    def cleanup(self) -> None:
        """Forget what a run needed."""
        self._range = self._sampling = None
        if self.previous_controlnet is not None:
            self.previous_controlnet.cleanup()

    def get_control(
        self,
        x_noisy: Tensor,
        t: Tensor,
        cond: dict[str, Any],
        batched_number: int,
        transformer_options: Options,
    ) -> Residuals | None:
        """What this network, and those before it, add to the U-Net for x at sigma t."""
        before = None
        if self.previous_controlnet is not None:
            before = self.previous_controlnet.get_control(
                x_noisy, t, cond, batched_number, transformer_options
            )
        if self._range is not None and not self._range[1] <= float(t[0]) <= self._range[0]:
            return before
        return _added(self._residuals(x_noisy, t, cond, batched_number), before)

    def _residuals(self, x: Tensor, t: Tensor, cond: dict[str, Any], batches: int) -> Residuals:
        device, dtype = self.compute.device, self.compute.dtype
        ready(self.control_model, device, dtype)
        hint = self._fitted_hint(x, batches)
        skips, middle = control_residuals(
            self.control_model,
            self._sampling.calculate_input(t, x).to(device, dtype),
            hint.to(device, dtype),
            self._sampling.timestep(t).float().to(device),
            cond["c_crossattn"].to(device, dtype),
            cond.get("y"),
        )
        return {
            "output": [skip * self.strength for skip in skips],
            "middle": [middle * self.strength],
        }

    def _fitted_hint(self, x: Tensor, batches: int) -> Tensor:
        if self.cond_hint_original is None:
            raise DiffusionError("this ControlNet has no hint picture: apply it with one first.")
        hint = fit_picture(self.cond_hint_original, x.shape[3] * 8, x.shape[2] * 8)
        each = x.shape[0] // batches
        times = -(-each // hint.shape[0])
        return hint.repeat(times, 1, 1, 1)[:each].repeat(batches, 1, 1, 1)


def _added(residuals: Residuals, before: Residuals | None) -> Residuals:
    if before is None:
        return residuals
    return {
        side: [_sum(a, b) for a, b in zip(parts, before[side], strict=True)]
        for side, parts in residuals.items()
    }


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b


def fit_picture(picture: Tensor, width: int, height: int) -> Tensor:
    """(B, C, H, W) cropped at the centre to a shape, then scaled to its size by the nearest pixel."""
    old_height, old_width = picture.shape[2:]
    old, new = old_width / old_height, width / height
    x = round((old_width - old_width * (new / old)) / 2) if old > new else 0
    y = round((old_height - old_height * (old / new)) / 2) if old < new else 0
    cut = picture.narrow(-2, y, old_height - y * 2).narrow(-1, x, old_width - x * 2)
    return F.interpolate(cut, size=(height, width), mode="nearest-exact")


def load_controlnet(path: Path | str, *, device: Device | None = None) -> ControlNet:
    """The ControlNet in a single file; DiffusionError says what is wrong."""
    path = Path(path)
    facts = facts_of(read_header(path))
    if facts.kind != "controlnet":
        raise DiffusionError(f"{path.name} is not a ControlNet: it is of kind {facts.kind}.")
    tensors = open_tensors(path)
    tensors = strip(tensors, CONTROL) or tensors
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    if "input_hint_block.0.weight" not in shapes:
        raise DiffusionError(f"{path.name} is a ControlNet of a layout that Darkroom does not read yet.")
    layout = unet_layout(shapes)
    family = _family(layout)
    names = rename_control(shapes, layout)
    module = hollow(
        lambda: control_class()(**control_config(layout, shapes, family.heads, family.head_width))
    )
    assign(module, {names.get(old, old): t for old, t in tensors.items()}, f"The ControlNet in {path.name}")
    return ControlNet(make_casting(module), layout, family, device or choose_device(), path)


def _family(layout: UnetLayout) -> Family:
    base = PUBLISHED_CONTEXTS.get(layout.context)
    if base is None:
        base = "sdxl" if layout.adm else "sd2" if layout.linear else "sd1"
    return FAMILIES[base]
