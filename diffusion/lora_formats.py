"""What LoRA files hold: changes to weights in the formats of their trainers, each as a function weight ->
change."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import torch
from torch import Tensor

Parts = Mapping[str, Tensor]
Delta = Callable[[Tensor], Tensor]

# Endings of a part's name, and the word that stands for it below.
ENDINGS: Final = {
    ".lora_up.weight": "up",
    ".lora_down.weight": "down",
    ".lora_mid.weight": "mid",
    ".lora_B.weight": "up",
    ".lora_A.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora_A.default.weight": "down",
    ".lora.up.weight": "up",
    ".lora.down.weight": "down",
    "_lora.up.weight": "up",
    "_lora.down.weight": "down",
    ".lora_linear_layer.up.weight": "up",
    ".lora_linear_layer.down.weight": "down",
    ".lora_magnitude_vector": "dora",
    ".lora_magnitude_vector.weight": "dora",
    ".dora_scale": "dora",
    ".alpha": "alpha",
    ".hada_w1_a": "w1_a",
    ".hada_w1_b": "w1_b",
    ".hada_w2_a": "w2_a",
    ".hada_w2_b": "w2_b",
    ".hada_t1": "t1",
    ".hada_t2": "t2",
    ".lokr_w1": "k1",
    ".lokr_w1_a": "k1_a",
    ".lokr_w1_b": "k1_b",
    ".lokr_w2": "k2",
    ".lokr_w2_a": "k2_a",
    ".lokr_w2_b": "k2_b",
    ".lokr_t2": "kt2",
    ".diff": "diff",
    ".diff_b": "diff_b",
    ".w_norm": "diff",
    ".b_norm": "diff_b",
    ".set_weight": "set",
}


def grouped(tensors: Parts) -> dict[str, dict[str, Tensor]]:
    """A LoRA file's tensors by the module they change: stem → {part: tensor}."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        ending = next((e for e in sorted(ENDINGS, key=len, reverse=True) if name.endswith(e)), None)
        if ending is not None:
            groups.setdefault(name[: -len(ending)], {})[ENDINGS[ending]] = tensor
    return groups


def delta_of(parts: Parts) -> Delta | None:
    """The change that a group of parts makes to a weight; None when the group makes none that is known."""
    for needed, change in _KINDS:
        if needed <= parts.keys():
            return _decomposed(change, parts) if "dora" in parts else partial(change, parts)
    return None


def bias_delta_of(parts: Parts) -> Delta | None:
    """The change that a group makes to the bias beside its weight."""
    if "diff_b" not in parts:
        return None
    return lambda bias: parts["diff_b"].to(bias).reshape(bias.shape)


def count_of(parts: Parts) -> int:
    """How many values the weight must have that a group of parts changes; 0 when that is not known."""
    whole = next((parts[name] for name in ("diff", "set") if name in parts), None)
    if whole is not None:
        return whole.numel()
    if {"up", "down"} <= parts.keys():
        core = parts["mid"].shape[2:].numel() if "mid" in parts else 1
        return parts["up"].shape[0] * (parts["down"].numel() // parts["down"].shape[0]) * core
    if {"w1_a", "w1_b"} <= parts.keys():
        return _product_count(parts, "w1", "t1")
    sides = [_product_count(parts, "k1", ""), _product_count(parts, "k2", "kt2")]
    return sides[0] * sides[1]


def _product_count(parts: Parts, name: str, core: str) -> int:
    """Values in a matrix, or in the product of two with or without a core between them."""
    if name in parts:
        return parts[name].numel()
    a, b = parts.get(f"{name}_a"), parts.get(f"{name}_b")
    if a is None or b is None:
        return 0
    if core in parts:
        return a.shape[1] * b.shape[1] * parts[core].shape[2:].numel()
    return a.shape[0] * (b.numel() // b.shape[0])


def _scale(parts: Parts, rank: int) -> float:
    return float(parts["alpha"]) / rank if "alpha" in parts and rank else 1.0


def _low_rank(parts: Parts, weight: Tensor) -> Tensor:
    up, down = parts["up"].to(weight), parts["down"].to(weight)
    scale = _scale(parts, down.shape[0])
    if "mid" in parts:
        down = torch.einsum("ij...,jk->ik...", parts["mid"].to(weight), down.flatten(1))
    return (up.flatten(1) @ down.flatten(1)).reshape(weight.shape) * scale


def _hadamard(parts: Parts, weight: Tensor) -> Tensor:
    """LoHa: the product, value by value, of two low-rank matrices (Hyeon-Woo et al. 2022)."""
    sides = [_half(parts, side).to(weight) for side in ("1", "2")]
    return (sides[0] * sides[1]).reshape(weight.shape) * _scale(parts, parts["w1_b"].shape[0])


def _half(parts: Parts, side: str) -> Tensor:
    a, b = parts[f"w{side}_a"].float(), parts[f"w{side}_b"].float()
    core = parts.get(f"t{side}")
    if core is None:
        return a @ b
    return torch.einsum("ijkl,jr,ip->prkl", core.float(), b, a)


def _kronecker(parts: Parts, weight: Tensor) -> Tensor:
    """LoKr: the Kronecker product of two matrices, either of them low-rank (Yeh et al. 2024)."""
    left, rank = _factor(parts, "k1")
    right, right_rank = _factor(parts, "k2")
    if right.ndim == 4:
        left = left[:, :, None, None]
    product = torch.kron(left, right.contiguous()).to(weight)
    return product.reshape(weight.shape) * _scale(parts, right_rank or rank)


def _factor(parts: Parts, name: str) -> tuple[Tensor, int]:
    if name in parts:
        return parts[name].float(), 0
    a, b = parts[f"{name}_a"].float(), parts[f"{name}_b"].float()
    if name == "k2" and "kt2" in parts:
        return torch.einsum("ijkl,jr,ip->prkl", parts["kt2"].float(), b, a), b.shape[0]
    if b.ndim == 4:
        return (a.flatten(1) @ b.flatten(1)).reshape(a.shape[0], *b.shape[1:]), b.shape[0]
    return a @ b, b.shape[0]


def _whole(parts: Parts, weight: Tensor) -> Tensor:
    return parts["diff"].to(weight).reshape(weight.shape)


def _replaced(parts: Parts, weight: Tensor) -> Tensor:
    return parts["set"].to(weight).reshape(weight.shape) - weight


def _decomposed(change: Callable[[Parts, Tensor], Tensor], parts: Parts) -> Delta:
    """DoRA: the changed weight gets a learned length (Liu et al. 2024)."""

    def delta(weight: Tensor) -> Tensor:
        scale, new = parts["dora"].to(weight), weight + change(parts, weight)
        if scale.ndim == 1 or scale.shape[0] == weight.shape[0]:
            length = weight.flatten(1).norm(dim=1).reshape(-1, *[1] * (weight.ndim - 1))
            scale = scale.reshape(length.shape)
        else:
            length = new.transpose(0, 1).flatten(1).norm(dim=1).reshape(1, -1, *[1] * (weight.ndim - 2))
        return new * (scale / (length + torch.finfo(weight.dtype).eps)) - weight

    return delta


_KINDS: Final[tuple[tuple[set[str], Callable[[Parts, Tensor], Tensor]], ...]] = (
    ({"up", "down"}, _low_rank),
    ({"w1_a", "w1_b", "w2_a", "w2_b"}, _hadamard),
    ({"k1", "k2"}, _kronecker),
    ({"k1_a", "k2_a"}, _kronecker),
    ({"k1", "k2_a"}, _kronecker),
    ({"k1_a", "k2"}, _kronecker),
    ({"diff"}, _whole),
    ({"set"}, _replaced),
)
