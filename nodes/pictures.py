"""Picture files: reading any as arrays; writing one with texts inside, under a counted name."""

import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

Array = np.ndarray

MAX_PIXELS: Final = 2**28
"""Pixels one file may hold in all its frames, about 3 GB as numbers; more is taken for a bomb."""
NO_MASK: Final = (64, 64)
"""The size of the empty mask of a picture without transparency, as the field has it."""
WIDE_MODES: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")
ORIENTATION: Final = 0x0112
FIRST_SIDEWAYS: Final = 5
"""Orientations from this one on stand for pictures that lie on their side."""
DEVICE: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
DRIVE: Final = re.compile(r"[A-Za-z]:")
COUNTED: Final = re.compile(r"(\d+)_?\.[^.]*$")
DATE_WORDS: Final = (
    ("yyyy", "%Y"), ("yy", "%y"), ("MM", "%m"), ("dd", "%d"), ("hh", "%H"), ("mm", "%M"), ("ss", "%S"),
)  # fmt: skip


class PictureError(ValueError):
    """A picture that cannot be read or saved; the message says why."""


def read_picture(path: Path) -> tuple[Array, Array]:
    """A picture file as (B, H, W, 3) and its mask as (B, H, W), both float32 of 0..1.

    The mask is 1 where the picture is transparent, and a small empty one where it has no transparency. The
    turn that a camera recorded is applied; frames of an animation become a batch.

    Raises:
        PictureError: when the file is no picture, is damaged or is larger than memory allows.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as picture:
                return _frames_of(picture, path.name)
        except UnidentifiedImageError:
            raise PictureError(f"{path.name} is not a picture of a known format.") from None
        except Image.DecompressionBombError:
            raise PictureError(_too_large(path.name)) from None
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            if isinstance(error, PictureError):
                raise
            if path.is_dir():
                raise PictureError(f"{path.name} is a folder, not a picture.") from error
            raise PictureError(f"{path.name} is damaged and cannot be read ({error}).") from error


def picture_size(path: Path) -> tuple[int, int, int | None]:
    """Width and height of a picture file, the turn a camera recorded applied, and how many frames; None for
    an animation, whose frames may differ. Only the head of the file is read.

    Raises:
        OSError: when the file is no picture.
    """
    with warnings.catch_warnings(), Image.open(path) as picture:
        warnings.simplefilter("ignore")
        width, height = picture.size
        if picture.getexif().get(ORIENTATION, 1) >= FIRST_SIDEWAYS:
            width, height = height, width
        single = picture.format == "MPO" or getattr(picture, "n_frames", 1) == 1
        return width, height, 1 if single else None


def _too_large(name: str) -> str:
    return (
        f"{name} holds more than {MAX_PIXELS // 2**20} million pixels, which is refused. Scale it down first."
    )


def _frames_of(picture: Image.Image, name: str) -> tuple[Array, Array]:
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MAX_PIXELS:
        raise PictureError(_too_large(name))
    if frames == 1:
        picture.load()
        pixels, mask = _frame(picture)
        return pixels[None], mask[None]
    read = [_frame(frame) for frame in ImageSequence.Iterator(picture)]
    same = [one for one in read if one[0].shape == read[0][0].shape]
    masks = [mask if mask.shape == same[0][1].shape else np.zeros_like(same[0][1]) for _, mask in same]
    return np.stack([pixels for pixels, _ in same]), np.stack(masks)


def _frame(picture: Image.Image) -> tuple[Array, Array]:
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in WIDE_MODES:
        grey = np.asarray(turned).astype(np.float32).clip(0, 65535) / 65535.0
        return np.repeat(grey[..., None], 3, axis=-1), np.zeros(NO_MASK, np.float32)
    if turned.mode == "P" and "transparency" in turned.info:
        turned = turned.convert("RGBA")
    pixels = np.divide(np.asarray(turned.convert("RGB")), np.float32(255), dtype=np.float32)
    return pixels, _mask_of(turned)


def _mask_of(picture: Image.Image) -> Array:
    if not picture.has_transparency_data:
        return np.zeros(NO_MASK, np.float32)
    alpha = picture.convert("RGBA").getchannel("A")
    return 1.0 - np.asarray(alpha).astype(np.float32) / 255.0


def read_channel(path: Path, channel: str) -> Array:
    """One channel of a picture as (1, H, W), 0..1: red, green, blue, or alpha (1 is transparent; without
    alpha nothing is)."""
    pixels, mask = read_picture(path)
    if channel == "alpha":
        has_alpha = mask.shape[1:] == pixels.shape[1:3]
        return mask[:1] if has_alpha else np.zeros_like(pixels[:1, ..., 0])
    return pixels[:1, ..., ("red", "green", "blue").index(channel)]


def expand_prefix(prefix: str, width: int, height: int, now: datetime) -> str:
    """A file name prefix with %width%, %height%, %year% ... %second% and %date:yyyy-MM-dd% filled in."""

    def date(match: re.Match[str]) -> str:
        form = match.group(1).replace("%", "")
        for word, code in DATE_WORDS:
            form = form.replace(word, code)
        return now.strftime(form)

    values = {"width": str(width), "height": str(height), "year": f"{now.year}"}
    values |= {name: f"{getattr(now, name):02d}" for name in ("month", "day", "hour", "minute", "second")}
    prefix = re.sub(r"%date:([^%]+)%", date, prefix)
    return re.sub(r"%(\w+)%", lambda match: values.get(match.group(1), match.group(0)), prefix)


def place(folder: Path, prefix: str) -> tuple[Path, str]:
    """The folder and the bare name that a prefix such as "trips/sea" stands for, the folder made.

    Names that are devices or drives on Windows are refused everywhere: a workflow works on any machine.

    Raises:
        PictureError: when the prefix leads out of the folder or is no file name.
    """
    if "\0" in prefix or len(prefix) > 200:
        raise PictureError(
            "The file name prefix is too long or holds a character that no file name may hold."
        )
    plain = prefix.replace("\\", "/")
    _check_names(prefix, plain.split("/"))
    root = folder.resolve()
    target = (root / plain).resolve()
    if plain.endswith("/") or not prefix.strip():
        target = target / "picture"
    if not target.is_relative_to(root) or target == root:
        raise PictureError(
            f'The file name prefix "{prefix}" leads out of the folder {folder}. Leave out "..".'
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(
            f"The folder {target.parent} cannot be made: {error.strerror or error}."
        ) from error
    return target.parent, target.name


def _check_names(prefix: str, parts: list[str]) -> None:
    for part in parts:
        if DEVICE.fullmatch(part.strip()):
            raise PictureError(
                f'The file name prefix "{prefix}" names a device of Windows. Choose another name.'
            )
        if DRIVE.match(part):
            raise PictureError(
                f'The file name prefix "{prefix}" names a drive. Leave out what is before the ":".'
            )


def counted_names(folder: Path, name: str, extension: str = ".png") -> Iterator[Path]:
    """Free paths NAME_00001_.png, counting on from the highest in the folder."""
    start = f"{name}_".casefold()
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries if entry.name[: len(name) + 1].casefold() == start]
    taken = (COUNTED.match(entry, len(name) + 1) for entry in found)
    highest = max((int(match.group(1)) for match in taken if match), default=0)
    yield from numbered_names(folder, name, extension, highest + 1)


def numbered_names(folder: Path, name: str, extension: str = ".png", start: int = 1) -> Iterator[Path]:
    """Paths NAME_00001_.png and on, without a look at the folder: for names that nobody else uses."""
    return (folder / f"{name}_{counter:05}_{extension}" for counter in count(start))


def save_png(pixels: Array, names: Iterator[Path], texts: Mapping[str, str], compress_level: int = 4) -> Path:
    """Write (H, W, C) bytes as a PNG under the first free name, whole or not at all; gives its path.

    Raises:
        PictureError: when the disk is full or the folder cannot be written.
    """
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    picture = from_bytes(pixels)
    return save_whole(
        names, lambda file: picture.save(file, "PNG", pnginfo=info, compress_level=compress_level)
    )


def from_bytes(pixels: Array) -> Image.Image:
    """The Pillow picture of (H, W, C) bytes of 1, 3 or 4 channels."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save_whole(names: Iterator[Path], write: Callable[[IO[bytes]], None]) -> Path:
    """Let `write` fill a file that then gets the first free name, whole or not at all; gives its path.

    Raises:
        PictureError: when the disk is full or the folder cannot be written.
    """
    first = next(names)
    try:
        draft = first.with_name(f".{uuid4().hex}.part")
        try:
            with draft.open("xb") as file:
                write(file)
            return _claim(draft, first, names)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError(f"The picture could not be saved in {first.parent}: {reason}.") from error


def _claim(draft: Path, path: Path, names: Iterator[Path]) -> Path:
    """Give the draft the first name that nobody else took in the meantime."""
    while True:
        try:
            _move_to_free_name(draft, path)
            return path
        except FileExistsError:
            path = next(names)


def _move_to_free_name(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name first
        path.touch(exist_ok=False)
        draft.replace(path)
