"""Lists: where they come from, and what ends them. Nodes in between run once an item."""

from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from graph.context import Context, Files
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import AnyValue, Image, Lines, Mask

if TYPE_CHECKING:
    import torch

    from nodes import pictures, tensors
else:
    torch = LazyModule("torch")
    pictures = LazyModule("nodes.pictures")
    tensors = LazyModule("nodes.tensors")

CATEGORY: Final = "flow/lists"
PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif")
MOST: Final = 100_000


class NamedPicture(NamedTuple):
    """A picture of a folder."""

    IMAGE: Image
    MASK: Mask
    name: str


@node("NumberRange", title="Number Range", category=CATEGORY, output_names=["numbers"])
def number_range(
    start: Annotated[float, Number(), Hint("The first number.")] = 0.0,
    stop: Annotated[float, Number(), Hint("The last number; it is included where the step meets it.")] = 4.0,
    step: Annotated[float, Number(), Hint("From one number to the next; below 0 to count down.")] = 1.0,
) -> list[float]:
    """Numbers at even distances; what they lead to runs once for each."""
    if not step or (stop - start) / step < 0:
        raise ValueError(f"A step of {step:g} never leads from {start:g} to {stop:g}: change its sign.")
    count = int((stop - start) / step + 1e-9) + 1
    if count > MOST:
        raise ValueError(f"These are {count:,} numbers; {MOST:,} are the most. Take a larger step.")
    return [start + step * index for index in range(count)]


@node("WholeNumberRange", title="Whole Number Range", category=CATEGORY, output_names=["numbers"])
def whole_number_range(
    start: Annotated[int, Number(), Hint("The first number.")] = 0,
    count: Annotated[int, Number(1, MOST), Hint("How many numbers.")] = 4,
    step: Annotated[int, Number(), Hint("From one number to the next.")] = 1,
) -> list[int]:
    """Whole numbers at even distances; what they lead to runs once for each."""
    return [start + step * index for index in range(count)]


@node("TextLines", title="Text Lines", category=CATEGORY, output_names=["lines"])
def text_lines(
    text: Annotated[Lines, Hint("A text; empty lines, and those that begin with #, are left out.")] = "",
) -> list[str]:
    """The lines of a text; what they lead to runs once for each."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _found(files: Files | None, folder: str, pattern: str) -> list[str]:
    prefix = folder.strip("/")
    names = files.names("input") if files else ()
    return [name for name in names if _fits(name, prefix, pattern)]


def _fits(name: str, folder: str, pattern: str) -> bool:
    parent, _, last = name.rpartition("/")
    return parent == folder and last.lower().endswith(PICTURES) and fnmatch(last, pattern)


def _identities(files: Files | None, folder: str = "", pattern: str = "*") -> list[list[str]]:
    """What lies in the folder now, each file with its identity."""
    return [[name, files.identity("input", name)] for name in _found(files, folder, pattern)] if files else []


@node("ListImages", title="List Images", category=CATEGORY, output_names=["names"], fingerprint=_identities)
def list_images(
    folder: Annotated[str, Hint("A folder inside the input folder; empty for the input folder itself.")] = "",
    pattern: Annotated[str, Hint("Which names: * stands for anything, ? for one character.")] = "*",
    most: Annotated[int, Number(1, MOST), Hint("How many pictures at most, in the order of names.")] = 1000,
    *,
    context: Context,
) -> list[str]:
    """The names of the pictures in a folder; what they lead to runs once for each."""
    names = _found(context.job.files, folder, pattern)
    if not names:
        place = f"folder {folder.strip('/')} of the input folder" if folder.strip("/") else "input folder"
        raise ValueError(f"There is no picture {pattern} in the {place}.")
    return names[:most]


@node("LoadNamedImage", title="Load Named Image", category=CATEGORY)
def load_named_image(
    name: Annotated[str, Hint("The name of a picture in the input folder, as List Images gives it.")],
    context: Context,
) -> NamedPicture:
    """A picture of the input folder, its transparency as a mask, and its name without the ending."""
    path = context.job.files.find("input", name)
    if path is None:
        raise ValueError(f"There is no picture {name} in the input folder.")
    image, mask = map(tensors.from_array, pictures.read_picture(path))
    return NamedPicture(image, mask, Path(name).stem)


@node("JoinImages", title="Join Images", category=CATEGORY, extra={"partial": True})
def join_images(images: list[Image]) -> Image:
    """A list of pictures as one batch, scaled to the size of the first; those that failed are left out."""
    if not images:
        raise ValueError("No picture of the list was made, so there is nothing to join.")
    return torch.cat([_sized(item[..., :3], *images[0].shape[1:3]) for item in images])


def _sized(image: Image, height: int, width: int) -> Image:
    if image.shape[1:3] == (height, width):
        return image
    return tensors.channels_last(tensors.resize(tensors.channels_first(image), width, height, "lanczos"))


@node("CountItems", title="Count Items", category=CATEGORY, output_names=["count"], extra={"partial": True})
def count_items(items: Annotated[list[AnyValue], Hint("The list that is counted.")]) -> int:
    """How many items a list has, those that failed left out."""
    return len(items)


@node("PickItem", title="Pick Item", category=CATEGORY)
def pick_item(
    items: Annotated[list[AnyValue], Hint("The list that one is taken from.")],
    number: Annotated[int, Number(-MOST, MOST), Hint("Its place from 0; -1 is the last.")] = 0,
) -> AnyValue:
    """One item of a list."""
    if not -len(items) <= number < len(items):
        raise ValueError(f"The list has {len(items)} items, so there is no number {number}.")
    return items[number]
