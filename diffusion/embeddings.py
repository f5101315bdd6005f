"""Textual inversion (Gal et al. 2023): files of vectors that stand for words in a prompt."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.families import TextTower
from diffusion.headers import read_header
from diffusion.values import TextEncoder

ENDINGS: Final = ("", ".safetensors", ".pt", ".bin")
# Files for two text encoders name theirs so.
_KEYS: Final = {"l": "clip_l", "g": "clip_g", "h": "clip_h"}


def find_embedding(folders: Iterable[Path], name: str) -> Path | None:
    """The file of an embedding by the name that a prompt gives; None when no folder has it."""
    for folder in folders:
        for ending in ENDINGS:
            path = (folder / f"{name}{ending}").resolve()
            if path.is_relative_to(folder.resolve()) and path.is_file():
                return path
    return None


def load_embedding(path: Path, tower: TextTower) -> Tensor:
    """The vectors (N, W) of a file for one text encoder; DiffusionError when it holds none."""
    vectors = _vectors(path, _KEYS[tower.name])
    vectors = vectors[None] if vectors.ndim == 1 else vectors
    if vectors.ndim != 2:
        raise DiffusionError(
            f"the embedding {path.name} holds a tensor of shape {tuple(vectors.shape)}, not a list of "
            "vectors. Remove it from the prompt."
        )
    return vectors.float()


def misfit(path: Path, vectors: Tensor, encoder: TextEncoder) -> str:
    """Why vectors cannot be used by a text encoder, and the fix; "" when they can."""
    if vectors.shape[1] == encoder.width:
        return ""
    return (
        f"The embedding {path.name} is left out: it has vectors of {vectors.shape[1]} values, this text "
        f"encoder ({encoder.tower.name}) takes {encoder.width}, so it was made for another model family. "
        "Remove it from the prompt, or use a model that it is for."
    )


def _vectors(path: Path, key: str) -> Tensor:
    found = _contents(path)
    inner = found.get("string_to_param")
    if isinstance(inner, dict):
        found = inner
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise DiffusionError(f"the embedding {path.name} holds no vectors.")
    return tensors.get(key, next(iter(tensors.values()))).detach()


def _contents(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        read_header(path)
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds; none of them may run what the file says
        raise DiffusionError(
            f"the embedding {path.name} was not loaded: it is damaged, or it would run code of its own."
        ) from error
    return found if isinstance(found, dict) else {}
