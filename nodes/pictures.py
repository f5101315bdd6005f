"""Picture files: reading any as arrays; writing one with texts inside, under a counted name."""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

Array = np.ndarray

MAX_PIXELS: Final = 2**28
"""Pixels one file may hold in all its frames, about 3 GB as numbers; more is taken for a bomb."""
NO_MASK: Final = (64, 64)
"""The size of the empty mask of a picture without transparency, as the field has it."""
WIDE_MODES: Final = ("I", "I;16", "I;16B", "I;16L", "I;16N")
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
            raise PictureError(f"{path.name} is damaged and cannot be read ({error}).") from error


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
    pixels = np.asarray(turned.convert("RGB")).astype(np.float32) / 255.0
    return pixels, _mask_of(turned)


def _mask_of(picture: Image.Image) -> Array:
    if not picture.has_transparency_data:
        return np.zeros(NO_MASK, np.float32)
    alpha = picture.convert("RGBA").getchannel("A")
    return 1.0 - np.asarray(alpha).astype(np.float32) / 255.0


def read_channel(path: Path, channel: str) -> Array:
    """One channel of a picture as (1, H, W), 0..1: red, green, blue, or alpha (1 is transparent)."""
    pixels, mask = read_picture(path)
    if channel == "alpha":
        return mask[:1]
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

    Raises:
        PictureError: when the prefix leads out of the folder or is no file name.
    """
    if "\0" in prefix or len(prefix) > 200:
        raise PictureError(
            "The file name prefix is too long or holds a character that no file name may hold."
        )
    root = folder.resolve()
    target = (root / prefix.replace("\\", "/")).resolve()
    if prefix.endswith(("/", "\\")) or not prefix.strip():
        target = target / "picture"
    if not target.is_relative_to(root) or target == root:
        raise PictureError(f'The file name prefix "{prefix}" leads out of the folder {folder.name}/.')
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.parent, target.name


def counted_names(folder: Path, name: str, extension: str = ".png") -> Iterator[Path]:
    """Free paths NAME_00001_.png, counting on from the highest in the folder."""
    pattern = re.compile(re.escape(name) + r"_(\d+)_?\.[^.]*$", re.IGNORECASE)
    taken = (pattern.match(entry.name) for entry in folder.iterdir())
    counter = max((int(match.group(1)) for match in taken if match), default=0)
    while True:
        counter += 1
        yield folder / f"{name}_{counter:05}_{extension}"


def save_png(pixels: Array, names: Iterator[Path], texts: Mapping[str, str], compress_level: int = 4) -> Path:
    """Write (H, W, C) bytes as a PNG under the first free name, whole or not at all; gives its path.

    Raises:
        PictureError: when the disk is full or the folder cannot be written.
    """
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    first = next(names)
    try:
        handle, draft_name = tempfile.mkstemp(prefix=".", suffix=".part", dir=first.parent)
        draft = Path(draft_name)
        try:
            with os.fdopen(handle, "wb") as file:
                picture.save(file, "PNG", pnginfo=info, compress_level=compress_level)
            return _claim(draft, first, names)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError(f"The picture could not be saved in {first.parent.name}/: {reason}.") from error


def _claim(draft: Path, path: Path, names: Iterator[Path]) -> Path:
    """Give the draft the first name that nobody else took in the meantime."""
    while True:
        try:
            _move_to_free_name(draft, path)
            return path
        except FileExistsError:
            path = next(names)


def _move_to_free_name(draft: Path, path: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    draft.chmod(0o666 & ~umask)
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name first
        path.touch(exist_ok=False)
        draft.replace(path)
