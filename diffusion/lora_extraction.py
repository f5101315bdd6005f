"""The difference of two models written as a LoRA: the best low-rank matrices, or the whole difference."""

import logging
from collections.abc import Callable, Iterator
from typing import Final, Literal

import torch
from torch import Tensor

from diffusion.saving import Later, later
from diffusion.values import Clip, Model
from diffusion.weights import file_weight, patched

Warn = Callable[[str], None]
_warn: Final[Warn] = logging.getLogger("darkroom").warning
Report = Callable[[int, int], None]


def extract_lora(
    model: Model | None,
    clip: Clip | None,
    rank: int,
    kind: Literal["standard", "full_diff"],
    with_biases: bool,
    report: Report | None = None,
    warn: Warn = _warn,
) -> dict[str, Later]:
    """A LoRA's tensors, in fp16, of models that are differences (see mix_models with shares m and -m).

    standard: two matrices of at most `rank` a layer, by singular values; full_diff: the differences
    themselves. report(done, total) is called after every weight.
    """
    weights = list(_weights(model, clip))
    made: dict[str, Later] = {}
    flat = list[str]()
    for number, (name, make) in enumerate(weights, 1):
        found = dict(_parts(name, make(), rank, kind, with_biases))
        if not found and name.endswith(".weight"):
            flat.append(name)
        made |= {key: later(value.half().contiguous()) for key, value in found.items()}
        if report is not None:
            report(number, len(weights))
    if flat:
        warn(f"{len(flat)} weights do not differ and are left out (such as '{min(flat)}').")
    return made


Make = Callable[[], Tensor]


def _weights(model: Model | None, clip: Clip | None) -> Iterator[tuple[str, Make]]:
    """The name in a LoRA file and the values of every weight."""
    if model is not None:
        unet = model.model.diffusion_model
        for single, name in model.model.names.items():
            own, patches = file_weight(unet, name), model.patches.get(name, ())
            yield f"diffusion_model.{single}", lambda o=own, p=patches: patched(o, p, torch.float32)
    for encoder in clip.encoders if clip is not None else ():
        stem = f"text_encoders.clip_{encoder.tower.name}.transformer.text_model."
        changed = clip.patches_of(encoder) if clip is not None else {}
        for name, _ in encoder.module.named_parameters():
            own, patches = file_weight(encoder.module, name), changed.get(name, ())
            yield f"{stem}{name}", lambda o=own, p=patches: patched(o, p, torch.float32)


def _parts(
    name: str, difference: Tensor, rank: int, kind: str, with_biases: bool
) -> Iterator[tuple[str, Tensor]]:
    stem, _, leaf = name.rpartition(".")
    if leaf == "bias":
        if with_biases:
            yield f"{stem}.diff_b", difference
    elif not difference.count_nonzero():
        return
    elif kind == "full_diff" or (difference.ndim < 2 and with_biases):
        yield f"{stem}.diff", difference
    elif difference.ndim >= 2:
        up, down = low_rank(difference, rank)
        yield f"{stem}.lora_up.weight", up
        yield f"{stem}.lora_down.weight", down


def low_rank(difference: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The up (O, R) and down (R, I) matrices nearest to a difference (O, I), for convolutions (O, I, H, W)
    with its kernel in the second (R, I, H, W)."""
    flat = difference.float().flatten(1)
    kept = min(rank, difference.shape[0], difference.shape[1])
    u, s, v = torch.linalg.svd(flat, full_matrices=False)
    # Each side takes half of the size, which keeps both well inside fp16's range.
    size = s[:kept].sqrt()
    up, down = u[:, :kept] * size, v[:kept] * size[:, None]
    if difference.ndim == 4:
        return up[:, :, None, None], down.reshape(kept, *difference.shape[1:])
    return up, down
