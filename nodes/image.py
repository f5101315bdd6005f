"""Pictures: loading, saving, scaling and putting together."""

import random
import string
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from graph.context import Context
from graph.facts import carry
from graph.node import node
from graph.outcome import Outcome
from graph.spec import FileChoice, Hint, Number
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.lookups import given_size, scaled_size
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
Method = Annotated[
    ImageScaling, Hint("How new pixels are computed; lanczos is the sharpest, area suits shrinking.")
]
Cropping = Annotated[Crop, Hint("center cuts the picture to the new aspect ratio before scaling.")]


@node("LoadImage", title="Load Image", category="image")
def load_image(image: PictureFile, context: Context) -> tuple[Image, Mask]:
    """A picture file from the input folder, and a mask of where it is transparent."""
    colours, mask = pictures.read_picture(existing(context, "input", image))
    return tensors.from_array(colours), tensors.from_array(mask)


@node("LoadImageMask", title="Load Image (as Mask)", category="mask")
def load_image_mask(
    image: PictureFile,
    channel: Annotated[Literal["alpha", "red", "green", "blue"], Hint("The channel that becomes the mask.")],
    context: Context,
) -> Mask:
    """One channel of a picture file as a mask; alpha is inverted, so transparent parts are 1."""
    return tensors.from_array(pictures.read_channel(existing(context, "input", image), channel))


def _saved(
    images: Image, folder: Path, prefix: str, texts: Mapping[str, str], level: int
) -> Iterator[tuple[str, str]]:
    """Save each picture of a batch; gives (file name, subfolder)."""
    height, width = int(images.shape[1]), int(images.shape[2])
    base = pictures.expand_prefix(prefix, width, height, datetime.now())
    for number, image in enumerate(images):
        where, name = pictures.place(folder, base.replace("%batch_num%", str(number)))
        path = pictures.save_png(tensors.to_bytes(image), pictures.counted_names(where, name), texts, level)
        yield path.name, where.relative_to(folder.resolve()).as_posix().removeprefix(".")


def _shown(kind: str, saved: Iterator[tuple[str, str]]) -> Outcome:
    found = [{"filename": name, "subfolder": subfolder, "type": kind} for name, subfolder in saved]
    return Outcome(ui={"images": list[Any](found)})


@node("SaveImage", title="Save Image", category="image", output=True, idempotent=False)
def save_image(
    images: Annotated[Image, Hint("The pictures to save.")],
    context: Context,
    filename_prefix: Annotated[
        str,
        Hint(
            "How file names start; may name a subfolder and hold %width%, %year%, %date:yyyy-MM-dd% and such."
        ),
    ] = "ComfyUI",
) -> Outcome:
    """Pictures saved as PNG files in the output folder, with the workflow that made them inside."""
    job = context.job
    return _shown("output", _saved(images, job.files.folder("output"), filename_prefix, job.metadata, 4))


@node("PreviewImage", title="Preview Image", category="image", output=True, idempotent=False)
def preview_image(images: Annotated[Image, Hint("The pictures to show.")], context: Context) -> Outcome:
    """Pictures shown to you and kept only until the program is started again."""
    prefix = "ComfyUI_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))
    job = context.job
    return _shown("temp", _saved(images, job.files.folder("temp"), prefix, job.metadata, 1))


@node("EmptyImage", title="Empty Image", category="image", infer=given_size("IMAGE"))
def empty_image(
    width: Annotated[int, Number(1, MAX_RESOLUTION, 1), Hint("Width in tensors.")] = 512,
    height: Annotated[int, Number(1, MAX_RESOLUTION, 1), Hint("Height in tensors.")] = 512,
    batch_size: BatchSize = 1,
    color: Annotated[int, Number(0, 0xFFFFFF, 1), Hint("The colour as one number, 0xRRGGBB.")] = 0,
) -> Image:
    """Pictures of one colour."""
    colour = torch.tensor([(color >> shift) & 0xFF for shift in (16, 8, 0)], dtype=torch.float32) / 255
    return colour.expand(batch_size, height, width, 3).clone()


def _missing_side(width: int, height: int, old_width: int, old_height: int) -> tuple[int, int]:
    """Fill in a side given as 0, keeping the aspect ratio."""
    if width == 0:
        width = max(1, round(old_width * height / old_height))
    if height == 0:
        height = max(1, round(old_height * width / old_width))
    return width, height


@node("ImageScale", title="Upscale Image", category="image/upscaling")
def image_scale(
    image: Image,
    upscale_method: Method,
    *,
    width: PixelWidth = 512,
    height: PixelHeight = 512,
    crop: Cropping,
) -> Image:
    """Pictures scaled to a size in tensors."""
    if width == 0 and height == 0:
        return image
    width, height = _missing_side(width, height, image.shape[2], image.shape[1])
    return tensors.channels_last(
        tensors.resize(tensors.channels_first(image), width, height, upscale_method, crop)
    )


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
    return tensors.channels_last(tensors.resize(tensors.channels_first(image), width, height, upscale_method))


@node("ImageInvert", title="Invert Image", category="image", infer=carry("image", to=["IMAGE"]))
def image_invert(image: Image) -> Image:
    """Pictures with every colour turned into its opposite."""
    return 1.0 - image


@node("ImageBatch", title="Batch Images", category="image")
def image_batch(image1: Image, image2: Annotated[Image, Hint("Scaled to the size of the first.")]) -> Image:
    """Two batches of pictures as one."""
    if image1.shape[1:3] != image2.shape[1:3]:
        first = tensors.channels_first(image2)
        image2 = tensors.channels_last(
            tensors.resize(first, image1.shape[2], image1.shape[1], "bilinear", "center")
        )
    return torch.cat((image1, image2))


class ImageSize(NamedTuple):
    """How large pictures are, in pixels, and how many."""

    width: int
    height: int
    batch_size: int


@node("GetImageSize", title="Get Image Size", category="image")
def get_image_size(image: Image) -> ImageSize:
    """The width and height of pictures in pixels, and how many there are."""
    return ImageSize(int(image.shape[2]), int(image.shape[1]), int(image.shape[0]))
