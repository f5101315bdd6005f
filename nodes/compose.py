"""Pictures put together: blending, pasting, Porter-Duff, transparency, grids."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from graph.facts import Facts, Known, carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.image import Colour
from nodes.lazy import LazyModule
from nodes.sockets import MAX_RESOLUTION, Image, Lines, Mask, Percent

if TYPE_CHECKING:
    import torch

    from nodes import blending, collage, tensors
else:
    torch = LazyModule("torch")
    blending = LazyModule("nodes.blending")
    collage = LazyModule("nodes.collage")
    tensors = LazyModule("nodes.tensors")

Mode = Literal["normal", "multiply", "screen", "overlay", "soft_light", "difference"]
Operator = Literal[
    "ADD", "CLEAR", "DARKEN", "DST", "DST_ATOP", "DST_IN", "DST_OUT", "DST_OVER", "LIGHTEN", "MULTIPLY",
    "OVERLAY", "SCREEN", "SRC", "SRC_ATOP", "SRC_IN", "SRC_OUT", "SRC_OVER", "XOR",
]  # fmt: skip
Place = Annotated[int, Number(0, MAX_RESOLUTION, 1)]


def _scaled_like(image: Image, model: Image) -> Image:
    """A picture batch scaled and cut to the size of another."""
    height, width = model.shape[1:3]
    if image.shape[1:3] == model.shape[1:3]:
        return image
    return tensors.channels_last(
        tensors.resize(tensors.channels_first(image), width, height, "bicubic", "center")
    )


@node(
    "ImageBlend",
    title="Image Blend",
    category="image/postprocessing",
    infer=carry("image1", "width", "height", to=["IMAGE"]),
)
def image_blend(
    image1: Image,
    image2: Annotated[Image, Hint("Laid over the first; scaled and cut to its size.")],
    blend_factor: Annotated[Percent, Hint("How much of the second shows: 0 none, 1 all.")] = 0.5,
    *,
    blend_mode: Annotated[Mode, Hint("How the colours mix; difference is the first less the second.")],
) -> Image:
    """One picture blended onto another."""
    above = _scaled_like(tensors.like_channels(image2, image1), image1)
    below, above = tensors.same_count(image1, above)
    return blending.blend(below, above, blend_factor, blend_mode)


@node(
    "ImageCompositeMasked",
    title="ImageCompositeMasked",
    category="image",
    infer=carry("destination", to=["IMAGE"]),
)
def image_composite_masked(
    destination: Annotated[Image, Hint("The pictures that are pasted on.")],
    source: Annotated[Image, Hint("The picture that is pasted; what stands out is cut off.")],
    x: Annotated[Place, Hint("The left side of the source, in pixels.")] = 0,
    y: Annotated[Place, Hint("The upper side of the source, in pixels.")] = 0,
    resize_source: Annotated[bool, Hint("Scale the source to the size of the destination first.")] = False,
    mask: Annotated[
        Mask | None, Hint("1 where the source shows; scaled to it. Without one it all does.")
    ] = None,
) -> Image:
    """One picture pasted onto another, where a mask says so."""
    pasted = tensors.channels_first(tensors.like_channels(source, destination))
    result = tensors.composite(tensors.channels_first(destination), pasted, x, y, mask, resize_source)
    return tensors.channels_last(result)


@node(
    "PorterDuffImageComposite",
    title="Porter-Duff Image Composite",
    category="mask/compositing",
    infer=carry("destination", "width", "height", to=["IMAGE", "MASK"]),
)
def porter_duff_image_composite(
    source: Annotated[Image, Hint("The picture above.")],
    source_alpha: Annotated[Mask, Hint("1 where the source is transparent.")],
    destination: Annotated[Image, Hint("The picture below; its size counts.")],
    destination_alpha: Annotated[Mask, Hint("1 where the destination is transparent.")],
    mode: Annotated[Operator, Hint("Porter and Duff's operator; SRC_OVER lays the source on top.")] = "DST",
) -> tuple[Image, Mask]:
    """Two pictures with transparency put together by one of Porter and Duff's operators."""
    count = min(len(item) for item in (source, source_alpha, destination, destination_alpha))
    below = destination[:count]
    above = _scaled_like(tensors.like_channels(source, destination)[:count], below)
    alphas = [
        _scaled_like(1.0 - mask[:count, ..., None], below) for mask in (source_alpha, destination_alpha)
    ]
    colours, alpha = blending.porter_duff(above, alphas[0], below, alphas[1], mode)
    return colours, 1.0 - alpha[..., 0]


@node(
    "SplitImageWithAlpha",
    title="Split Image with Alpha",
    category="mask/compositing",
    infer=carry("image", to=["IMAGE", "MASK"]),
)
def split_image_with_alpha(image: Image) -> tuple[Image, Mask]:
    """The colours of pictures, and a mask that is 1 where they are transparent."""
    opaque = torch.ones_like(image[..., 0])
    return image[..., :3], 1.0 - (image[..., 3] if image.shape[-1] > 3 else opaque)


@node(
    "JoinImageWithAlpha",
    title="Join Image with Alpha",
    category="mask/compositing",
    infer=carry("image", "width", "height", to=["IMAGE"]),
)
def join_image_with_alpha(
    image: Image, alpha: Annotated[Mask, Hint("1 where the picture shall be transparent; scaled to it.")]
) -> Image:
    """Pictures that are transparent where a mask is 1; as many as there are of the fewer."""
    planes = 1.0 - tensors.resized_mask(alpha, image.shape[2], image.shape[1])[..., None]
    count = min(len(image), len(planes))
    return torch.cat((image[:count, ..., :3], planes[:count]), dim=-1)


def _one(known: Known) -> Mapping[str, Facts]:
    return {"IMAGE": {"batch": 1}}


@node("ImageGrid", title="Image Grid", category="image/batch", infer=_one)
def image_grid(
    images: Annotated[
        list[Image], Hint("Pictures of any sizes; smaller ones stand in the middle of a cell.")
    ],
    columns: Annotated[
        int, Number(0, 256), Hint("How many stand in a row; 0 makes rows and columns alike.")
    ] = 0,
    labels: Annotated[Lines, Hint("One label a line, in the order of the pictures; may be fewer.")] = "",
    padding: Annotated[int, Number(0, 1024), Hint("The space around every cell, in pixels.")] = 8,
    label_size: Annotated[int, Number(6, 256), Hint("The height of the letters, in pixels.")] = 16,
    background: Colour = 0xFFFFFF,
) -> Image:
    """Many pictures in one, in rows and columns, with a label under each."""
    pictures = [one[..., :3] for batch in images for one in batch]
    return collage.grid(pictures, labels.splitlines(), columns, padding, label_size, background)
