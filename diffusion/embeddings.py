"""Textual inversion (Gal et al. 2023): files of vectors that stand for words in a prompt."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.families import TextTower
from diffusion.tensors import check_numbers, open_tensors
from diffusion.values import TextEncoder

ENDINGS: Final = ("", ".safetensors", ".pt", ".bin")
# Files for two text encoders name theirs so.
_KEYS: Final = {"l": "clip_l", "g": "clip_g", "h": "clip_h"}


def find_embedding(folders: Iterable[Path], name: str) -> Path | None:
    """The file of an embedding by the name that a prompt gives; None when no folder has it."""
    for folder in folders:
        for ending in ENDINGS:
            # A link may lead out of the folder, for that is how people share files; a name may not.
            path = Path(os.path.normpath(folder / f"{name}{ending}"))
            if path.is_relative_to(os.path.normpath(folder)) and path.is_file():
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
    """The vectors for one text encoder: those that bear its key, else the file's first."""
    found = open_tensors(path)
    if not found:
        raise DiffusionError(f"the embedding {path.name} holds no vectors. Remove it from the prompt.")
    check_numbers(found, f"the embedding {path.name}")
    return found.get(key, next(iter(found.values())))
