"""Pictures: cropping, padding, turning, stitching and batches."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.facts import Facts, Known, carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sizes import counted, cropped, resized, taken, times, turned
from nodes.sockets import MAX_RESOLUTION, Image, Mask, Percent, Seed

if TYPE_CHECKING:
    import torch
    from torch.nn import functional

    from nodes import tensors
else:
    torch = LazyModule("torch")
    functional = LazyModule("torch.nn.functional")
    tensors = LazyModule("nodes.tensors")

GREY: Final = 0.5
"""What a picture is padded with before it is painted on."""
COLOURS: Final[Mapping[str, tuple[float, float, float]]] = {
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
}

Side = Annotated[int, Number(1, MAX_RESOLUTION, 1)]
Place = Annotated[int, Number(0, MAX_RESOLUTION, 1)]
Border = Annotated[int, Number(0, MAX_RESOLUTION, 8), Hint("Pixels added at this side.")]
Turn = Literal["none", "90 degrees", "180 degrees", "270 degrees"]
Mirror = Literal["x-axis: vertically", "y-axis: horizontally"]
Direction = Literal["right", "down", "left", "up"]


@node("ImageCrop", title="Image Crop", category="image/transform", infer=cropped("image", "IMAGE"))
def image_crop(
    image: Image,
    width: Annotated[Side, Hint("Width in pixels; less where the picture ends.")] = 512,
    height: Annotated[Side, Hint("Height in pixels; less where the picture ends.")] = 512,
    x: Annotated[Place, Hint("The left side, in pixels from the left.")] = 0,
    y: Annotated[Place, Hint("The upper side, in pixels from the top.")] = 0,
) -> Image:
    """A rectangle cut out of pictures."""
    x, y = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    return image[:, y : y + height, x : x + width]


def _padded(width: int, height: int, left: int, top: int, right: int, bottom: int) -> tuple[int, int]:
    return width + left + right, height + top + bottom


@node(
    "ImagePadForOutpaint",
    title="Pad Image for Outpainting",
    category="image",
    infer=resized("image", "left", "top", "right", "bottom", size=_padded, to=["IMAGE", "MASK"]),
)
def image_pad_for_outpaint(
    image: Image,
    left: Border = 0,
    top: Border = 0,
    right: Border = 0,
    bottom: Border = 0,
    feathering: Annotated[
        int, Number(0, MAX_RESOLUTION, 1), Hint("How far the mask fades into the picture, in pixels.")
    ] = 40,
) -> tuple[Image, Mask]:
    """Pictures with grey borders, and a mask that is 1 there and fades out where the picture begins."""
    batch, height, width, channels = image.shape
    padded = torch.full((batch, height + top + bottom, width + left + right, channels), GREY)
    padded[:, top : top + height, left : left + width] = image
    mask = torch.ones(padded.shape[1:3])
    mask[top : top + height, left : left + width] = _fade(
        width, height, (left, top, right, bottom), feathering
    )
    return padded, mask[None]


def _fade(width: int, height: int, borders: tuple[int, int, int, int], feathering: int) -> "torch.Tensor":
    """(height, width): the square of how near a point is to a padded side, 0 beyond `feathering`."""
    if feathering == 0 or feathering * 2 >= min(width, height):
        return torch.zeros(height, width)
    left, top, right, bottom = borders
    columns, rows = torch.arange(width), torch.arange(height)
    far = torch.tensor(max(width, height))
    across = torch.minimum(columns if left else far, width - columns if right else far)
    down = torch.minimum(rows if top else far, height - rows if bottom else far)
    distance = torch.minimum(down.expand(height)[:, None], across.expand(width)[None])
    return ((feathering - distance) / feathering).clamp(min=0) ** 2


def _fitted(width: int, height: int, target_width: int, target_height: int) -> tuple[int, int]:
    factor = min(target_width / width, target_height / height)
    return max(1, int(width * factor)), max(1, int(height * factor))


@node(
    "ResizeAndPadImage",
    title="Resize and Pad Image",
    category="image/transform",
    infer=resized(
        "image", "target_width", "target_height", size=lambda *sides: (sides[2], sides[3]), to=["IMAGE"]
    ),
)
def resize_and_pad_image(
    image: Image,
    target_width: Annotated[Side, Hint("Width in pixels, borders included.")] = 512,
    target_height: Annotated[Side, Hint("Height in pixels, borders included.")] = 512,
    *,
    padding_color: Annotated[Literal["white", "black"], Hint("The colour of the borders.")],
    interpolation: Annotated[
        Literal["area", "bicubic", "nearest-exact", "bilinear", "lanczos"],
        Hint("How new pixels are computed; lanczos is the sharpest, area suits shrinking."),
    ],
) -> Image:
    """Pictures scaled to fit into a size, with borders of one colour where they do not fill it."""
    width, height = _fitted(image.shape[2], image.shape[1], target_width, target_height)
    scaled = tensors.resize(tensors.channels_first(image), width, height, interpolation)
    x, y = (target_width - width) // 2, (target_height - height) // 2
    borders = (x, target_width - width - x, y, target_height - height - y)
    value = 0.0 if padding_color == "black" else 1.0
    return tensors.channels_last(functional.pad(scaled, borders, value=value))


@node("ImageRotate", title="Image Rotate", category="image/transform", infer=turned("image", "IMAGE"))
def image_rotate(image: Image, rotation: Annotated[Turn, Hint("How far to turn, clockwise.")]) -> Image:
    """Pictures turned clockwise by quarter turns."""
    return torch.rot90(image, tensors.quarters(rotation), (2, 1))


@node("ImageFlip", title="Image Flip", category="image/transform", infer=carry("image", to=["IMAGE"]))
def image_flip(
    image: Image,
    flip_method: Annotated[Mirror, Hint("x-axis turns top and bottom around, y-axis left and right.")],
) -> Image:
    """Pictures mirrored."""
    return torch.flip(image, (1 if flip_method.startswith("x") else 2,))


def _stitched_size(known: Known) -> Mapping[str, Facts]:
    facts: Any = known.facts.get("image1", {})
    first: Any = (facts.get("width"), facts.get("height"))
    second: Any = (known.fact("image2", "width"), known.fact("image2", "height"))
    settings: list[Any] = [
        known.values.get(name) for name in ("direction", "match_image_size", "spacing_width")
    ]
    if None in (*first, *second, *settings):
        return {"IMAGE": {"batch": facts.get("batch")}}
    width, height = _joined(first, second, *settings)
    return {"IMAGE": {"width": width, "height": height}}


def _joined(
    first: tuple[int, int], second: tuple[int, int], direction: str, match: bool, spacing: int
) -> tuple[int, int]:
    second = _matched(first, second, direction) if match else second
    gap = spacing + spacing % 2
    if direction in ("right", "left"):
        return first[0] + gap + second[0], max(first[1], second[1])
    return max(first[0], second[0]), first[1] + gap + second[1]


def _matched(first: tuple[int, int], second: tuple[int, int], direction: str) -> tuple[int, int]:
    """The size of the second picture whose touching side is as long as the first one's."""
    ratio = second[0] / second[1]
    if direction in ("right", "left"):
        return max(1, int(first[1] * ratio)), first[1]
    return first[0], max(1, int(first[0] / ratio))


@node("ImageStitch", title="Image Stitch", category="image/transform", infer=_stitched_size)
def image_stitch(
    image1: Image,
    direction: Annotated[Direction, Hint("Where the second picture stands.")] = "right",
    match_image_size: Annotated[
        bool, Hint("Scale the second picture so that the sides that touch are equal; else pad the smaller.")
    ] = True,
    spacing_width: Annotated[
        int, Number(0, 1024, 2), Hint("The gap between them in pixels; odd ones are rounded up.")
    ] = 0,
    spacing_color: Annotated[
        Literal["white", "black", "red", "green", "blue"], Hint("The colour of the gap and of padding.")
    ] = "white",
    image2: Annotated[Image | None, Hint("The second picture; without one the first stays as it is.")] = None,
) -> Image:
    """Two pictures side by side or one above the other."""
    if image2 is None:
        return image1
    along = 2 if direction in ("right", "left") else 1
    first, second = _as_many(image1, image2)
    if match_image_size:
        sizes = (first.shape[2], first.shape[1]), (second.shape[2], second.shape[1])
        width, height = _matched(*sizes, direction)
        scaled = tensors.resize(tensors.channels_first(second), width, height, "lanczos")
        second = tensors.channels_last(scaled)
    else:
        first, second = _as_long(first, second, 3 - along, 1.0 if spacing_color == "white" else 0.0)
    parts = list(tensors.same_channels(first, second))
    if spacing_width:
        parts.insert(1, _gap(parts[0], along, spacing_width + spacing_width % 2, COLOURS[spacing_color]))
    return torch.cat(parts if direction in ("right", "down") else parts[::-1], dim=along)


def _as_many(first: Image, second: Image) -> tuple[Image, Image]:
    """Both batches as long as the longer; the last picture of the shorter is repeated."""
    count = max(first.shape[0], second.shape[0])
    filled = [
        torch.cat((part, part[-1:].expand(count - part.shape[0], -1, -1, -1))) for part in (first, second)
    ]
    return filled[0], filled[1]


def _as_long(first: Image, second: Image, dim: int, value: float) -> tuple[Image, Image]:
    """Both padded evenly with `value` along a dimension to the length of the longer."""
    length = max(first.shape[dim], second.shape[dim])

    def filled(part: Image) -> Image:
        missing = length - part.shape[dim]
        ends = (missing // 2, missing - missing // 2)
        return functional.pad(part, (0, 0, *ends) if dim == 2 else (0, 0, 0, 0, *ends), value=value)

    return filled(first), filled(second)


def _gap(like: Image, along: int, width: int, colour: tuple[float, float, float]) -> Image:
    shape = [*like.shape]
    shape[along] = width
    values = [*colour, *[1.0] * (shape[-1] - 3)][: shape[-1]]
    return torch.tensor(values).expand(*shape)


@node(
    "RepeatImageBatch",
    title="Repeat Image Batch",
    category="image/batch",
    infer=counted("image", ["amount"], times, "IMAGE"),
)
def repeat_image_batch(
    image: Image, amount: Annotated[int, Number(1, 4096), Hint("How many times the batch is repeated.")] = 1
) -> Image:
    """A batch of pictures repeated."""
    return image.repeat(amount, 1, 1, 1)


@node(
    "ImageFromBatch",
    title="Image From Batch",
    category="image/batch",
    infer=counted("image", ["batch_index", "length"], taken, "IMAGE"),
)
def image_from_batch(
    image: Image,
    batch_index: Annotated[int, Number(0, 4095), Hint("The first picture to take, counted from 0.")] = 0,
    length: Annotated[int, Number(1, 4096), Hint("How many to take.")] = 1,
) -> Image:
    """Some pictures out of a batch."""
    start = min(batch_index, image.shape[0] - 1)
    return image[start : start + length].clone()


@node("RebatchImages", title="Rebatch Images", category="image/batch")
def rebatch_images(
    images: Annotated[list[Image], Hint("Pictures in batches; those of a new batch must have one size.")],
    batch_size: Annotated[int, Number(1, 4096), Hint("How many pictures a batch shall hold.")] = 1,
) -> list[Image]:
    """The same pictures in batches of another length; the last may be shorter."""
    singles = [picture[None] for part in images for picture in part]
    return [_one_batch(singles[at : at + batch_size]) for at in range(0, len(singles), batch_size)]


def _one_batch(pictures: list[Image]) -> Image:
    sizes = {tuple(picture.shape[1:]) for picture in pictures}
    if len(sizes) > 1:
        told = " and ".join(f"{size[1]}×{size[0]}" for size in sorted(sizes)[:2])
        raise ValueError(
            f"Pictures of {told} pixels do not fit into one batch. Scale them to one size first."
        )
    return torch.cat(pictures)


@node("ImageAddNoise", title="Image Add Noise", category="image", infer=carry("image", to=["IMAGE"]))
def image_add_noise(
    image: Image,
    seed: Seed = 0,
    strength: Annotated[Percent, Hint("The standard deviation of the noise; 1 is the whole range.")] = 0.5,
) -> Image:
    """Pictures with Gaussian noise added."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    return (image + strength * noise.to(image)).clamp(0, 1)
