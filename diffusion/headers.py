"""Safetensors headers: names, shapes and places of tensors, read and checked without reading the tensors."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from diffusion.errors import DiffusionError

MAX_HEADER: Final = 100_000_000
SIZES: Final = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


class TensorInfo(NamedTuple):
    """One tensor of a file: dtype in safetensors' spelling, shape, first byte and end, counted from the
    data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says of itself. size is the file's bytes, data_start the first byte of data."""

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    data_start: int
    size: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: info.shape for name, info in self.tensors.items()}

    def read(self, name: str) -> bytes:
        """The bytes of one tensor, read from the file."""
        info = self.tensors[name]
        with self.path.open("rb") as file:
            file.seek(self.data_start + info.begin)
            return file.read(info.end - info.begin)


def read_header(path: Path) -> Header:
    """The checked header of a safetensors file; raises DiffusionError with a sentence for anything else."""
    raw, size = _read_raw(path)
    try:
        entries = json.loads(raw)
    except (ValueError, RecursionError):
        raise DiffusionError(
            f"{path.name} is not a safetensors file: its header is not JSON. "
            "Download it again, or convert it."
        ) from None
    if not isinstance(entries, dict):
        raise DiffusionError(f"{path.name} is not a safetensors file: its header is not a JSON object.")
    metadata = entries.pop("__metadata__", {})
    data_start = 8 + len(raw)
    tensors = {name: _tensor_info(path, name, entry) for name, entry in entries.items()}
    _check_places(path, tensors, size - data_start)
    texts = {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {}
    return Header(path, tensors, texts, data_start, size)


def _read_raw(path: Path) -> tuple[bytes, int]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
            length = int.from_bytes(first, "little")
            _check_length(path, size, len(first), length)
            return file.read(length), size
    except FileNotFoundError:
        raise DiffusionError(f"{path} does not exist. Check the name and the models folder.") from None
    except IsADirectoryError:
        raise DiffusionError(f"{path} is a folder, not a safetensors file.") from None
    except PermissionError:
        raise DiffusionError(f"{path} may not be read: permission denied.") from None


def _check_length(path: Path, size: int, got: int, length: int) -> None:
    if size == 0:
        raise DiffusionError(f"{path.name} is empty (0 bytes). Download it again.")
    if got < 8:
        raise DiffusionError(f"{path.name} is not a safetensors file: it has only {size} bytes.")
    if length > MAX_HEADER or length < 2:
        raise DiffusionError(
            f"{path.name} is not a safetensors file: its first eight bytes are no header length. "
            "A .ckpt or .pt file keeps that ending; other files are no models."
        )
    if 8 + length > size:
        raise DiffusionError(
            f"{path.name} is cut off: its header should have {length} bytes, the file has {size}. "
            "Download it again."
        )


def _tensor_info(path: Path, name: str, entry: Any) -> TensorInfo:
    try:
        dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        numbers = (begin, end, *shape)
        whole = set(map(type, numbers)) == {int} and min(numbers) >= 0
        lies = not whole or end - begin != math.prod(shape) * SIZES[dtype]
    except (TypeError, KeyError, ValueError):
        raise DiffusionError(
            f"{path.name} is damaged: tensor '{name}' has no dtype, shape or place that can be read."
        ) from None
    if lies:
        raise DiffusionError(
            f"{path.name} is damaged: tensor '{name}' of shape {list(shape)} does not fill "
            "its place in the file."
        )
    return TensorInfo(dtype, shape, begin, end)


def _check_places(path: Path, tensors: Mapping[str, TensorInfo], room: int) -> None:
    at = 0
    for name, info in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if info.begin != at:
            raise DiffusionError(f"{path.name} is damaged: tensor '{name}' overlaps another or leaves a gap.")
        at = info.end
    if at > room:
        raise DiffusionError(
            f"{path.name} is cut off: its tensors need {at} bytes, {room} are there. Download it again."
        )
    if at < room:
        raise DiffusionError(
            f"{path.name} is damaged: {room - at} bytes after its tensors belong to nothing. "
            "Download it again."
        )
