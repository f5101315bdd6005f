"""Textual inversion (Gal et al. 2023): files of vectors that stand for words in a prompt."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from torch import Tensor

from diffusion.errors import DiffusionError
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


def load_embedding(path: Path, encoder: TextEncoder) -> Tensor:
    """The vectors (N, W) of a file for one text encoder; DiffusionError when they are for another width."""
    vectors = _vectors(path, _KEYS[encoder.tower.name])
    vectors = vectors[None] if vectors.ndim == 1 else vectors
    if vectors.ndim != 2 or vectors.shape[1] != encoder.width:
        raise DiffusionError(
            f"the embedding {path.name} has vectors of {vectors.shape[-1]} values, this text encoder takes "
            f"{encoder.width}: it was made for another model family. "
            "Leave it out, or use a model that it is for."
        )
    return vectors.float()


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
