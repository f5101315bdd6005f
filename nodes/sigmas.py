"""Noise levels: schedules as values, and cutting, bending and reading them."""

from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from diffusion.names import SCHEDULE_NAMES
from graph.node import node
from graph.spec import Choice, Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Model, Sigmas, Steps, Strength

if TYPE_CHECKING:
    from diffusion import schedules
    from diffusion import sigmas as levels
else:
    schedules = LazyModule("diffusion.schedules")
    levels = LazyModule("diffusion.sigmas")

SCHEDULES: Final = "sampling/custom_sampling/schedulers"
CHANGES: Final = "sampling/custom_sampling/sigmas"
SIGMA_MAX: Final = 14.614642
SIGMA_MIN: Final = 0.0291675

Levels = Annotated[Sigmas, Hint("Noise levels, from the noisiest to the cleanest.")]
Source = Annotated[Model, Hint("The model whose trained noise levels are used.")]
Name = Annotated[str, Choice(SCHEDULE_NAMES), Hint("How the noise levels are spread over the steps.")]
Highest = Annotated[
    float, Number(0.0, 5000.0, 0.01), Hint("The level to begin at, in noise over signal; SD1 and SDXL: 14.6.")
]
Lowest = Annotated[
    float,
    Number(0.0, 5000.0, 0.01),
    Hint("The last level before 0, in noise over signal; SD1 and SDXL: 0.029."),
]


class Parts(NamedTuple):
    """Noise levels in two parts, which have the level between them in common."""

    high_sigmas: Sigmas
    low_sigmas: Sigmas


def _above_zero(sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX) -> str:
    """Logarithms need levels above 0."""
    low = [
        f"{name} is 0" for name, value in (("sigma_min", sigma_min), ("sigma_max", sigma_max)) if not value
    ]
    return f"{' and '.join(low)}, but this schedule needs levels above 0. Try 0.01." if low else ""


@node("BasicScheduler", category=SCHEDULES)
def basic_scheduler(model: Source, *, scheduler: Name, steps: Steps = 20, denoise: Strength = 1.0) -> Sigmas:
    """The noise levels of a named schedule; with less denoise, the end of a longer one."""
    return levels.basic(model.sampling, scheduler, steps, denoise)


@node("KarrasScheduler", category=SCHEDULES)
def karras_scheduler(
    steps: Steps = 20,
    sigma_max: Highest = SIGMA_MAX,
    sigma_min: Lowest = SIGMA_MIN,
    rho: Annotated[
        float, Number(0.0, 100.0, 0.01), Hint("The root taken: the larger, the more steps near the end.")
    ] = 7.0,
) -> Sigmas:
    """Noise levels that are even in a root of sigma (Karras et al. 2022)."""
    return schedules.karras_sigmas(steps, sigma_min, sigma_max, rho)


@node("ExponentialScheduler", category=SCHEDULES, check=_above_zero)
def exponential_scheduler(
    steps: Steps = 20, sigma_max: Highest = SIGMA_MAX, sigma_min: Lowest = SIGMA_MIN
) -> Sigmas:
    """Noise levels that are even in the logarithm of sigma."""
    return schedules.exponential_sigmas(steps, sigma_min, sigma_max)


@node("PolyexponentialScheduler", category=SCHEDULES, check=_above_zero)
def polyexponential_scheduler(
    steps: Steps = 20,
    sigma_max: Highest = SIGMA_MAX,
    sigma_min: Lowest = SIGMA_MIN,
    rho: Annotated[
        float, Number(0.0, 100.0, 0.01), Hint("The power: 1 is the exponential schedule, more falls faster.")
    ] = 1.0,
) -> Sigmas:
    """Noise levels whose logarithm falls like a power of the time left."""
    return levels.polyexponential(steps, sigma_min, sigma_max, rho)


@node("LaplaceScheduler", category=SCHEDULES)
def laplace_scheduler(
    steps: Steps = 20,
    sigma_max: Highest = SIGMA_MAX,
    sigma_min: Lowest = SIGMA_MIN,
    mu: Annotated[
        float, Number(-10.0, 10.0, 0.1), Hint("The logarithm of the level around which the steps crowd.")
    ] = 0.0,
    beta: Annotated[float, Number(0.0, 10.0, 0.1), Hint("How far from there the steps spread.")] = 0.5,
) -> Sigmas:
    """Noise levels that crowd around one of them, as a Laplace distribution does; the last is above 0."""
    return levels.laplace(steps, sigma_min, sigma_max, mu, beta)


@node("VPScheduler", category=SCHEDULES)
def vp_scheduler(
    steps: Steps = 20,
    beta_d: Annotated[
        float, Number(0.0, 5000.0, 0.01), Hint("How much the rate of noise grows from start to end.")
    ] = 19.9,
    beta_min: Annotated[float, Number(0.0, 5000.0, 0.01), Hint("The rate of noise at the start.")] = 0.1,
    eps_s: Annotated[float, Number(0.0, 1.0, 0.0001), Hint("The time of the last level, of 1.")] = 0.001,
) -> Sigmas:
    """The noise levels of a continuous variance-preserving process."""
    return levels.variance_preserving(steps, beta_d, beta_min, eps_s)


@node("BetaSamplingScheduler", category=SCHEDULES)
def beta_sampling_scheduler(
    model: Source,
    steps: Steps = 20,
    alpha: Annotated[
        float, Number(0.0, 50.0, 0.01), Hint("Below 1 crowds steps at the noisy end, above 1 thins them.")
    ] = 0.6,
    beta: Annotated[
        float, Number(0.0, 50.0, 0.01), Hint("Below 1 crowds steps at the clean end, above 1 thins them.")
    ] = 0.6,
) -> Sigmas:
    """Noise levels at the quantiles of a beta distribution over the trained steps."""
    return schedules.beta_sigmas(steps, model.sampling, alpha, beta)


@node("SDTurboScheduler", category=SCHEDULES)
def sd_turbo_scheduler(
    model: Source,
    steps: Annotated[int, Number(1, 10), Hint("How many steps the denoising takes.")] = 1,
    denoise: Annotated[
        float, Number(0, 1.0, 0.01), Hint("The share of the ten trained levels that is run, from the end.")
    ] = 1.0,
) -> Sigmas:
    """The noise levels that turbo models were trained to jump from."""
    return levels.turbo(model.sampling, steps, denoise)


@node("AlignYourStepsScheduler", category=SCHEDULES)
def align_your_steps_scheduler(
    model_type: Annotated[Literal["SD1", "SDXL", "SVD"], Hint("The family the steps were optimised for.")],
    steps: Steps = 10,
    denoise: Strength = 1.0,
) -> Sigmas:
    """Noise levels that were optimised for few steps of a family (Align Your Steps)."""
    return levels.align_your_steps(model_type, steps, denoise)


@node("GITSScheduler", category=SCHEDULES)
def gits_scheduler(
    coeff: Annotated[
        float, Number(0.8, 1.5, 0.05), Hint("The search's coefficient: more puts more steps near the end.")
    ] = 1.2,
    steps: Annotated[int, Number(2, 1000), Hint("How many steps the denoising takes.")] = 10,
    denoise: Strength = 1.0,
) -> Sigmas:
    """Noise levels found by a search over sampling trajectories of SD1 (GITS)."""
    return levels.gits(coeff, steps, denoise)


@node("SplitSigmas", category=CHANGES)
def split_sigmas(
    sigmas: Levels,
    step: Annotated[int, Number(0, 10000), Hint("The first step of the second part, from 0.")] = 0,
) -> Parts:
    """Noise levels cut in two at a step."""
    return Parts(*levels.split(sigmas, step))


@node("SplitSigmasDenoise", category=CHANGES)
def split_sigmas_denoise(
    sigmas: Levels,
    denoise: Annotated[
        float, Number(0.0, 1.0, 0.01), Hint("The share of the steps in the second part.")
    ] = 1.0,
) -> Parts:
    """Noise levels cut in two where a share of the steps is left."""
    return Parts(*levels.split_share(sigmas, denoise))


@node("FlipSigmas", category=CHANGES)
def flip_sigmas(sigmas: Levels) -> Sigmas:
    """Noise levels in rising order, to turn a picture back into noise."""
    return levels.flip(sigmas)


@node("SetFirstSigma", category=CHANGES)
def set_first_sigma(
    sigmas: Levels,
    sigma: Annotated[
        float, Number(0.0, 20000.0, 0.001), Hint("The new first level, in noise over signal.")
    ] = 136.0,
) -> Sigmas:
    """Noise levels that begin elsewhere."""
    return levels.with_first(sigmas, sigma)


@node("ExtendIntermediateSigmas", category=CHANGES)
def extend_intermediate_sigmas(
    sigmas: Levels,
    steps: Annotated[int, Number(1, 100), Hint("How many steps are made of each one.")] = 2,
    start_at_sigma: Annotated[
        float,
        Number(-1.0, 20000.0, 0.01),
        Hint("Steps from higher levels are left as they are; -1: none are."),
    ] = -1.0,
    end_at_sigma: Annotated[
        float, Number(0.0, 20000.0, 0.01), Hint("Steps from lower levels are left as they are.")
    ] = 12.0,
    *,
    spacing: Annotated[
        Literal["linear", "cosine", "sine"],
        Hint("linear: even; cosine: closer to the lower level; sine: closer to the higher one."),
    ],
) -> Sigmas:
    """Noise levels with more steps between two of them."""
    return levels.extended(sigmas, steps, start_at_sigma, end_at_sigma, spacing)


@node("SamplingPercentToSigma", category=CHANGES, output_names=["sigma_value"])
def sampling_percent_to_sigma(
    model: Source,
    sampling_percent: Annotated[
        float, Number(0.0, 1.0, 0.0001), Hint("The part of the way from noise (0) to picture (1).")
    ] = 0.0,
    return_actual_sigma: Annotated[
        bool, Hint("Whether 0 and 1 give the model's own ends, and not levels beyond all others.")
    ] = False,
) -> float:
    """The noise level at a part of the way, for settings that are given in sigmas."""
    return levels.at_percent(model.sampling, sampling_percent, return_actual_sigma)
