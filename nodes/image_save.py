"""Saving and showing pictures: PNG, JPEG, WebP, AVIF, animations, previews, comparisons."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.context import Context
from graph.node import node
from graph.outcome import Outcome
from graph.spec import Hint, Number
from nodes import saving
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    from nodes import encoders, pictures, tensors
else:
    encoders = LazyModule("nodes.encoders")
    pictures = LazyModule("nodes.pictures")
    tensors = LazyModule("nodes.tensors")

Prefix = Annotated[
    str,
    Hint("How file names start; may name a subfolder and hold %width%, %year%, %date:yyyy-MM-dd% and such."),
]
Frames = Annotated[Image, Hint("The frames, in their order.")]
Fps = Annotated[float, Number(0.01, 1000.0, 0.01), Hint("How many frames are shown a second.")]
Quality = Annotated[
    int,
    Number(0, 100),
    Hint("0 gives the smallest file, 100 the best picture, in percent of the format's scale."),
]
METHODS: Final[Mapping[str, int]] = {"default": 4, "fastest": 0, "slowest": 6}


def _told(shown: saving.Shown) -> Outcome:
    return Outcome(ui={"images": list[Any](shown)})


@node("SaveImage", title="Save Image", category="image", output=True, idempotent=False)
def save_image(
    images: Annotated[Image, Hint("The pictures to save.")],
    context: Context,
    filename_prefix: Prefix = "ComfyUI",
) -> Outcome:
    """Pictures saved as PNG files in the output folder, with the workflow that made them inside."""
    texts = context.job.metadata

    def save(pixels: Any, names: Iterator[Path]) -> Path:
        return pictures.save_png(pixels, names, texts)

    return _told(saving.saved(images, context, "output", filename_prefix, save, ".png"))


@node("SaveImageAdvanced", title="Save Image (Advanced)", category="image", output=True, idempotent=False)
def save_image_advanced(
    images: Annotated[Image, Hint("The pictures to save.")],
    context: Context,
    filename_prefix: Prefix = "ComfyUI",
    format: Annotated[
        Literal["png", "jpeg", "webp", "avif"],
        Hint("png keeps every bit, jpeg opens everywhere, webp is smaller, avif the smallest."),
    ] = "png",
    quality: Annotated[
        int, Number(1, 100), Hint("From 1, the smallest file, to 100, the best picture; png takes no notice.")
    ] = 90,
    lossless: Annotated[bool, Hint("Keep the pixels as they are, for webp; avif comes close to it.")] = False,
    embed_workflow: Annotated[
        bool, Hint("Put the workflow inside, so that the picture can be opened.")
    ] = True,
) -> Outcome:
    """Pictures saved as PNG, JPEG, WebP or AVIF files of a quality, with or without the workflow inside."""
    wanted = context.job.metadata if embed_workflow else {}
    texts = encoders.texts_that_fit(wanted, format)
    if missing := sorted(wanted.keys() - texts.keys()):
        context.log(
            f"The {' and the '.join(missing)} did not fit into a JPEG file (64 KB). Save as webp or png."
        )

    def save(pixels: Any, names: Iterator[Path]) -> Path:
        picture = pictures.from_bytes(pixels)

        def write(file: IO[bytes]) -> None:
            encoders.write(file, picture, format, quality, lossless, texts)

        return pictures.save_whole(names, write)

    return _told(saving.saved(images, context, "output", filename_prefix, save, encoders.ENDINGS[format]))


@node("PreviewImage", title="Preview Image", category="image", output=True, idempotent=False)
def preview_image(images: Annotated[Image, Hint("The pictures to show.")], context: Context) -> Outcome:
    """Pictures shown to you and kept only until the program is started again."""
    return _told(saving.previewed(images, context))


@node("ImageCompare", title="Compare Images", category="image", output=True, idempotent=False)
def image_compare(
    image_a: Annotated[Image, Hint("The pictures on the left, or before.")],
    image_b: Annotated[Image, Hint("The pictures on the right, or after.")],
    context: Context,
) -> Outcome:
    """Two pictures shown against each other; an editor may lay one over the other behind a slider."""
    first, second = saving.previewed(image_a, context), saving.previewed(image_b, context)
    return Outcome(ui={"a_images": list[Any](first), "b_images": list[Any](second)})


def _duration(fps: float) -> int:
    """Milliseconds a frame."""
    return max(1, int(1000.0 / fps))


@node("SaveAnimatedWEBP", title="SaveAnimatedWEBP", category="image/animation", output=True, idempotent=False)
def save_animated_webp(
    images: Frames,
    context: Context,
    filename_prefix: Prefix = "ComfyUI",
    fps: Fps = 6.0,
    lossless: Annotated[bool, Hint("Keep the pixels as they are; quality then sets the effort.")] = True,
    quality: Quality = 80,
    *,
    method: Annotated[Literal["default", "fastest", "slowest"], Hint("Slower makes smaller files.")],
) -> Outcome:
    """Pictures saved as the frames of one animated WebP file in the output folder."""
    frames = [tensors.to_pillow(image) for image in images]
    texts = context.job.metadata

    def write(file: IO[bytes]) -> None:
        speed = METHODS[method]
        encoders.write_animated_webp(file, frames, _duration(fps), lossless, quality, speed, texts)

    return _animation(images, context, filename_prefix, write, ".webp")


@node("SaveAnimatedPNG", title="SaveAnimatedPNG", category="image/animation", output=True, idempotent=False)
def save_animated_png(
    images: Frames,
    context: Context,
    filename_prefix: Prefix = "ComfyUI",
    fps: Fps = 6.0,
    compress_level: Annotated[int, Number(0, 9), Hint("0 is the fastest, 9 makes the smallest file.")] = 4,
) -> Outcome:
    """Pictures saved as the frames of one animated PNG file in the output folder."""
    frames = [tensors.to_pillow(image) for image in images]
    texts = context.job.metadata

    def write(file: IO[bytes]) -> None:
        encoders.write_apng(file, frames, _duration(fps), compress_level, texts)

    return _animation(images, context, filename_prefix, write, ".png")


def _animation(images: Image, context: Context, prefix: str, write: Any, extension: str) -> Outcome:
    def save(names: Iterator[Path]) -> Path:
        return pictures.save_whole(names, write)

    shown = saving.saved_together(images, context, prefix, save, extension)
    return Outcome(ui={"images": list[Any](shown), "animated": [True]})
