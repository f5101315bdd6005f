"""Masks: making, combining, growing, fading, to and from pictures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from graph.context import Context
from graph.facts import Facts, Known, carry
from graph.node import node
from graph.outcome import Outcome
from graph.spec import Hint, Number
from nodes.image import Colour
from nodes.lazy import LazyModule
from nodes.saving import previewed
from nodes.sizes import cropped
from nodes.sockets import MAX_RESOLUTION, Image, Mask, Percent

if TYPE_CHECKING:
    import torch

    from nodes import neighbours, tensors
else:
    torch = LazyModule("torch")
    neighbours = LazyModule("nodes.neighbours")
    tensors = LazyModule("nodes.tensors")

Operation = Literal["multiply", "add", "subtract", "and", "or", "xor"]
Side = Annotated[int, Number(1, MAX_RESOLUTION, 1)]
Place = Annotated[int, Number(0, MAX_RESOLUTION, 1)]
Fade = Annotated[int, Number(0, MAX_RESOLUTION, 1), Hint("How many pixels fade in from this side.")]
CHANNELS = ("red", "green", "blue", "alpha")


def _planes(mask: Mask) -> Mask:
    """A mask as (B, H, W), however it came."""
    return mask.reshape(-1, mask.shape[-2], mask.shape[-1])


@node("MaskToImage", title="Convert Mask to Image", category="mask", infer=carry("mask", to=["IMAGE"]))
def mask_to_image(mask: Mask) -> Image:
    """Masks as grey pictures."""
    return _planes(mask)[..., None].expand(-1, -1, -1, 3)


@node("ImageToMask", title="Convert Image to Mask", category="mask", infer=carry("image", to=["MASK"]))
def image_to_mask(
    image: Image,
    channel: Annotated[Literal["red", "green", "blue", "alpha"], Hint("The channel that becomes the mask.")],
) -> Mask:
    """One channel of pictures as masks."""
    at = CHANNELS.index(channel)
    if at >= image.shape[-1]:
        raise ValueError(
            f"The picture has {image.shape[-1]} channels and no {channel}. Choose red, or join an alpha."
        )
    return image[..., at]


@node("ImageColorToMask", title="ImageColorToMask", category="mask", infer=carry("image", to=["MASK"]))
def image_color_to_mask(image: Image, color: Colour = 0) -> Mask:
    """Masks that are 1 where pictures have exactly one colour, rounded to 8 bits a channel."""
    red, green, blue = (image[..., :3].clamp(0, 1) * 255).round().int().unbind(-1)
    return (red * 0x10000 + green * 0x100 + blue == color).float()


def _solid_size(known: Known) -> Mapping[str, Facts]:
    return {"MASK": {"width": known.values.get("width"), "height": known.values.get("height"), "batch": 1}}


@node("SolidMask", title="SolidMask", category="mask", infer=_solid_size)
def solid_mask(
    value: Annotated[Percent, Hint("The value everywhere: 0 is black, 1 white.")] = 1.0,
    width: Annotated[Side, Hint("Width in pixels.")] = 512,
    height: Annotated[Side, Hint("Height in pixels.")] = 512,
) -> Mask:
    """A mask of one value."""
    return torch.full((1, height, width), value)


@node("InvertMask", title="InvertMask", category="mask", infer=carry("mask", to=["MASK"]))
def invert_mask(mask: Mask) -> Mask:
    """Masks with 0 and 1 changed about."""
    return 1.0 - mask


@node("CropMask", title="CropMask", category="mask", infer=cropped("mask", "MASK"))
def crop_mask(
    mask: Mask,
    x: Annotated[Place, Hint("The left side, in pixels from the left.")] = 0,
    y: Annotated[Place, Hint("The upper side, in pixels from the top.")] = 0,
    width: Annotated[Side, Hint("Width in pixels; less where the mask ends.")] = 512,
    height: Annotated[Side, Hint("Height in pixels; less where the mask ends.")] = 512,
) -> Mask:
    """A rectangle cut out of masks."""
    planes = _planes(mask)
    if x >= planes.shape[-1] or y >= planes.shape[-2]:
        raise ValueError(
            f"The rectangle begins at {x}, {y}, outside the mask of {planes.shape[-1]}×{planes.shape[-2]} "
            "pixels. Move it inside."
        )
    return planes[:, y : y + height, x : x + width]


def _combined(below: Mask, above: Mask, operation: str) -> Mask:
    match operation:
        case "multiply":
            return below * above
        case "add":
            return below + above
        case "subtract":
            return below - above
        case "and":
            return (below.round().bool() & above.round().bool()).float()
        case "or":
            return (below.round().bool() | above.round().bool()).float()
        case _:
            return (below.round().bool() ^ above.round().bool()).float()


@node("MaskComposite", title="MaskComposite", category="mask", infer=carry("destination", to=["MASK"]))
def mask_composite(
    destination: Annotated[Mask, Hint("The mask that is changed.")],
    source: Annotated[Mask, Hint("The mask laid over it; what stands out is cut off.")],
    x: Annotated[Place, Hint("The left side of the source, in pixels.")] = 0,
    y: Annotated[Place, Hint("The upper side of the source, in pixels.")] = 0,
    *,
    operation: Annotated[Operation, Hint("How the two are combined; and, or, xor round to 0 and 1 first.")],
) -> Mask:
    """Two masks combined where the second lies on the first."""
    below, above = tensors.same_count(_planes(destination), _planes(source))
    result = below.clone()
    part = result[:, y : y + above.shape[-2], x : x + above.shape[-1]]
    part.copy_(_combined(part, above[:, : part.shape[-2], : part.shape[-1]], operation))
    return result.clamp(0, 1)


@node("FeatherMask", title="FeatherMask", category="mask", infer=carry("mask", to=["MASK"]))
def feather_mask(mask: Mask, left: Fade = 0, top: Fade = 0, right: Fade = 0, bottom: Fade = 0) -> Mask:
    """Masks that fade in from their sides.

    As in the field, the steps from the right and from the bottom begin one line late: their first and
    weakest falls on the opposite border, so that pictures stay as they were.
    """
    planes = _planes(mask)
    height, width = planes.shape[-2:]
    across = _ramp(width, min(left, width), min(right, width))
    down = _ramp(height, min(top, height), min(bottom, height))
    return planes * across * down[:, None]


def _ramp(length: int, start: int, end: int) -> "torch.Tensor":
    """(length): the factors of one axis, rising over `start` points and falling over `end`."""
    line = torch.ones(length)
    line[:start] *= torch.arange(1, start + 1) / max(1, start)
    places = -torch.arange(end) % max(1, length)
    line[places] *= torch.arange(1, end + 1) / max(1, end)
    return line


@node("GrowMask", title="Grow Mask", category="mask", infer=carry("mask", to=["MASK"]))
def grow_mask(
    mask: Mask,
    expand: Annotated[
        int, Number(-MAX_RESOLUTION, MAX_RESOLUTION, 1), Hint("How many pixels; below 0 the mask shrinks.")
    ] = 0,
    tapered_corners: Annotated[bool, Hint("Grow diamonds; else squares.")] = True,
) -> Mask:
    """Masks whose bright parts grew or shrank."""
    planes = _planes(mask)
    if expand < 0:
        return -neighbours.grown(-planes, -expand, tapered_corners)
    return neighbours.grown(planes, expand, tapered_corners)


@node("ThresholdMask", title="ThresholdMask", category="mask", infer=carry("mask", to=["MASK"]))
def threshold_mask(
    mask: Mask, value: Annotated[Percent, Hint("What is above becomes 1, all else 0.")] = 0.5
) -> Mask:
    """Masks of 0 and 1 only."""
    return (mask > value).float()


@node("MaskPreview", title="Preview Mask", category="mask", output=True, idempotent=False)
def mask_preview(mask: Mask, context: Context) -> Outcome:
    """Masks shown to you as grey pictures."""
    return Outcome(ui={"images": list[Any](previewed(mask_to_image(mask), context))})
