"""Inpainting at full size: the masked part is cut out, painted on its own and put back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from graph.facts import Facts, Known, carry
from graph.node import node
from graph.sockets import Socket
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import MAX_RESOLUTION, Image, Mask

if TYPE_CHECKING:
    from nodes import neighbours, tensors
else:
    neighbours = LazyModule("nodes.neighbours")
    tensors = LazyModule("nodes.tensors")

Stitch = Annotated[dict[str, Any], Socket("STITCH")]
"""{"image": (B, H, W, C), "mask": (B, h, w), "x", "y"}: where a cut-out goes back, in pixels."""
CELL: Final = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom lie outside it."""

    left: int
    top: int
    right: int
    bottom: int


def bounds(mask: Mask) -> Box:
    """The smallest box around all that is above 0 in masks (B, H, W); the whole when nothing is."""
    rows, columns = (mask > 0).any(0).any(1).nonzero(), (mask > 0).any(0).any(0).nonzero()
    if not len(rows):
        return Box(0, 0, mask.shape[-1], mask.shape[-2])
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def grown(box: Box, by: int, width: int, height: int) -> Box:
    """A box with a border, inside a picture, its sides multiples of 8 where the picture is large enough."""
    left, right = _span(box.left - by, box.right + by, width)
    top, bottom = _span(box.top - by, box.bottom + by, height)
    return Box(left, top, right, bottom)


def _span(start: int, end: int, length: int) -> tuple[int, int]:
    """Two ends inside 0..length, a multiple of 8 apart where that fits, moved rather than cut."""
    start, end = max(0, start), min(length, end)
    wanted = min(length, -(-(end - start) // CELL) * CELL)
    start = max(0, min(start - (wanted - (end - start)) // 2, length - wanted))
    return start, start + wanted


def _painted_size(box: Box, target: int) -> tuple[int, int]:
    """The size the cut-out is painted at: its own, or with its longer side `target`; multiples of 8."""
    width, height = box.right - box.left, box.bottom - box.top
    factor = target / max(width, height) if target else 1.0
    wide, tall = (max(CELL, round(side * factor / CELL) * CELL) for side in (width, height))
    return wide, tall


def _whole_size(known: Known) -> Mapping[str, Facts]:
    facts = known.facts.get("image", {})
    return {"STITCH": facts, "IMAGE": {"batch": facts.get("batch")}, "MASK": {"batch": facts.get("batch")}}


@node("InpaintCrop", title="Inpaint Crop", category="image/inpaint", infer=_whole_size)
def inpaint_crop(
    image: Image,
    mask: Annotated[Mask, Hint("1 where the picture shall be painted anew; scaled to the picture.")],
    padding: Annotated[
        int, Number(0, MAX_RESOLUTION, 8), Hint("How much around the mask is shown, in pixels.")
    ] = 32,
    target_size: Annotated[
        int,
        Number(0, MAX_RESOLUTION, 8),
        Hint("The longer side it is painted at, in pixels; 0 keeps its size."),
    ] = 512,
    feather: Annotated[
        int, Number(0, 256), Hint("How wide the seam is, in pixels of the whole picture.")
    ] = 8,
) -> tuple[Stitch, Image, Mask]:
    """The masked part of pictures cut out with room around it, and what puts it back."""
    height, width = image.shape[1:3]
    picture, planes = tensors.same_count(image, tensors.resized_mask(mask, width, height))
    box = grown(bounds(planes), max(padding, 2 * feather), width, height)
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    part, hole = picture[:, rows, columns], planes[:, rows, columns]
    wide, tall = _painted_size(box, target_size)
    stitch = {"image": picture, "mask": neighbours.softened(hole, feather), "x": box.left, "y": box.top}
    scaled = tensors.resize(tensors.channels_first(part), wide, tall, "bicubic").clamp(0, 1)
    return stitch, tensors.channels_last(scaled), tensors.resized_mask(hole, wide, tall)


@node("InpaintStitch", title="Inpaint Stitch", category="image/inpaint", infer=carry("stitch", to=["IMAGE"]))
def inpaint_stitch(
    stitch: Annotated[Stitch, Hint("From Inpaint Crop.")],
    image: Annotated[Image, Hint("The painted cut-out; scaled back to where it came from.")],
) -> Image:
    """A painted cut-out put back into its pictures; outside the mask and its seam nothing changes."""
    mask = stitch["mask"]
    height, width = mask.shape[-2:]
    whole, part, seam = tensors.same_count(
        stitch["image"], tensors.like_channels(image, stitch["image"]), mask
    )
    scaled = tensors.resize(tensors.channels_first(part), width, height, "bicubic").clamp(0, 1)
    below = tensors.channels_first(whole)
    return tensors.channels_last(tensors.composite(below, scaled, stitch["x"], stitch["y"], seam))
