"""Latents: putting together, turning, cutting and arithmetic."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.facts import Facts, Known, carry
from graph.node import node
from graph.sockets import Socket
from graph.spec import Hint, Number
from nodes.latent import with_values
from nodes.lazy import LazyModule
from nodes.lookups import CELL
from nodes.sizes import resized, turned
from nodes.sockets import MAX_RESOLUTION, Latent, Mask, Model, Percent

if TYPE_CHECKING:
    import torch

    from nodes import latent_math, tensors
else:
    torch = LazyModule("torch")
    latent_math = LazyModule("nodes.latent_math")
    tensors = LazyModule("nodes.tensors")

Operation = Annotated[Any, Socket("LATENT_OPERATION")]
"""A function of a latent tensor (B, C, H, W) that gives one of the same shape."""
Place = Annotated[int, Number(0, MAX_RESOLUTION, 8)]
Side = Annotated[int, Number(64, MAX_RESOLUTION, 8)]
Second = Annotated[Latent, Hint("Scaled to the size of the first; a shorter batch is repeated.")]
Turn = Literal["none", "90 degrees", "180 degrees", "270 degrees"]
Mirror = Literal["x-axis: vertically", "y-axis: horizontally"]
SMALLEST: Final = 8
"""The least side of a latent that is cropped, in its own points."""
FIRST = carry("samples1", to=["LATENT"])
SAME = carry("samples", to=["LATENT"])


@node(
    "LatentComposite", title="Latent Composite", category="latent", infer=carry("samples_to", to=["LATENT"])
)
def latent_composite(
    samples_to: Annotated[Latent, Hint("The latents that are pasted on.")],
    samples_from: Annotated[Latent, Hint("The latent that is pasted; what stands out is cut off.")],
    x: Annotated[Place, Hint("The left side of the pasted latent, in pixels.")] = 0,
    y: Annotated[Place, Hint("The upper side of the pasted latent, in pixels.")] = 0,
    feather: Annotated[Place, Hint("How far the sides inside the picture fade, in pixels.")] = 0,
) -> Latent:
    """One latent pasted onto another, with soft sides if wanted."""
    below, above = samples_to["samples"], samples_from["samples"]
    x, y = x // CELL, y // CELL
    above = above[..., : max(0, below.shape[-2] - y), : max(0, below.shape[-1] - x)]
    mask = latent_math.feathered(above.shape[-2:], below.shape[-2:], x, y, feather // CELL)
    return with_values(samples_to, tensors.composite(below, above, x, y, mask))


@node(
    "LatentCompositeMasked",
    title="LatentCompositeMasked",
    category="latent",
    infer=carry("destination", to=["LATENT"]),
)
def latent_composite_masked(
    destination: Annotated[Latent, Hint("The latents that are pasted on.")],
    source: Annotated[Latent, Hint("The latent that is pasted; what stands out is cut off.")],
    x: Annotated[Place, Hint("The left side of the source, in pixels.")] = 0,
    y: Annotated[Place, Hint("The upper side of the source, in pixels.")] = 0,
    resize_source: Annotated[bool, Hint("Scale the source to the size of the destination first.")] = False,
    mask: Annotated[
        Mask | None, Hint("1 where the source shows; scaled to it. Without one it all does.")
    ] = None,
) -> Latent:
    """One latent pasted onto another, where a mask says so."""
    below, above = destination["samples"], source["samples"]
    pasted = tensors.composite(below, above, x // CELL, y // CELL, mask, resize_source)
    return with_values(destination, pasted)


@node("LatentBlend", title="Latent Blend", category="_for_testing", infer=FIRST)
def latent_blend(
    samples1: Annotated[Latent, Hint("The first latents; their size counts.")],
    samples2: Annotated[Latent, Hint("Scaled and cut to the size of the first.")],
    blend_factor: Annotated[
        float, Number(0, 1, 0.01), Hint("How much of the first is kept: 1 all of it, 0 only the second.")
    ] = 0.5,
) -> Latent:
    """Two latents mixed."""
    first, second = samples1["samples"], samples2["samples"]
    if first.shape != second.shape:
        second = tensors.resize(second, first.shape[3], first.shape[2], "bicubic", "center")
    return with_values(samples1, first * blend_factor + second * (1 - blend_factor))


@node("LatentRotate", title="Rotate Latent", category="latent/transform", infer=turned("samples", "LATENT"))
def latent_rotate(samples: Latent, rotation: Annotated[Turn, Hint("How far to turn, clockwise.")]) -> Latent:
    """Latents turned clockwise by quarter turns."""
    return with_values(samples, torch.rot90(samples["samples"], tensors.quarters(rotation), (3, 2)))


@node("LatentFlip", title="Flip Latent", category="latent/transform", infer=SAME)
def latent_flip(
    samples: Latent,
    flip_method: Annotated[Mirror, Hint("x-axis turns top and bottom around, y-axis left and right.")],
) -> Latent:
    """Latents mirrored."""
    return with_values(samples, torch.flip(samples["samples"], (2 if flip_method.startswith("x") else 3,)))


def _span(length: int, start: int, wanted: int) -> slice:
    """Which of `length` rows or columns a crop takes; start and wanted are in pixels."""
    first = max(0, min(start // CELL, length - SMALLEST))
    return slice(first, min(length, first + wanted // CELL))


def _cropped_size(wide: int, tall: int, width: int, height: int, x: int, y: int) -> tuple[int, int]:
    columns, rows = _span(wide // CELL, x, width), _span(tall // CELL, y, height)
    return (columns.stop - columns.start) * CELL, (rows.stop - rows.start) * CELL


@node(
    "LatentCrop",
    title="Crop Latent",
    category="latent/transform",
    infer=resized("samples", "width", "height", "x", "y", size=_cropped_size, to=["LATENT"]),
)
def latent_crop(
    samples: Latent,
    width: Annotated[Side, Hint("Width in pixels; less where the latent ends.")] = 512,
    height: Annotated[Side, Hint("Height in pixels; less where the latent ends.")] = 512,
    x: Annotated[Place, Hint("The left side, in pixels; 64 pixels are always left.")] = 0,
    y: Annotated[Place, Hint("The upper side, in pixels; 64 pixels are always left.")] = 0,
) -> Latent:
    """A rectangle cut out of latents."""
    values = samples["samples"]
    columns, rows = _span(values.shape[3], x, width), _span(values.shape[2], y, height)
    return with_values(samples, values[:, :, rows, columns])


@node("LatentAdd", title="LatentAdd", category="latent/advanced", infer=FIRST)
def latent_add(samples1: Annotated[Latent, Hint("The first latents.")], samples2: Second) -> Latent:
    """Two latents added."""
    first, second = latent_math.alike(samples1["samples"], samples2["samples"])
    return with_values(samples1, first + second)


@node("LatentSubtract", title="LatentSubtract", category="latent/advanced", infer=FIRST)
def latent_subtract(samples1: Annotated[Latent, Hint("The first latents.")], samples2: Second) -> Latent:
    """One latent less another."""
    first, second = latent_math.alike(samples1["samples"], samples2["samples"])
    return with_values(samples1, first - second)


@node("LatentMultiply", title="LatentMultiply", category="latent/advanced", infer=SAME)
def latent_multiply(
    samples: Latent,
    multiplier: Annotated[float, Number(-10.0, 10.0, 0.01), Hint("What all values are multiplied by.")] = 1.0,
) -> Latent:
    """Latents made stronger or weaker."""
    return with_values(samples, samples["samples"] * multiplier)


@node("LatentInterpolate", title="LatentInterpolate", category="latent/advanced", infer=FIRST)
def latent_interpolate(
    samples1: Annotated[Latent, Hint("The first latents.")],
    samples2: Second,
    ratio: Annotated[Percent, Hint("How much of the first: 1 all of it, 0 only the second.")] = 1.0,
) -> Latent:
    """Two latents mixed; the strength of every point is mixed apart from its direction."""
    first, second = latent_math.alike(samples1["samples"], samples2["samples"])
    return with_values(samples1, latent_math.interpolated(first, second, ratio))


SIDES: Final[Mapping[str, str]] = {"x": "width", "y": "height"}


def _side_by_side(known: Known) -> Mapping[str, Facts]:
    side = SIDES.get(str(known.values.get("dim"))[-1:], "")
    lengths = [known.fact(name, side) for name in ("samples1", "samples2")]
    facts = known.facts.get("samples1", {})
    return {"LATENT": {**facts, side: None if None in lengths else sum(lengths)} if side else {}}


@node("LatentConcat", title="LatentConcat", category="latent/advanced", infer=_side_by_side)
def latent_concat(
    samples1: Annotated[Latent, Hint("The first latents.")],
    samples2: Annotated[Latent, Hint("The second latents, as large as the first across the direction.")],
    dim: Annotated[
        Literal["x", "-x", "y", "-y", "t", "-t"],
        Hint("x: side by side, y: one above the other, t: along the frames; - puts the second first."),
    ],
) -> Latent:
    """Two latents side by side or one above the other."""
    first = samples1["samples"]
    second = tensors.repeat_to(samples2["samples"], first.shape[0])
    parts = (second, first) if dim.startswith("-") else (first, second)
    return with_values(samples1, torch.cat(parts, latent_math.AXES[dim[-1]]))


def _part(length: int, index: int, amount: int) -> tuple[int, int]:
    """The first of `length` rows that is cut out, and how many."""
    start = min(index, length - 1) if index >= 0 else max(index + length, 0)
    return start, min(amount, length - start)


def _cut_size(wide: int, tall: int, dim: str, index: int, amount: int) -> tuple[int, int]:
    if dim == "x":
        wide = _part(wide // CELL, index, amount)[1] * CELL
    if dim == "y":
        tall = _part(tall // CELL, index, amount)[1] * CELL
    return wide, tall


@node(
    "LatentCut",
    title="LatentCut",
    category="latent/advanced",
    infer=resized("samples", "dim", "index", "amount", size=_cut_size, to=["LATENT"]),
)
def latent_cut(
    samples: Latent,
    dim: Annotated[Literal["x", "y", "t"], Hint("The direction: across, down or along the frames.")],
    index: Annotated[
        int,
        Number(-MAX_RESOLUTION, MAX_RESOLUTION, 1),
        Hint("The first row or column, in units of 8 pixels; below 0 it counts from the end."),
    ] = 0,
    amount: Annotated[
        int, Number(1, MAX_RESOLUTION, 1), Hint("How many rows or columns, in units of 8 pixels.")
    ] = 1,
) -> Latent:
    """Some rows or columns of latents."""
    values = samples["samples"]
    axis = latent_math.AXES[dim]
    return with_values(samples, values.narrow(axis, *_part(values.shape[axis], index, amount)))


@node(
    "LatentApplyOperation",
    title="LatentApplyOperation",
    category="latent/advanced/operations",
    experimental=True,
    infer=SAME,
)
def latent_apply_operation(
    samples: Latent, operation: Annotated[Operation, Hint("What is done to them.")]
) -> Latent:
    """Latents changed by an operation."""
    return with_values(samples, operation(latent=samples["samples"]))


@node(
    "LatentApplyOperationCFG",
    title="LatentApplyOperationCFG",
    category="latent/advanced/operations",
    experimental=True,
    infer=carry("model", to=["MODEL"]),
)
def latent_apply_operation_cfg(
    model: Model, operation: Annotated[Operation, Hint("What is done at every step.")]
) -> Model:
    """A model whose guidance is changed by an operation at every step, before it is applied."""
    changed = model.clone()
    changed.set_model_sampler_pre_cfg_function(latent_math.before_guidance(operation))
    return changed


@node(
    "LatentOperationTonemapReinhard",
    title="LatentOperationTonemapReinhard",
    category="latent/advanced/operations",
    experimental=True,
)
def latent_operation_tonemap_reinhard(
    multiplier: Annotated[
        float, Number(0.0, 100.0, 0.01), Hint("How strong values may stay, in units of mean + 5 deviations.")
    ] = 1.0,
) -> Operation:
    """An operation that presses strong values together (Reinhard's tone mapping, 2002)."""
    return latent_math.reinhard(multiplier)


@node(
    "LatentOperationSharpen",
    title="LatentOperationSharpen",
    category="latent/advanced/operations",
    experimental=True,
)
def latent_operation_sharpen(
    sharpen_radius: Annotated[int, Number(1, 31, 1), Hint("How far points reach, in units of 8 pixels.")] = 9,
    sigma: Annotated[
        float, Number(0.1, 10.0, 0.1), Hint("How fast the influence falls off, in radii.")
    ] = 1.0,
    alpha: Annotated[float, Number(0.0, 5.0, 0.01), Hint("How strong; 0 changes nothing.")] = 0.1,
) -> Operation:
    """An operation that makes latents crisp, their strength kept."""
    return latent_math.sharpen(sharpen_radius, sigma, alpha)
