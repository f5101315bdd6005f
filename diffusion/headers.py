"""Headers of model files: names, shapes and places of tensors, read and checked without the tensors."""

import gc
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.model_folders import read_folder, translated
from diffusion.pickle_headers import PICKLE_MARKS, read_pickle_header
from diffusion.tensor_files import SIZES, Header, TensorInfo

__all__ = ["Header", "TensorInfo", "read_header"]

MAX_HEADER: Final = 100_000_000
AGAIN: Final = "Download it again."


def read_header(path: Path) -> Header:
    """The checked header of a safetensors or pickle file, told by its first bytes, or of a model folder.

    Networks in diffusers' layout get the names of the published single-file layout. Raises DiffusionError
    with a sentence for anything else.
    """
    return read_folder(path, _read_file) if path.is_dir() else translated(_read_file(path))


def _read_file(path: Path) -> Header:
    raw, size = _read_raw(path)
    with without_collections():
        return read_pickle_header(path) if raw is None else _read_safetensors(path, raw, size)


@contextmanager
def without_collections() -> Iterator[None]:
    """No garbage is collected inside the block, which makes thousands of small things that all stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_safetensors(path: Path, raw: bytes, size: int) -> Header:
    entries = _parsed(path, raw)
    metadata = entries.pop("__metadata__", {})
    data_start = 8 + len(raw)
    tensors = _tensor_infos(path, entries)
    _check_places(path, tensors, size - data_start)
    texts = {str(k): str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {}
    return Header(path, tensors, texts, data_start, size)


def _parsed(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(raw)
    except (ValueError, RecursionError):
        raise DiffusionError(
            f"{path.name} is not a safetensors file: its header is not JSON. {AGAIN[:-1]}, or convert it."
        ) from None
    if not isinstance(entries, dict):
        raise DiffusionError(
            f"{path.name} is not a safetensors file: its header is not a JSON object. {AGAIN}"
        )
    # Only a name that comes twice makes fewer entries than places; telling which is slow.
    if raw.count(b'"data_offsets"') > len(entries):
        json.loads(raw, object_pairs_hook=lambda pairs: _without_twins(path, pairs))
    return entries


def _without_twins(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise DiffusionError(f"{path.name} is damaged: its header names '{_short(twin)}' twice. {AGAIN}")
    return found


def _read_raw(path: Path) -> tuple[bytes | None, int]:
    """The text of a safetensors header, None for a pickle, and the file's size."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
            if first.startswith(PICKLE_MARKS):
                return None, size
            length = int.from_bytes(first, "little")
            _check_length(path, size, len(first), length)
            return file.read(length), size
    except FileNotFoundError:
        raise DiffusionError(f"{path} does not exist. Check the name and the models folder.") from None
    except PermissionError:
        raise DiffusionError(
            f"{path} may not be read: permission denied. Change the file's permissions."
        ) from None
    except DiffusionError:
        raise
    except (OSError, ValueError) as error:
        raise DiffusionError(f"{path.name} cannot be read: {error}. Check the disk and the name.") from None


def _check_length(path: Path, size: int, got: int, length: int) -> None:
    if size == 0:
        raise DiffusionError(f"{path.name} is empty (0 bytes). {AGAIN}")
    if got < 8:
        raise DiffusionError(f"{path.name} is not a safetensors file: it has only {size} bytes. {AGAIN}")
    if length > MAX_HEADER or length < 2:
        raise DiffusionError(
            f"{path.name} is not a safetensors file: its first eight bytes are no header length. "
            f"{AGAIN[:-1]}; a web page saved in its place looks like this too."
        )
    if 8 + length > size:
        raise DiffusionError(
            f"{path.name} is cut off: its header should have {length} bytes, the file has {size}. {AGAIN}"
        )


def _tensor_infos(path: Path, entries: Mapping[str, Any]) -> dict[str, TensorInfo]:
    found, name, fills = dict[str, TensorInfo](), "", True
    try:
        for name, entry in entries.items():
            dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
            room, values = end - begin, math.prod(shape)
            # Fractions would make one of these no whole number; begin and end are checked with their places.
            whole = type(room) is int and type(values) is int and (not shape or min(shape) >= 0)
            fills = whole and room == values * SIZES[dtype]
            if not fills:
                break
            found[name] = TensorInfo(dtype, shape, begin, end)
    except (TypeError, KeyError, ValueError, OverflowError):
        raise DiffusionError(
            f"{path.name} is damaged: tensor '{_short(name)}' has no dtype, shape or place that can be read. "
            f"{AGAIN}"
        ) from None
    if not fills:
        raise DiffusionError(
            f"{path.name} is damaged: tensor '{_short(name)}' of shape {_short(entries[name]['shape'])} "
            f"does not fill its place in the file. {AGAIN}"
        )
    return found


def _short(value: object) -> str:
    """A name or a list from a file, which may be absurdly long."""
    text = str(value)
    return text if len(text) <= 120 else f"{text[:120]}…"


def _check_places(path: Path, tensors: Mapping[str, TensorInfo], room: int) -> None:
    at = 0
    places = sorted([(info[2], info[3], name) for name, info in tensors.items()], key=itemgetter(0, 1))
    for begin, end, name in places:
        if begin != at:
            raise DiffusionError(
                f"{path.name} is damaged: tensor '{_short(name)}' overlaps another or leaves a gap. {AGAIN}"
            )
        at = end
    if at > room:
        raise DiffusionError(
            f"{path.name} is cut off: its tensors need {at} bytes, {room} are there. {AGAIN}"
        )
    if at < room:
        raise DiffusionError(
            f"{path.name} is damaged: {room - at} bytes after its tensors belong to nothing. {AGAIN}"
        )
