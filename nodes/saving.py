"""What nodes that save or show pictures share: names, folders and what a person is told."""

import random
import string
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.context import Context
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    from nodes import pictures, tensors
else:
    pictures = LazyModule("nodes.pictures")
    tensors = LazyModule("nodes.tensors")

Shown = list[dict[str, str]]
Names = Callable[[Path, str, str], Iterator[Path]]
"""Gives free paths for a folder, a bare name and an extension."""
Save = Callable[[Any, Iterator[Path]], Path]
"""Saves bytes (H, W, C) under the first free one of some names; gives the path."""


def saved(
    images: Image,
    context: Context,
    kind: str,
    prefix: str,
    save: Save,
    extension: str,
    names_in: Names | None = None,
) -> Shown:
    """Every picture of a batch saved in the folder of a kind; gives what a person is shown."""
    folder = context.job.files.folder(kind)
    base = _base(images, prefix)
    names, shown = dict[str, Iterator[Path]](), Shown()
    for number, image in enumerate(images):
        own = base.replace("%batch_num%", str(number))
        if own not in names:
            names[own] = (names_in or pictures.counted_names)(*pictures.place(folder, own), extension)
        shown.append(entry(folder, save(tensors.to_bytes(image), names[own]), kind))
    return shown


def saved_together(
    images: Image, context: Context, prefix: str, save: Callable[[Iterator[Path]], Path], extension: str
) -> Shown:
    """A whole batch saved as one file in the output folder; gives what a person is shown."""
    folder = context.job.files.folder("output")
    where, name = pictures.place(folder, _base(images, prefix))
    return [entry(folder, save(pictures.counted_names(where, name, extension)), "output")]


def _base(images: Image, prefix: str) -> str:
    return pictures.expand_prefix(prefix, int(images.shape[2]), int(images.shape[1]), datetime.now())


def entry(folder: Path, path: Path, kind: str) -> dict[str, str]:
    """How a person is told of a saved file."""
    subfolder = path.parent.relative_to(folder.resolve()).as_posix().removeprefix(".")
    return {"filename": path.name, "subfolder": subfolder, "type": kind}


def previewed(images: Image, context: Context) -> Shown:
    """Pictures saved in the folder that is emptied at the next start; gives what a person is shown."""
    prefix = "ComfyUI_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))
    texts = context.job.metadata

    def save(pixels: Any, names: Iterator[Path]) -> Path:
        return pictures.save_png(pixels, names, texts, 1)

    return saved(images, context, "temp", prefix, save, ".png", pictures.numbered_names)
