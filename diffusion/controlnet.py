"""ControlNets and T2I-Adapters: second networks that read a hint picture and add to what the U-Net computes
(Zhang et al. 2023, Mou et al. 2023)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.devices import Device
from diffusion.errors import DiffusionError
from diffusion.families import Family
from diffusion.unet import Options, control_residuals
from diffusion.unet_layout import UnetLayout
from diffusion.weights import ready

Residuals = dict[str, list[Tensor | None]]
"""What is added on the way down ("input"), in the middle and to the skips ("output"), the last block first
to be taken from the end of each list."""


def read_control(
    control: ControlNet, x: Tensor, t: Tensor, cond: Mapping[str, Any], hint: Tensor
) -> Residuals:
    """What a ControlNet makes of latents x at sigma t, a conditioning and a hint (B, C, H, W)."""
    device, dtype = control.compute.device, control.compute.dtype
    network = control.network()
    ready(network, device, dtype)
    text = cond.get("crossattn_controlnet", cond["c_crossattn"])
    skips, middle = control_residuals(
        network,
        control.scaled(x, t).to(device, dtype),
        hint.to(device, dtype),
        control.steps(t).to(device),
        text.to(device, dtype),
        cond.get("y"),
        control.extra_args.get("control_type", ()),
    )
    return {"output": list(skips), "middle": [middle]}


@dataclass(eq=False)
class ControlNet:
    """CONTROL_NET: a network, its hint picture, how strongly and when it counts, and the one that counts
    before it.

    read: what the network makes of a step. layout: None for an adapter, which reads no text. multiple: the
    hint's sides are brought to multiples of this. pooled: what is added is averaged over the picture.
    build: makes the network of the model it is used with, for files that hold only the difference to it.
    kept: what a run need not compute twice.
    """

    control_model: nn.Module | None
    layout: UnetLayout | None
    family: Family
    compute: Device
    path: Path | None = None
    cond_hint_original: Tensor | None = None
    strength: float = 1.0
    timestep_percent_range: tuple[float, float] = (0.0, 1.0)
    previous_controlnet: ControlNet | None = None
    extra_args: dict[str, Any] = field(default_factory=dict)
    read: Callable[[ControlNet, Tensor, Tensor, Mapping[str, Any], Tensor], Residuals] = read_control
    multiple: int = 8
    pooled: bool = False
    build: Callable[[Any], nn.Module] | None = None
    kept: dict[Any, Residuals] = field(default_factory=dict, repr=False)
    _range: tuple[float, float] | None = field(default=None, repr=False)
    _model: Any = field(default=None, repr=False)

    def copy(self) -> ControlNet:
        """A handle to the same network that may be set up alone."""
        made = copy.copy(self)
        made.extra_args, made.kept = dict(self.extra_args), {}
        return made

    def set_cond_hint(
        self,
        cond_hint: Tensor,
        strength: float = 1.0,
        timestep_percent_range: tuple[float, float] = (0.0, 1.0),
        **_: Any,
    ) -> ControlNet:
        """Set the hint (B, 3, H, W) in 0..1, its strength, and from which to which part of the way it
        counts."""
        self.cond_hint_original, self.kept = cond_hint, {}
        self.strength = strength
        self.timestep_percent_range = timestep_percent_range
        return self

    def set_previous_controlnet(self, controlnet: ControlNet | None) -> ControlNet:
        self.previous_controlnet = controlnet
        return self

    def set_extra_arg(self, argument: str, value: Any = None) -> None:
        """Set an argument of the network, such as control_type, the numbers of a union network's hints."""
        self.extra_args[argument] = value

    def pre_run(self, model: Any, percent_to_sigma: Callable[[float], float]) -> None:
        """Make ready for a run of a network."""
        if not self._fits(model):
            raise DiffusionError(
                f"{self.path.name if self.path else 'this ControlNet'} is a ControlNet for "
                f"{self.family.title}, but the model is {model.family.title}. "
                f"Use a ControlNet made for {model.family.title}."
            )
        if self.build is not None:
            self.control_model = None
        start, end = self.timestep_percent_range
        self._range, self._model = (percent_to_sigma(start), percent_to_sigma(end)), model
        if self.previous_controlnet is not None:
            self.previous_controlnet.pre_run(model, percent_to_sigma)

    def _fits(self, model: Any) -> bool:
        if self.layout is None:
            return model.family.base == self.family.base
        return model.layout.context == self.layout.context

    def network(self) -> Any:
        """The network, made now if it depends on the model of the run."""
        if self.control_model is None and self.build is not None:
            self.control_model = self.build(self._model)
        return self.control_model

    def scaled(self, x: Tensor, t: Tensor) -> Tensor:
        """Latents at sigma t as the model's network takes them."""
        return self._model.model_sampling.calculate_input(t, x)

    def steps(self, t: Tensor) -> Tensor:
        """The trained timesteps of sigmas."""
        return self._model.model_sampling.timestep(t).float()

    def cleanup(self) -> None:
        """Forget what a run needed."""
        self._range = self._model = None
        self.kept.clear()
        if self.build is not None:
            self.control_model = None
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
        made = self.read(self, x_noisy, t, cond, self._fitted_hint(x_noisy, batched_number))
        return _added({side: [self._weighed(part) for part in parts] for side, parts in made.items()}, before)

    def _weighed(self, part: Tensor | None) -> Tensor | None:
        if part is None:
            return None
        return (part.mean((2, 3), keepdim=True) if self.pooled else part) * self.strength

    def _fitted_hint(self, x: Tensor, batches: int) -> Tensor:
        if self.cond_hint_original is None:
            raise DiffusionError("this ControlNet has no hint picture: apply it with one first.")
        width, height = (-(-side * 8 // self.multiple) * self.multiple for side in (x.shape[3], x.shape[2]))
        hint = fit_picture(self.cond_hint_original, width, height)
        each = x.shape[0] // batches
        times = -(-each // hint.shape[0])
        return hint.repeat(times, 1, 1, 1)[:each].repeat(batches, 1, 1, 1)


def _added(residuals: Residuals, before: Residuals | None) -> Residuals:
    if before is None:
        return residuals
    sides = dict.fromkeys((*residuals, *before))
    return {side: _sums(residuals.get(side, []), before.get(side, [])) for side in sides}


def _sums(a: list[Tensor | None], b: list[Tensor | None]) -> list[Tensor | None]:
    both = [_sum(x, y) for x, y in zip(a, b, strict=False)]
    return both + a[len(both) :] + b[len(both) :]


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b


def fit_picture(picture: Tensor, width: int, height: int, mode: str = "nearest-exact") -> Tensor:
    """(B, C, H, W) cropped at the centre to a shape, then scaled to its size."""
    old_height, old_width = picture.shape[2:]
    old, new = old_width / old_height, width / height
    x = round((old_width - old_width * (new / old)) / 2) if old > new else 0
    y = round((old_height - old_height * (old / new)) / 2) if old < new else 0
    cut = picture.narrow(-2, y, old_height - y * 2).narrow(-1, x, old_width - x * 2)
    return F.interpolate(cut, size=(height, width), mode=mode)


def apply_controlnet(
    sides: list[list[list[Any]]],
    control: ControlNet,
    image: Tensor,
    strength: float,
    part: tuple[float, float] = (0.0, 1.0),
    to_other_side: bool = False,
) -> list[list[list[Any]]]:
    """Conditionings with a ControlNet and its hint picture (B, H, W, C) after those they have already.

    Items with the same ControlNets share a handle, so that they may share calls of the network.
    to_other_side: the negative side gets it too when it has none of its own.
    """
    hint, made = image[..., :3].movedim(-1, 1), dict[int, ControlNet]()
    changed: list[list[list[Any]]] = []
    for side in sides:
        changed.append([])
        for text, keys in side:
            before = keys.get("control")
            if id(before) not in made:
                own = control.copy().set_cond_hint(hint, strength, part)
                made[id(before)] = own.set_previous_controlnet(before)
            own_keys = {"control": made[id(before)], "control_apply_to_uncond": to_other_side}
            changed[-1].append([text, {**keys, **own_keys}])
    return changed
