"""Sampling taken apart: noise, guider, sampler and noise levels as values of their own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

from graph.context import Context
from graph.facts import Facts, Known, carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sampling import AGREE, Denoiser, Negative, Positive, Start, reporter
from nodes.sockets import Cfg, Conditioning, Guider, Latent, Noise, Sampler, Seed, Sigmas

if TYPE_CHECKING:
    from diffusion import guiders, sampling
else:
    guiders = LazyModule("diffusion.guiders")
    sampling = LazyModule("diffusion.sampling")

CATEGORY: Final = "sampling/custom_sampling"
GUIDERS: Final = "sampling/custom_sampling/guiders"
NOISE: Final = "sampling/custom_sampling/noise"
GUIDED: Final = carry("model", to=["GUIDER"])

Rule = Annotated[Sampler, Hint("The rule for one step.")]
Levels = Annotated[Sigmas, Hint("The noise levels to step through, N + 1 for N steps.")]


class Sampled(NamedTuple):
    """What sampling made, and the clean picture that its last step saw."""

    output: Latent
    denoised_output: Latent


def _sampled(known: Known) -> Mapping[str, Facts]:
    """The size of the start, unless the sampler changes it, and the latents of the model."""
    facts = dict(known.facts.get("latent_image", {}))
    if known.fact("sampler", "resizes"):
        facts |= dict.fromkeys(("width", "height"))
    facts["latents"] = known.fact("model", "latents") or known.fact("guider", "latents")
    return {"output": facts, "denoised_output": facts}


@node("SamplerCustom", category=CATEGORY, agree=AGREE, infer=_sampled)
def sampler_custom(
    model: Denoiser,
    add_noise: Annotated[bool, Hint("Whether noise is added to the start.")] = True,
    noise_seed: Seed = 0,
    cfg: Cfg = 8.0,
    *,
    positive: Positive,
    negative: Negative,
    sampler: Rule,
    sigmas: Levels,
    latent_image: Start,
    context: Context,
) -> Sampled:
    """Latents denoised with a sampler and noise levels of one's own."""
    guider = sampling.Guider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    noise = sampling.RandomNoise(noise_seed) if add_noise else sampling.NoNoise(noise_seed)
    return Sampled(*sampling.run(guider, noise, sampler, sigmas, latent_image, reporter(context)))


@node("SamplerCustomAdvanced", category=CATEGORY, agree=AGREE, infer=_sampled)
def sampler_custom_advanced(
    noise: Annotated[Noise, Hint("What is added to the start.")],
    guider: Annotated[Guider, Hint("The model and how prompts steer it.")],
    sampler: Rule,
    sigmas: Levels,
    latent_image: Start,
    context: Context,
) -> Sampled:
    """Latents denoised with noise, guider, sampler and noise levels of one's own."""
    return Sampled(*sampling.run(guider, noise, sampler, sigmas, latent_image, reporter(context)))


@node("BasicGuider", category=GUIDERS, agree=AGREE, infer=GUIDED)
def basic_guider(model: Denoiser, conditioning: Positive) -> Guider:
    """One conditioning and no guidance, for models that are distilled to need none."""
    guider = sampling.Guider(model)
    guider.set_conds(conditioning)
    return guider


@node("CFGGuider", category=GUIDERS, agree=AGREE, infer=GUIDED)
def cfg_guider(model: Denoiser, positive: Positive, negative: Negative, cfg: Cfg = 8.0) -> Guider:
    """A positive prompt against a negative one."""
    guider = sampling.Guider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    return guider


@node("DualCFGGuider", category=GUIDERS, agree=AGREE, infer=GUIDED)
def dual_cfg_guider(
    model: Denoiser,
    cond1: Annotated[Conditioning, Hint("What the picture should show.")],
    cond2: Annotated[Conditioning, Hint("What the first conditioning is weighed against.")],
    negative: Negative,
    cfg_conds: Annotated[
        float, Number(0.0, 100.0, 0.1, 0.01), Hint("How strongly cond1 is followed away from cond2.")
    ] = 8.0,
    cfg_cond2_negative: Annotated[
        float, Number(0.0, 100.0, 0.1, 0.01), Hint("How strongly cond2 is followed away from negative.")
    ] = 8.0,
    *,
    style: Annotated[
        Literal["regular", "nested"],
        Hint("regular: the two guidances are added; nested: the second is applied to the first's result."),
    ],
) -> Guider:
    """Two conditionings with a guidance each, as picture-editing models want it."""
    guider = sampling.Guider(model, guiders.dual(cfg_conds, cfg_cond2_negative, style == "nested"))
    guider.inner_set_conds({"positive": cond1, "middle": _as_negative(cond2), "negative": negative})
    return guider


@node("PerpNegGuider", category="_for_testing", experimental=True, agree=AGREE, infer=GUIDED)
def perp_neg_guider(
    model: Denoiser,
    positive: Positive,
    negative: Negative,
    empty_conditioning: Annotated[Conditioning, Hint("The encoding of an empty prompt.")],
    cfg: Cfg = 8.0,
    neg_scale: Annotated[
        float, Number(0.0, 100.0, 0.01), Hint("How strongly the negative prompt is pushed away.")
    ] = 1.0,
) -> Guider:
    """A negative prompt that takes away only what the positive one does not ask for (Perp-Neg)."""
    guider = sampling.Guider(model, guiders.perpendicular_negative(cfg, neg_scale))
    guider.set_cfg(cfg)
    empty = _as_negative(empty_conditioning)
    guider.inner_set_conds({"positive": positive, "empty_negative_prompt": empty, "negative": negative})
    return guider


def _as_negative(conditioning: Conditioning) -> Conditioning:
    """A conditioning that stands against another; the refiner gives it a lower aesthetic score."""
    return [[text, {**keys, "prompt_type": "negative"}] for text, keys in conditioning]


@node("RandomNoise", category=NOISE)
def random_noise(noise_seed: Seed = 0) -> Noise:
    """Noise of a seed."""
    return sampling.RandomNoise(noise_seed)


@node("DisableNoise", category=NOISE)
def disable_noise() -> Noise:
    """No noise, for latents that are noisy already."""
    return sampling.NoNoise()


@node("AddNoise", category="_for_testing/custom_sampling/noise", infer=carry("latent_image", to=["LATENT"]))
def add_noise(
    model: Denoiser,
    noise: Annotated[Noise, Hint("What is added.")],
    sigmas: Annotated[Sigmas, Hint("The noise that lies between the first and the last of these is added.")],
    latent_image: Annotated[Latent, Hint("The latents that get the noise.")],
) -> Latent:
    """Latents with as much noise as some steps would remove."""
    return sampling.noisy(model, noise, sigmas, latent_image)
