"""Merging: models and text encoders mixed weight by weight."""

from typing import TYPE_CHECKING, Annotated, Final

from graph.context import Context
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Clip, Model

if TYPE_CHECKING:
    from diffusion import merging
else:
    merging = LazyModule("diffusion.merging")

AGREE: Final = ("family", "latents")
CATEGORY: Final = "advanced/model_merging"

FirstModel = Annotated[Model, Hint("The model whose settings and unshared weights are kept.")]
SecondModel = Annotated[Model, Hint("Another model of the same family.")]
FirstClip = Annotated[Clip, Hint("The text encoder whose settings are kept.")]
SecondClip = Annotated[Clip, Hint("Another text encoder of the same family.")]
Ratio = Annotated[float, Number(0.0, 1.0, 0.01), Hint("The share of the first; the second has the rest.")]
Multiplier = Annotated[float, Number(-10.0, 10.0, 0.01), Hint("What the difference is multiplied with.")]


@node("ModelMergeSimple", title="ModelMergeSimple", category=CATEGORY, agree=AGREE)
def model_merge_simple(
    model1: FirstModel, model2: SecondModel, ratio: Ratio = 1.0, *, context: Context
) -> Model:
    """Every weight a mean of two models'."""
    return merging.mix_models(model1, model2, lambda _: (ratio, 1.0 - ratio), context.log)


@node("ModelMergeBlocks", title="ModelMergeBlocks", category=CATEGORY, agree=AGREE)
def model_merge_blocks(
    model1: FirstModel,
    model2: SecondModel,
    input: Annotated[float, Number(0.0, 1.0, 0.01), Hint("The first's share on the way down.")] = 1.0,
    middle: Annotated[float, Number(0.0, 1.0, 0.01), Hint("The first's share in the middle.")] = 1.0,
    out: Annotated[float, Number(0.0, 1.0, 0.01), Hint("The first's share on the way up.")] = 1.0,
    *,
    context: Context,
) -> Model:
    """Every weight a mean of two models', with a ratio for each third of the network."""
    share = merging.by_block({"input": input, "middle": middle, "out": out})
    return merging.mix_models(model1, model2, lambda name: (share(name), 1.0 - share(name)), context.log)


@node("ModelMergeAdd", title="ModelMergeAdd", category=CATEGORY, agree=AGREE)
def model_merge_add(model1: FirstModel, model2: SecondModel, context: Context) -> Model:
    """The sum of two models, of which one should be a difference."""
    return merging.mix_models(model1, model2, lambda _: (1.0, 1.0), context.log)


@node("ModelMergeSubtract", title="ModelMergeSubtract", category=CATEGORY, agree=AGREE)
def model_merge_subtract(
    model1: FirstModel, model2: SecondModel, multiplier: Multiplier = 1.0, *, context: Context
) -> Model:
    """The difference of two models, which can be added to a third or saved as a LoRA."""
    return merging.mix_models(model1, model2, lambda _: (multiplier, -multiplier), context.log)


@node("CLIPMergeSimple", title="CLIPMergeSimple", category=CATEGORY, agree="family")
def clip_merge_simple(clip1: FirstClip, clip2: SecondClip, ratio: Ratio = 1.0) -> Clip:
    """Every weight a mean of two text encoders'."""
    return merging.mix_clips(clip1, clip2, ratio, 1.0 - ratio)


@node("CLIPMergeAdd", title="CLIPMergeAdd", category=CATEGORY, agree="family")
def clip_merge_add(clip1: FirstClip, clip2: SecondClip) -> Clip:
    """The sum of two text encoders, of which one should be a difference."""
    return merging.mix_clips(clip1, clip2, 1.0, 1.0)


@node("CLIPMergeSubtract", title="CLIPMergeSubtract", category=CATEGORY, agree="family")
def clip_merge_subtract(clip1: FirstClip, clip2: SecondClip, multiplier: Multiplier = 1.0) -> Clip:
    """The difference of two text encoders, which can be added to a third or saved as a LoRA."""
    return merging.mix_clips(clip1, clip2, multiplier, -multiplier)
