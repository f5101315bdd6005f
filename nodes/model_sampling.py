"""Patches of a model's noise levels: what its output is taken for."""

from typing import TYPE_CHECKING, Annotated, Literal

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Model

if TYPE_CHECKING:
    from diffusion.patches import levels
else:
    levels = LazyModule("diffusion.patches.levels")

Sigma = Annotated[float, Number(0.0, 1000.0, 0.001)]
Noisiest = Annotated[Sigma, Hint("The noisiest level, as noise over signal.")]
Cleanest = Annotated[Sigma, Hint("The cleanest level, as noise over signal; above 0.")]
patched = carry("model", to=["MODEL"])


def range_problem(sigma_max: float, sigma_min: float) -> str | None:
    """A sentence when two levels make no range."""
    if not 0 < sigma_min < sigma_max:
        return f"sigma_min {sigma_min} must be above 0 and below sigma_max {sigma_max}"
    return None


@node("ModelSamplingDiscrete", title="Model Sampling: Discrete", category="advanced/model", infer=patched)
def model_sampling_discrete(
    model: Model,
    sampling: Annotated[
        Literal["eps", "v_prediction", "lcm", "x0", "img_to_img"],
        Hint("What the network puts out: noise, velocity, or a clean image; lcm for consistency models."),
    ],
    zsnr: Annotated[bool, Hint("Whether the noisiest level has no signal left.")] = False,
) -> Model:
    """The model sampled on its family's noise levels with another kind of output."""
    return levels.discrete(model, sampling, zsnr)


@node(
    "ModelSamplingContinuousEDM",
    title="Model Sampling: Continuous EDM",
    category="advanced/model",
    check=range_problem,
    infer=patched,
)
def model_sampling_continuous_edm(
    model: Model,
    sampling: Annotated[
        Literal["v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow"],
        Hint("What the network puts out; the playground kind scales latents in its own way too."),
    ],
    sigma_max: Noisiest = 120.0,
    sigma_min: Cleanest = 0.002,
) -> Model:
    """The model sampled at any noise level between two, told to it by the logarithm."""
    return levels.continuous_edm(model, sampling, sigma_max, sigma_min)


@node(
    "ModelSamplingContinuousV",
    title="Model Sampling: Continuous V",
    category="advanced/model",
    check=range_problem,
    infer=patched,
)
def model_sampling_continuous_v(
    model: Model,
    sampling: Annotated[Literal["v_prediction"], Hint("What the network puts out.")],
    sigma_max: Noisiest = 500.0,
    sigma_min: Cleanest = 0.03,
) -> Model:
    """The model sampled at any noise level between two, told to it as an angle."""
    return levels.continuous_v(model, sampling, sigma_max, sigma_min)
