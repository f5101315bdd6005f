"""Tensors of model files, memory-mapped and in the file's dtype: nothing is read before it is used."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.headers import Header, read_header
from diffusion.pickle_headers import CONVERT, INERT_NAMES, ZIP, Inert, named_tensors, unwrapped

# A float is not a number when its bits, as a whole number with or without a sign, are above infinity's.
_INFINITIES: Final[dict[torch.dtype, tuple[type[Any], int, type[Any], int]]] = {
    torch.float16: (np.int16, 0x7C00, np.uint16, 0xFC00),
    torch.bfloat16: (np.int16, 0x7F80, np.uint16, 0xFF80),
    torch.float32: (np.int32, 0x7F800000, np.uint32, 0xFF800000),
    torch.float64: (np.int64, 0x7FF0000000000000, np.uint64, 0xFFF0000000000000),
}
_CHUNK: Final = 1 << 19


def open_tensors(source: Path | Header) -> dict[str, Tensor]:
    """Every tensor of a file or folder by the names of its header; DiffusionError when it does not open."""
    header = read_header(source) if isinstance(source, Path) else source
    if header.format == "folder":
        return {
            ours: tensors[theirs]
            for part in header.parts
            for tensors in [open_tensors(part.header)]
            for theirs, ours in part.names.items()
        }
    return _unpickled(header) if header.format == "pickle" else _mapped(header.path)


def _mapped(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except Exception as error:  # safetensors raises an exception class of its own, OSError and others
        raise DiffusionError(f"{path.name} cannot be opened: {error}. Download it again.") from error


def _unpickled(header: Header) -> dict[str, Tensor]:
    path = header.path
    with path.open("rb") as file:
        is_archive = file.read(4) == ZIP
    stand_ins: list[Any] = [(Inert, name) for name in INERT_NAMES]
    try:
        with torch.serialization.safe_globals(stand_ins):
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, AttributeError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise DiffusionError(f"{path.name} was not loaded: {reason[:200]}. {CONVERT}") from error
    return {name: tensor.detach() for name, tensor in named_tensors(unwrapped(found)[0], Tensor)}


def check_numbers(tensors: Mapping[str, Tensor], what: str) -> None:
    """Raise DiffusionError, with the first name, when a weight is not a number (NaN).

    Every byte is read once, at the speed of reading the file; the tensors stay memory-mapped.
    """
    bad = next((name for name, tensor in tensors.items() if _has_nan(tensor)), None)
    if bad is not None:
        raise DiffusionError(
            f"{what}: the weight '{bad}' holds values that are not numbers (NaN), so every picture would be "
            "black. The file was damaged when it was merged or saved: download it again, or use another."
        )


def _has_nan(tensor: Tensor) -> bool:
    if tensor.dtype not in _INFINITIES or tensor.is_meta or not tensor.numel():
        return tensor.is_floating_point() and not tensor.is_meta and bool(tensor.float().isnan().any())
    signed, above, unsigned, below = _INFINITIES[tensor.dtype]
    whole = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.dtype.itemsize]
    bits = tensor.contiguous().view(whole).reshape(-1).numpy().view(signed)
    chunks = (bits[at : at + _CHUNK] for at in range(0, bits.size, _CHUNK))
    return any(chunk.max() > above or chunk.view(unsigned).max() > below for chunk in chunks)
