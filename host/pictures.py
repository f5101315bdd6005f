"""Opening picture files that anybody sent; Pillow is loaded when one is first asked for."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS: Final = 2**28


@contextmanager
def opened(source: Path | BinaryIO) -> "Generator[Image.Image]":
    """A picture, decoded. Raises SyntaxError, ValueError or OSError when it is none, damaged, or a bomb."""
    with _described(source) as picture:
        picture.load()
        yield picture


def size_of(source: Path | BinaryIO) -> tuple[int, int]:
    """Width and height of a picture, read from its header. Raises as `opened` does."""
    with _described(source) as picture:
        return picture.size


@contextmanager
def _described(source: Path | BinaryIO) -> "Generator[Image.Image]":
    """A picture whose header is read; one that claims too many pixels is refused before any is unpacked."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(source) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError(f"{picture.width}×{picture.height} pixels are too many.")
                yield picture
        except Image.DecompressionBombError as error:
            raise ValueError("It holds too many pixels.") from error
