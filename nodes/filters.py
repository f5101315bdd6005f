"""Filters: blur, sharpening, fewer colours, morphology, luma and colour apart."""

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    import torch

    from nodes import neighbours, tensors
else:
    torch = LazyModule("torch")
    neighbours = LazyModule("nodes.neighbours")
    tensors = LazyModule("nodes.tensors")

Sigma = Hint("How fast the influence of points falls off, in radii; 10 weighs all alike.")
Dither = Literal["none", "floyd-steinberg", "bayer-2", "bayer-4", "bayer-8", "bayer-16"]
Shape = Literal["erode", "dilate", "open", "close", "gradient", "bottom_hat", "top_hat"]
SAME = carry("image", to=["IMAGE"])


@node("ImageBlur", title="Image Blur", category="image/postprocessing", infer=SAME)
def image_blur(
    image: Image,
    blur_radius: Annotated[int, Number(1, 31, 1), Hint("How far points reach, in pixels.")] = 1,
    sigma: Annotated[float, Number(0.1, 10.0, 0.1), Sigma] = 1.0,
) -> Image:
    """Pictures made soft."""
    kernel = neighbours.gaussian(blur_radius, sigma)
    return tensors.channels_last(neighbours.convolved(tensors.channels_first(image), kernel))


@node("ImageSharpen", title="Image Sharpen", category="image/postprocessing", infer=SAME)
def image_sharpen(
    image: Image,
    sharpen_radius: Annotated[int, Number(1, 31, 1), Hint("How wide edges are drawn, in pixels.")] = 1,
    sigma: Annotated[float, Number(0.1, 10.0, 0.01), Sigma] = 1.0,
    alpha: Annotated[float, Number(0.0, 5.0, 0.01), Hint("How strong; 0 changes nothing.")] = 1.0,
) -> Image:
    """Pictures made crisp."""
    kernel = neighbours.sharpening(sharpen_radius, sigma, alpha * 10)
    sharp = neighbours.convolved(tensors.channels_first(image), kernel)
    return tensors.channels_last(sharp).clamp(0, 1)


@node("ImageQuantize", title="Image Quantize", category="image/postprocessing", infer=SAME)
def image_quantize(
    image: Image,
    colors: Annotated[int, Number(1, 256, 1), Hint("How many colours each picture keeps.")] = 256,
    *,
    dither: Annotated[Dither, Hint("How colours between are imitated: by scattered errors or in a pattern.")],
) -> Image:
    """Pictures with few colours, each picture with a palette of its own."""
    few = [neighbours.quantized(tensors.to_bytes(one[..., :3]), colors, dither) for one in image]
    return torch.stack([tensors.from_array(one.copy()) for one in few]).float() / 255


@node("Morphology", title="ImageMorphology", category="image/postprocessing", infer=SAME)
def morphology(
    image: Image,
    operation: Annotated[
        Shape,
        Hint(
            "erode shrinks what is bright and dilate grows it; open removes specks, close holes; the others "
            "show what these change."
        ),
    ],
    kernel_size: Annotated[int, Number(3, 999, 1), Hint("The side of the square looked at, in pixels.")] = 3,
) -> Image:
    """Pictures whose bright parts shrank or grew."""
    return tensors.channels_last(neighbours.morphed(tensors.channels_first(image), operation, kernel_size))


class Yuv(NamedTuple):
    """Luma and two colour differences, each a grey picture."""

    Y: Image
    U: Image
    V: Image


@node(
    "ImageRGBToYUV", title="ImageRGBToYUV", category="image/batch", infer=carry("image", to=["Y", "U", "V"])
)
def image_rgb_to_yuv(image: Image) -> Yuv:
    """Brightness and the two colour differences of pictures, each as a grey picture."""
    parts = neighbours.to_yuv(image)
    grey = [parts[..., i : i + 1].expand(-1, -1, -1, 3) for i in range(3)]
    return Yuv(grey[0], grey[1], grey[2])


@node("ImageYUVToRGB", title="ImageYUVToRGB", category="image/batch", infer=carry("Y", to=["IMAGE"]))
def image_yuv_to_rgb(
    Y: Annotated[Image, Hint("The brightness, 0..1.")],
    U: Annotated[Image, Hint("Blue less brightness, 0.5 for none.")],
    V: Annotated[Image, Hint("Red less brightness, 0.5 for none.")],
) -> Image:
    """Pictures put together from brightness and colour differences."""
    parts = tensors.same_count(*(part.mean(-1, keepdim=True) for part in (Y, U, V)))
    return neighbours.from_yuv(torch.cat(parts, -1))
