# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The functions of `comfy.hooks` that set masks and times of conditionings; its hooks are placeholders."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compat.names.placeholders import NotSupported
from compat.names.session import Session

Conditioning = list[list[Any]]


class HookGroup:
    """Hooks of a conditioning: this host has none, so none can be put together."""

    def __init__(self, *ignored: Any) -> None:
        raise NotSupported("comfy.hooks.HookGroup")

    @staticmethod
    def combine_all_hooks(hooks_list: Iterable[Any], require_count: int = 0) -> None:
        """None, as of hooks that are all absent."""
        refuse_hooks(next((item for item in hooks_list if item is not None), None))


def refuse_hooks(hooks: Any) -> None:
    """Raise where a conditioning is to have hooks."""
    if hooks is not None:
        raise NotSupported("comfy.hooks.HookGroup")


def with_values(cond: Conditioning, values: Mapping[str, Any]) -> Conditioning:
    """A conditioning with more values."""
    return [[text, {**keys, **values}] for text, keys in cond]


def with_mask(cond: Conditioning, mask: Any, set_cond_area: str, strength: float) -> Conditioning:
    """A conditioning for where a mask is."""
    if mask is None:
        return cond
    masks = mask.unsqueeze(0) if mask.ndim < 3 else mask
    bounds = set_cond_area != "default"
    return with_values(cond, {"mask": masks, "set_area_to_bounds": bounds, "mask_strength": strength})


def with_times(cond: Conditioning, timestep_range: Sequence[float] | None) -> Conditioning:
    """A conditioning for a part of the way."""
    if timestep_range is None:
        return cond
    return with_values(cond, {"start_percent": timestep_range[0], "end_percent": timestep_range[1]})


def set_props(
    conds: list[Conditioning],
    strength: float = 1.0,
    set_cond_area: str = "default",
    mask: Any = None,
    hooks: Any = None,
    timesteps_range: Sequence[float] | None = None,
    append_hooks: bool = True,
) -> list[Conditioning]:
    """Conditionings with a mask and a time range."""
    refuse_hooks(hooks)
    return [with_times(with_mask(cond, mask, set_cond_area, strength), timesteps_range) for cond in conds]


def set_props_and_combine(
    conds: list[Conditioning], new_conds: list[Conditioning], *values: Any, **named: Any
) -> list[Conditioning]:
    """Conditionings, and after each a new one with a mask and a time range."""
    return joined(conds, set_props(new_conds, *values, **named))


def joined(conds: list[Conditioning], new_conds: list[Conditioning]) -> list[Conditioning]:
    """Each conditioning with the new one of its place."""
    return [[*old, *new] for old, new in zip(conds, new_conds, strict=False)]


def hooks(session: Session) -> dict[str, Any]:
    """The names of `comfy.hooks`."""
    return {
        "HookGroup": HookGroup,
        "set_conds_props": set_props,
        "set_conds_props_and_combine": set_props_and_combine,
        "set_mask_for_conditioning": with_mask,
        "set_timesteps_for_conditioning": with_times,
        "combine_conditioning": lambda conds: [item for cond in conds for item in cond],
        "combine_with_new_conds": joined,
    }
