"""Pictures: loading, making and scaling."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from graph.context import Context
from graph.facts import Facts, Inferred, Known, carry
from graph.node import node
from graph.spec import Choice, FileChoice, Hint, Number
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.lookups import given_size, scaled_size
from nodes.sizes import resized
from nodes.sockets import (
    MAX_RESOLUTION,
    BatchSize,
    Crop,
    Image,
    ImageScaling,
    Mask,
    PixelHeight,
    PixelWidth,
)

if TYPE_CHECKING:
    import torch

    from nodes import pictures, tensors
else:
    torch = LazyModule("torch")
    pictures = LazyModule("nodes.pictures")
    tensors = LazyModule("nodes.tensors")

PictureFile = Annotated[str, FileChoice("input", upload="image"), Hint("A picture in the input folder.")]
OutputFile = Annotated[str, FileChoice("output", upload="image"), Hint("A picture in the output folder.")]
Method = Annotated[
    ImageScaling, Hint("How new pixels are computed; lanczos is the sharpest, area suits shrinking.")
]
LongSideMethod = Annotated[
    str,
    Choice(("area", "lanczos", "bilinear", "nearest-exact", "bicubic")),
    Hint("How new pixels are computed; lanczos is the sharpest, area suits shrinking."),
]
Cropping = Annotated[Crop, Hint("center cuts the picture to the new aspect ratio before scaling.")]
Colour = Annotated[
    int,
    Number(0, 0xFFFFFF, 1, look="color"),
    Hint("The colour as one number, 0xRRGGBB: 0 is black, 16777215 white."),
]
MEGAPIXEL: Final = 1024 * 1024


def _file_size(known: Known, kind: str) -> Inferred:
    name = known.values.get("image")
    path = known.files.find(kind, name) if known.files and isinstance(name, str) else None
    if path is None:
        return Inferred()
    width, height, frames = pictures.picture_size(path)
    return Inferred({"IMAGE": {"width": width, "height": height, "batch": frames}})


def _input_size(known: Known) -> Inferred:
    return _file_size(known, "input")


def _output_size(known: Known) -> Inferred:
    return _file_size(known, "output")


@node("LoadImage", title="Load Image", category="image", infer=_input_size)
def load_image(image: PictureFile, context: Context) -> tuple[Image, Mask]:
    """A picture file from the input folder, and a mask of where it is transparent."""
    colours, mask = pictures.read_picture(existing(context, "input", image))
    return tensors.from_array(colours), tensors.from_array(mask)


@node(
    "LoadImageOutput",
    title="Load Image (from Outputs)",
    category="image",
    experimental=True,
    infer=_output_size,
)
def load_image_output(image: OutputFile, context: Context) -> tuple[Image, Mask]:
    """A picture file from the output folder, and a mask of where it is transparent."""
    colours, mask = pictures.read_picture(existing(context, "output", image))
    return tensors.from_array(colours), tensors.from_array(mask)


@node("LoadImageMask", title="Load Image (as Mask)", category="mask")
def load_image_mask(
    image: PictureFile,
    channel: Annotated[Literal["alpha", "red", "green", "blue"], Hint("The channel that becomes the mask.")],
    context: Context,
) -> Mask:
    """One channel of a picture file as a mask; alpha is inverted, so transparent parts are 1."""
    return tensors.from_array(pictures.read_channel(existing(context, "input", image), channel))


@node("EmptyImage", title="Empty Image", category="image", infer=given_size("IMAGE"))
def empty_image(
    width: Annotated[int, Number(1, MAX_RESOLUTION, 1), Hint("Width in pixels.")] = 512,
    height: Annotated[int, Number(1, MAX_RESOLUTION, 1), Hint("Height in pixels.")] = 512,
    batch_size: BatchSize = 1,
    color: Colour = 0,
) -> Image:
    """Pictures of one colour."""
    colour = torch.tensor([(color >> shift) & 0xFF for shift in (16, 8, 0)], dtype=torch.float32) / 255
    return colour.expand(batch_size, height, width, 3).clone()


def _missing_side(old_width: int, old_height: int, width: int, height: int) -> tuple[int, int]:
    """The size asked for; a side given as 0 follows from the other, both keep the picture as it is."""
    if width == 0 and height == 0:
        return old_width, old_height
    wide = width or max(1, round(old_width * height / old_height))
    tall = height or max(1, round(old_height * width / old_width))
    return wide, tall


def _scaled(image: Image, width: int, height: int, method: str, crop: str = "disabled") -> Image:
    return tensors.channels_last(tensors.resize(tensors.channels_first(image), width, height, method, crop))


@node(
    "ImageScale",
    title="Upscale Image",
    category="image/upscaling",
    infer=resized("image", "width", "height", size=_missing_side, to=["IMAGE"]),
)
def image_scale(
    image: Image,
    upscale_method: Method,
    *,
    width: PixelWidth = 512,
    height: PixelHeight = 512,
    crop: Cropping,
) -> Image:
    """Pictures scaled to a size in pixels."""
    if width == 0 and height == 0:
        return image
    width, height = _missing_side(image.shape[2], image.shape[1], width, height)
    return _scaled(image, width, height, upscale_method, crop)


@node(
    "ImageScaleBy",
    title="Upscale Image By",
    category="image/upscaling",
    infer=scaled_size("image", "IMAGE", "scale_by"),
)
def image_scale_by(
    image: Image,
    upscale_method: Method,
    scale_by: Annotated[float, Number(0.01, 8.0, 0.01), Hint("The factor for both sides.")] = 1.0,
) -> Image:
    """Pictures scaled by a factor."""
    width, height = (max(1, round(side * scale_by)) for side in (image.shape[2], image.shape[1]))
    return _scaled(image, width, height, upscale_method)


def _of_pixels(width: int, height: int, megapixels: float) -> tuple[int, int]:
    factor = math.sqrt(int(megapixels * MEGAPIXEL) / (width * height))
    return max(1, round(width * factor)), max(1, round(height * factor))


@node(
    "ImageScaleToTotalPixels",
    title="Scale Image to Total Pixels",
    category="image/upscaling",
    infer=resized("image", "megapixels", size=_of_pixels, to=["IMAGE"]),
)
def image_scale_to_total_pixels(
    image: Image,
    upscale_method: Method,
    megapixels: Annotated[
        float, Number(0.01, 16.0, 0.01), Hint("How many pixels, in units of 1024 × 1024.")
    ] = 1.0,
) -> Image:
    """Pictures scaled to a number of pixels, their aspect ratio kept."""
    width, height = _of_pixels(image.shape[2], image.shape[1], megapixels)
    return _scaled(image, width, height, upscale_method)


def _of_long_side(width: int, height: int, largest_size: int) -> tuple[int, int]:
    factor = largest_size / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


@node(
    "ImageScaleToMaxDimension",
    title="Scale Image to Max Dimension",
    category="image/upscaling",
    infer=resized("image", "largest_size", size=_of_long_side, to=["IMAGE"]),
)
def image_scale_to_max_dimension(
    image: Image,
    upscale_method: LongSideMethod,
    largest_size: Annotated[
        int, Number(0, MAX_RESOLUTION, 1), Hint("The longer side in pixels; 0 keeps the size.")
    ] = 512,
) -> Image:
    """Pictures scaled so that their longer side has a length, their aspect ratio kept."""
    if largest_size == 0:
        return image
    width, height = _of_long_side(image.shape[2], image.shape[1], largest_size)
    return _scaled(image, width, height, upscale_method)


@node("ImageInvert", title="Invert Image", category="image", infer=carry("image", to=["IMAGE"]))
def image_invert(image: Image) -> Image:
    """Pictures with every colour turned into its opposite."""
    return 1.0 - image


def _both(known: Known) -> Mapping[str, Facts]:
    first, second = known.fact("image1", "batch"), known.fact("image2", "batch")
    batch = first + second if first and second else None
    return {"IMAGE": {**known.facts.get("image1", {}), "batch": batch}}


@node("ImageBatch", title="Batch Images", category="image", infer=_both)
def image_batch(image1: Image, image2: Annotated[Image, Hint("Scaled to the size of the first.")]) -> Image:
    """Two batches of pictures as one."""
    if image1.shape[1:3] != image2.shape[1:3]:
        image2 = _scaled(image2, image1.shape[2], image1.shape[1], "bilinear", "center")
    return torch.cat(tensors.same_channels(image1, image2))


class ImageSize(NamedTuple):
    """How large pictures are, in pixels, and how many."""

    width: int
    height: int
    batch_size: int


@node("GetImageSize", title="Get Image Size", category="image")
def get_image_size(image: Image) -> ImageSize:
    """The width and height of pictures in pixels, and how many there are."""
    return ImageSize(int(image.shape[2]), int(image.shape[1]), int(image.shape[0]))
