"""The EXIF of an AVIF picture: an item that the `meta` box names, anywhere in the file (ISO 14496-12)."""

import struct
from collections.abc import Iterator
from typing import Final

BRANDS: Final = (b"avif", b"avis")
_HEAD: Final = 8
_LARGE_HEAD: Final = 16
_FULL: Final = 4
"""Bytes of version and flags at the beginning of some boxes."""

Box = tuple[bytes, int, int]
"""Kind, first byte of the body, end."""


def is_avif(data: bytes) -> bool:
    """Whether a file says that it is an AVIF picture."""
    return data[4:8] == b"ftyp" and data[8:12] in BRANDS


def avif_exif(data: bytes) -> bytes:
    """The EXIF of an AVIF file from its byte order mark on, or nothing. Damaged files raise struct.error."""
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"meta":
            return _from_meta(data, start + _FULL, end)
    return b""


def _boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    while at + _HEAD <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = _HEAD
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + _HEAD)
            head = _LARGE_HEAD
        stop = end if size == 0 else at + size
        if stop > end or 0 < size < head:
            return
        yield kind, at + head, stop
        at = stop


def _from_meta(data: bytes, start: int, end: int) -> bytes:
    found = {kind: (body, stop) for kind, body, stop in _boxes(data, start, end)}
    if b"iinf" not in found or b"iloc" not in found:
        return b""
    wanted = _exif_item(data, *found[b"iinf"])
    if wanted is None:
        return b""
    first, length = _place(data, found[b"iloc"][0], wanted)
    if length < _FULL or first + length > len(data):
        return b""
    (skipped,) = struct.unpack_from(">I", data, first)
    return data[first + _FULL + skipped : first + length]


def _exif_item(data: bytes, start: int, end: int) -> int | None:
    """The number of the item of kind Exif."""
    counted = 2 if data[start] == 0 else 4
    for kind, body, _ in _boxes(data, start + _FULL + counted, end):
        if kind != b"infe" or data[body] < 2:
            continue
        form = ">HH4s" if data[body] == 2 else ">IH4s"
        number, _, sort = struct.unpack_from(form, data, body + _FULL)
        if sort == b"Exif":
            return number
    return None


def _place(data: bytes, start: int, wanted: int) -> tuple[int, int]:
    """The first byte and the length of an item's only extent; (0, 0) when it is not told so."""
    version, sizes = data[start], struct.unpack_from(">H", data, start + _FULL)[0]
    widths = [sizes >> shift & 0xF for shift in (12, 8, 4, 0)]
    if version == 0:
        widths[3] = 0
    wide = 4 if version == 2 else 2
    at = start + _FULL + 2
    count, at = _number(data, at, wide), at + wide
    for _ in range(min(count, len(data))):
        item, at = _number(data, at, wide), at + wide
        way, at = (_number(data, at, 2) & 0xF, at + 2) if version else (0, at)
        base, at = _number(data, at + 2, widths[2]), at + 2 + widths[2]
        extents, at = _number(data, at, 2), at + 2
        offset = _number(data, at + widths[3], widths[0])
        length = _number(data, at + widths[3] + widths[0], widths[1])
        at += extents * (widths[3] + widths[0] + widths[1])
        if item == wanted:
            return (base + offset, length) if way == 0 and extents == 1 else (0, 0)
    return 0, 0


def _number(data: bytes, at: int, width: int) -> int:
    if at + width > len(data):
        raise struct.error("the file ends inside a number")
    return int.from_bytes(data[at : at + width], "big")
