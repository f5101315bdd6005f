"""Texts embedded in pictures: PNG text chunks, and the EXIF of WebP, JPEG and AVIF files."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from graph.embedded_avif import avif_exif, is_avif

MAXIMUM_TEXT: Final = 64 * 1024 * 1024
"""The most bytes one text may unpack to; more is taken for a decompression bomb and left out."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ASCII: Final = 2
_SIZES: Final = {1: 1, _ASCII: 1, 4: 4, 7: 1}
"""Bytes of an item of each EXIF type that is read: byte, text, long number, raw."""
_POINTER: Final = 4
_EXIF_DIRECTORY: Final = 0x8769
_USER_COMMENT: Final = 0x9286


def embedded_texts(data: bytes) -> dict[str, str] | None:
    """The texts of a PNG, WebP, JPEG or AVIF file by key; None for any other. Damaged parts are left out."""
    if data.startswith(_PNG):
        return dict(_png_texts(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _exif_texts(_webp_exif(data))
    if data.startswith(b"\xff\xd8\xff"):
        return _exif_texts(_jpeg_exif(data))
    if is_avif(data):
        return _exif_texts(_avif_exif(data))
    return None


def _png_texts(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, body in _png_chunks(data):
        key, separator, rest = body.partition(b"\0")
        if not separator:
            continue
        text = _TEXT_CHUNKS[kind](rest) if kind in _TEXT_CHUNKS else None
        if text is not None:
            yield key.decode("latin-1"), text


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"IEND" or at + 12 + length > len(data):
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _latin(rest: bytes) -> str | None:
    """A tEXt body. The standard says Latin-1; JSON written as UTF-8 by careless tools is read as meant."""
    try:
        return rest.decode("utf-8")
    except UnicodeDecodeError:
        return rest.decode("latin-1")


def _packed(rest: bytes) -> str | None:
    """A zTXt body: a method byte and zlib data."""
    plain = _inflate(rest[1:])
    return None if plain is None else _latin(plain)


def _international(rest: bytes) -> str | None:
    """An iTXt body: packed flag, method, language, translated key, text in UTF-8."""
    if len(rest) < 2:
        return None
    flag, tail = rest[0], rest[2:]
    parts = tail.split(b"\0", 2)
    if len(parts) < 3:
        return None
    plain = _inflate(parts[2]) if flag else parts[2]
    return None if plain is None else plain.decode("utf-8", "replace")


def _private(rest: bytes) -> str | None:
    """The body of ComfyUI's animation chunk: plain text."""
    return rest.decode("utf-8", "replace")


_TEXT_CHUNKS: Final = {b"tEXt": _latin, b"zTXt": _packed, b"iTXt": _international, b"comf": _private}


def _inflate(data: bytes) -> bytes | None:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, MAXIMUM_TEXT)
    except zlib.error:
        return None
    return None if unpacker.unconsumed_tail else plain


def _webp_exif(data: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
        at += 8 + length + length % 2
    return b""


def _jpeg_exif(data: bytes) -> bytes:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = struct.unpack_from(">BH", data, at + 1)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            return body[6:]
        if marker == 0xDA or length < 2:
            return b""
        at += 2 + length
    return b""


def _avif_exif(data: bytes) -> bytes:
    try:
        return avif_exif(data)
    except (struct.error, IndexError):
        return b""


def _exif_texts(exif: bytes) -> dict[str, str]:
    """The `key:text` entries of the first directory; ComfyUI writes one a tag."""
    texts = dict[str, str]()
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return texts
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    for tag, kind, body in _exif_entries(exif, order, start):
        key, separator, value = _exif_text(body).partition(":") if kind == _ASCII else ("", "", "")
        if separator and key.isidentifier():
            texts.setdefault(key, value)
        if tag == _EXIF_DIRECTORY and len(body) == _POINTER:
            texts.update(_comment(exif, order, struct.unpack(f"{order}I", body)[0]))
    return texts


def _comment(exif: bytes, order: str, start: int) -> dict[str, str]:
    """The comment of a user, in which AUTOMATIC1111 says how a picture was made."""
    for tag, _, body in _exif_entries(exif, order, start):
        if tag == _USER_COMMENT and body.startswith(b"UNICODE\0"):
            return {"parameters": body[8:].decode("utf-16-be", "replace").rstrip("\0")}
        if tag == _USER_COMMENT and body.startswith(b"ASCII\0\0\0"):
            return {"parameters": _exif_text(body[8:])}
    return {}


def _exif_text(body: bytes) -> str:
    return body.rstrip(b"\0").decode("utf-8", "replace")


def _exif_entries(exif: bytes, order: str, start: int) -> Iterator[tuple[int, int, bytes]]:
    """Tag, type and content of each entry of a directory that is text, raw bytes or a single number."""
    if start + 2 > len(exif):
        return
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, kind, length, offset = struct.unpack_from(f"{order}HHII", exif, entry)
        size = length * _SIZES.get(kind, 0)
        at = entry + 8 if size <= _POINTER else offset
        yield tag, kind, exif[at : at + size]
