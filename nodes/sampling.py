"""Sampling: from noise to latents."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from diffusion.errors import DiffusionError
from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from graph.context import Context
from graph.facts import Facts, Known
from graph.node import node
from graph.spec import Choice, Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Cfg, Conditioning, Latent, Model, Seed, Steps, Strength

if TYPE_CHECKING:
    from PIL import Image

    from diffusion import preview, sampling
    from diffusion.preview import TinyDecoder
    from diffusion.sampling import StepEvent
else:
    Image = LazyModule("PIL.Image")
    preview = LazyModule("diffusion.preview")
    sampling = LazyModule("diffusion.sampling")

AGREE: Final = ("family", "latents")
STEPS_MAX: Final = 10000

Denoiser = Annotated[Model, Hint("The denoiser of a checkpoint.")]
Positive = Annotated[Conditioning, Hint("What the picture should show.")]
Negative = Annotated[Conditioning, Hint("What it should not show.")]
Start = Annotated[Latent, Hint("The latents to start from: empty ones, or those of a picture.")]
SamplerName = Annotated[str, Choice(SAMPLER_NAMES), Hint("The rule for one step.")]
ScheduleName = Annotated[str, Choice(SCHEDULE_NAMES), Hint("How the noise levels are spread over the steps.")]


def sampled(known: Known) -> Mapping[str, Facts]:
    """The facts of what a sampler gives: the size of its start, the latents of its model."""
    return {"LATENT": {**known.facts.get("latent_image", {}), "latents": known.fact("model", "latents")}}


def reporter(context: Context) -> Callable[["StepEvent"], None]:
    """Tells of each step, with a small picture, and stops when the job was cancelled."""
    decoders = dict[str, "TinyDecoder | None"]()

    def report(event: "StepEvent") -> None:
        context.check_cancelled()
        name = preview.tiny_decoder_name(event.network)
        if name not in decoders:
            decoders[name] = _tiny_decoder(context, name)
        decoder = decoders[name]
        pixels = event.preview() if decoder is None else decoder.picture(event.denoised)
        context.progress(event.step, event.total, Image.fromarray(pixels.numpy()))

    return report


def _tiny_decoder(context: Context, name: str) -> "TinyDecoder | None":
    """The tiny decoder of this name in models/vae_approx; without it, previews are small and blurred."""
    files = context.job.files
    found = (files.find("vae_approx", f"{name}{ending}") for ending in (".safetensors", ".pth"))
    path = next((path for path in found if path is not None), None)
    if path is None:
        return None
    try:
        return preview.load_tiny_decoder(path)
    except DiffusionError as error:
        context.log(f"Previews stay small: {error}")
        return None


@node("KSampler", title="KSampler", category="sampling", agree=AGREE, infer=sampled)
def ksampler(
    model: Denoiser,
    *,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 8.0,
    sampler_name: SamplerName,
    scheduler: ScheduleName,
    positive: Positive,
    negative: Negative,
    latent_image: Start,
    denoise: Strength = 1.0,
    context: Context,
) -> Latent:
    """Latents denoised step by step towards what the prompts say."""
    return sampling.sample_latent(
        model,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler_name=sampler_name,
        scheduler=scheduler,
        positive=positive,
        negative=negative,
        latent=latent_image,
        denoise=denoise,
        on_step=reporter(context),
    )


@node("KSamplerAdvanced", title="KSampler (Advanced)", category="sampling", agree=AGREE, infer=sampled)
def ksampler_advanced(
    model: Denoiser,
    add_noise: Annotated[Literal["enable", "disable"], Hint("Whether noise is added to the start.")],
    *,
    noise_seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 8.0,
    sampler_name: SamplerName,
    scheduler: ScheduleName,
    positive: Positive,
    negative: Negative,
    latent_image: Start,
    start_at_step: Annotated[int, Number(0, STEPS_MAX), Hint("The first step to take, from 0.")] = 0,
    end_at_step: Annotated[int, Number(0, STEPS_MAX), Hint("The step to stop before.")] = 10000,
    return_with_leftover_noise: Annotated[
        Literal["disable", "enable"],
        Hint("enable keeps the noise that later steps would remove, for a second sampler to go on."),
    ],
    context: Context,
) -> Latent:
    """Latents denoised through some of the steps only, so that several samplers can share the work."""
    options: dict[str, Any] = {
        "start_step": start_at_step,
        "last_step": end_at_step,
        "force_full_denoise": return_with_leftover_noise == "disable",
        "disable_noise": add_noise == "disable",
    }
    return sampling.sample_latent(
        model,
        seed=noise_seed,
        steps=steps,
        cfg=cfg,
        sampler_name=sampler_name,
        scheduler=scheduler,
        positive=positive,
        negative=negative,
        latent=latent_image,
        on_step=reporter(context),
        **options,
    )
