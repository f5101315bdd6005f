"""The picture that shows what a model file makes: one that lies beside it, or the cover inside it."""

import base64
import binascii
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from host.paths import inside
from host.pictures import opened
from host.safetensors_header import safetensors_texts

PICTURE_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
INFIXES: Final = (".preview", "")
"""What may stand between a model's name and its picture's ending: fox.preview.png before fox.png."""
_COVERS: Final = "ssmd_cover_images"
_SIDE: Final = 1024


def cover_of(model: Path) -> bytes | None:
    """A small WebP, at most 1024 pixels a side, of the first picture of a model file that can be read."""
    for source in _sources(model):
        try:
            return thumbnail(source, _SIDE)
        except (OSError, SyntaxError, ValueError):
            continue
    return None


def thumbnail(source: Path | BytesIO, side: int) -> bytes:
    """A WebP of a picture, at most `side` pixels wide and high. Raises OSError, SyntaxError or ValueError."""
    with opened(source) as picture:
        picture.thumbnail((side, side))
        file = BytesIO()
        picture.save(file, "webp")
    return file.getvalue()


def beside(name: str) -> list[str]:
    """The names that a model's picture may have, the likeliest first."""
    stem = name.rpartition(".")[0] or name
    return [f"{stem}{infix}{ending}" for infix in INFIXES for ending in PICTURE_ENDINGS]


def _sources(model: Path) -> Iterator[Path | BytesIO]:
    for name in beside(model.name):
        path = model.with_name(name)
        if path.is_file() and inside(model.parent, name) is not None:
            yield path
    texts = safetensors_texts(model) if model.suffix == ".safetensors" else None
    try:
        covers = json.loads((texts or {}).get(_COVERS, "[]"))
        yield from (BytesIO(base64.b64decode(cover)) for cover in covers)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        return
