"""Conditioning: joined, averaged, and bound to areas, masks and times."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import MAX_RESOLUTION, Conditioning, Mask

if TYPE_CHECKING:
    from diffusion import conditioning as conds
else:
    conds = LazyModule("diffusion.conditioning")

AGREE: Final = ("family",)
KEEP: Final = carry("conditioning", to=["CONDITIONING"])
CATEGORY: Final = "conditioning"
ADVANCED: Final = "advanced/conditioning"
CELL: Final = 8

Weight = Annotated[
    float, Number(0.0, 10.0, 0.01), Hint("How much it counts against what else is at the same place.")
]
AreaSide = Annotated[int, Number(64, MAX_RESOLUTION, 8), Hint("Size of the area in pixels.")]
AreaStart = Annotated[
    int, Number(0, MAX_RESOLUTION, 8), Hint("Where the area begins, in pixels from the left or the top.")
]
Part = Annotated[float, Number(0.0, 1.0, 0.01), Hint("A part of the picture's width or height, 0 to 1.")]
Moment = Annotated[
    float,
    Number(0.0, 1.0, 0.001),
    Hint("A part of the way from noise (0) to the finished picture (1)."),
]
To = Annotated[Conditioning, Hint("The conditioning whose facts (areas, sizes, ...) are kept.")]
Source = Annotated[Conditioning, Hint("The conditioning that is added; of several items the first counts.")]


@node("ConditioningCombine", title="Conditioning (Combine)", category=CATEGORY, agree=AGREE)
def conditioning_combine(
    conditioning_1: Annotated[Conditioning, Hint("One prompt.")],
    conditioning_2: Annotated[Conditioning, Hint("Another one.")],
) -> Conditioning:
    """Both conditionings, each denoised for itself and averaged by strength where they overlap."""
    return conditioning_1 + conditioning_2


@node("ConditioningAverage", title="Conditioning (Average)", category=CATEGORY, agree=AGREE)
def conditioning_average(
    conditioning_to: To,
    conditioning_from: Source,
    conditioning_to_strength: Annotated[
        float, Number(0.0, 1.0, 0.01), Hint("1 keeps conditioning_to alone, 0 conditioning_from alone.")
    ] = 1.0,
) -> Conditioning:
    """A mean of two conditionings, between what one and what the other says."""
    return conds.average(conditioning_to, conditioning_from, conditioning_to_strength)


@node("ConditioningConcat", title="Conditioning (Concat)", category=CATEGORY, agree=AGREE)
def conditioning_concat(conditioning_to: To, conditioning_from: Source) -> Conditioning:
    """The words of both in one conditioning, as if each were a part of one long prompt."""
    return conds.concat(conditioning_to, conditioning_from)


@node("ConditioningSetArea", title="Conditioning (Set Area)", category=CATEGORY, infer=KEEP)
def conditioning_set_area(
    conditioning: Conditioning,
    width: AreaSide = 64,
    height: AreaSide = 64,
    x: AreaStart = 0,
    y: AreaStart = 0,
    strength: Weight = 1.0,
) -> Conditioning:
    """The conditioning for a rectangle of the picture only."""
    area = (height // CELL, width // CELL, y // CELL, x // CELL)
    return conds.with_keys(conditioning, area=area, strength=strength, set_area_to_bounds=False)


@node(
    "ConditioningSetAreaPercentage",
    title="Conditioning (Set Area with Percentage)",
    category=CATEGORY,
    infer=KEEP,
)
def conditioning_set_area_percentage(
    conditioning: Conditioning,
    width: Part = 1.0,
    height: Part = 1.0,
    x: Part = 0.0,
    y: Part = 0.0,
    strength: Weight = 1.0,
) -> Conditioning:
    """The conditioning for a rectangle given in parts of the picture, whatever its size."""
    area = ("percentage", height, width, y, x)
    return conds.with_keys(conditioning, area=area, strength=strength, set_area_to_bounds=False)


@node("ConditioningSetAreaStrength", title="ConditioningSetAreaStrength", category=CATEGORY, infer=KEEP)
def conditioning_set_area_strength(conditioning: Conditioning, strength: Weight = 1.0) -> Conditioning:
    """The conditioning with another strength where it overlaps with others."""
    return conds.with_keys(conditioning, strength=strength)


@node("ConditioningSetMask", title="Conditioning (Set Mask)", category=CATEGORY, infer=KEEP)
def conditioning_set_mask(
    conditioning: Conditioning,
    mask: Annotated[Mask, Hint("How much the conditioning counts at each pixel, 0 to 1.")],
    strength: Weight = 1.0,
    *,
    set_cond_area: Annotated[
        Literal["default", "mask bounds"],
        Hint("mask bounds shows the model only the rectangle around the mask; default the whole picture."),
    ],
) -> Conditioning:
    """The conditioning where a mask says."""
    return conds.masked(conditioning, mask, strength, set_cond_area != "default")


@node("ConditioningSetTimestepRange", title="ConditioningSetTimestepRange", category=ADVANCED, infer=KEEP)
def conditioning_set_timestep_range(
    conditioning: Conditioning, start: Moment = 0.0, end: Moment = 1.0
) -> Conditioning:
    """The conditioning for a part of the way from noise to picture only."""
    return conds.with_keys(conditioning, start_percent=start, end_percent=end)


@node("ConditioningZeroOut", title="ConditioningZeroOut", category=ADVANCED, infer=KEEP)
def conditioning_zero_out(conditioning: Conditioning) -> Conditioning:
    """Zeros in place of text, which for some models is a better negative than an empty prompt."""
    return conds.zeroed(conditioning)
