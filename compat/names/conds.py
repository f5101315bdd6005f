# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy.conds`, and a ready condition under the keys that packs read: those of a dict."""

import math
from collections.abc import Iterator
from typing import Any, Final

import torch

from compat.names.session import Session
from diffusion.conditions import Condition, fit_batch

Names = dict[str, Any]
_MOST: Final = 4
"""How often a text is repeated at most to share a call with a longer one."""


class CONDRegular:
    """A value that conditions the network, for every item of a batch."""

    def __init__(self, cond: Any) -> None:
        self.cond = cond

    def _copy_with(self, cond: Any) -> Any:
        return self.__class__(cond)

    def process_cond(self, batch_size: int, **more: Any) -> Any:
        """The value for so many items."""
        return self._copy_with(fit_batch(self.cond, batch_size))

    def can_concat(self, other: Any) -> bool:
        """Whether it may go in one call with another."""
        return self.cond.shape == other.cond.shape

    def concat(self, others: Any) -> Any:
        """All in one."""
        return torch.cat([self.cond, *(other.cond for other in others)])

    def size(self) -> list[int]:
        """Its shape."""
        return list(self.cond.size())


class CONDNoiseShape(CONDRegular):
    """A value for every pixel of the latent."""

    def process_cond(self, batch_size: int, area: Any = None, **more: Any) -> Any:
        """The value of an area, for so many items."""
        data, whole = self.cond, area or ()
        dims = len(whole) // 2
        for axis in range(dims):
            data = data.narrow(axis + 2, whole[axis + dims], whole[axis])
        return self._copy_with(fit_batch(data, batch_size))


class CONDCrossAttn(CONDRegular):
    """A text, which attention does not mind to see several times."""

    def can_concat(self, other: Any) -> bool:
        """Whether both become equally long by few repetitions."""
        one, two = self.cond.shape, other.cond.shape
        same = one[0] == two[0] and one[2] == two[2]
        return one == two or (same and math.lcm(one[1], two[1]) // min(one[1], two[1]) <= _MOST)

    def concat(self, others: Any) -> Any:
        """All in one, repeated to one length."""
        texts = [self.cond, *(other.cond for other in others)]
        length = math.lcm(*(text.shape[1] for text in texts))
        return torch.cat([text.repeat(1, length // text.shape[1], 1) for text in texts])


class CONDConstant(CONDRegular):
    """A value that is the same for all."""

    def process_cond(self, batch_size: int, **more: Any) -> Any:
        """The value."""
        return self._copy_with(self.cond)

    def can_concat(self, other: Any) -> bool:
        """Whether both are the same."""
        return self.cond == other.cond

    def concat(self, others: Any) -> Any:
        """The value."""
        return self.cond

    def size(self) -> list[int]:
        """One."""
        return [1]


class CONDList(CONDRegular):
    """Several values."""

    def process_cond(self, batch_size: int, **more: Any) -> Any:
        """Each for so many items."""
        return self._copy_with([fit_batch(item, batch_size) for item in self.cond])

    def can_concat(self, other: Any) -> bool:
        """Whether they are alike one by one."""
        return [item.shape for item in self.cond] == [item.shape for item in other.cond]

    def concat(self, others: Any) -> Any:
        """Each in one with its like."""
        return [torch.cat(items) for items in zip(self.cond, *(other.cond for other in others), strict=True)]

    def size(self) -> list[int]:
        """About the size of all."""
        return [1, 1, sum(item.numel() for item in self.cond)]


_KINDS: Final = (CONDRegular, CONDNoiseShape, CONDCrossAttn, CONDConstant, CONDList)


def conds(session: Session) -> Names:
    """The names of `comfy.conds`."""
    return {kind.__name__: kind for kind in _KINDS}


def as_keys(condition: Condition) -> dict[str, Any]:
    """A ready condition as the dict that packs read, copy and change; it can be handed back as one."""
    told: Names = {"c_crossattn": CONDCrossAttn(condition.text), **condition.more}
    if condition.vector is not None:
        told["y"] = CONDRegular(condition.vector)
    if condition.channels is not None:
        told["c_concat"] = CONDNoiseShape(condition.channels)
    placed = {
        "area": condition.area, "mask": condition.mask, "control": condition.control,
        "timestep_start": condition.start, "timestep_end": condition.end,
    }  # fmt: skip
    kept = {
        key: value for key, value in condition.extras.items() if key not in placed and key != "mask_strength"
    }
    there = {key: value for key, value in placed.items() if value is not None}
    kept.setdefault("uuid", id(condition))
    return {
        **kept,
        **there,
        "cross_attn": condition.text,
        "strength": condition.strength,
        "model_conds": told,
    }


def _asked(self: Condition, key: str) -> Any:
    return as_keys(self)[key]


def _keys(self: Condition) -> Iterator[str]:
    return iter(as_keys(self))


CONDITION: Final[Names] = {
    "__getitem__": _asked,
    "__iter__": _keys,
    "__contains__": lambda self, key: key in as_keys(self),
    "__len__": lambda self: len(as_keys(self)),
    "get": lambda self, key, default=None: as_keys(self).get(key, default),
    "copy": as_keys,
    "keys": lambda self: as_keys(self).keys(),
    "values": lambda self: as_keys(self).values(),
    "items": lambda self: as_keys(self).items(),
}
"""What makes a condition of ours read like a dict."""
