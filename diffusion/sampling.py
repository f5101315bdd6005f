"""From noise to a finished latent: noise, sigmas, guidance, sampler and noise mask put together."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion import registered, stages
from diffusion.conditions import Canvas, as_dicts, fit_batch, forget, prepare
from diffusion.errors import DiffusionError
from diffusion.guiders import classifier_free
from diffusion.preview import latent_to_rgb
from diffusion.samplers import SAMPLERS, SamplerFunction
from diffusion.sampling_space import DiscreteSampling
from diffusion.schedules import sigmas_for
from diffusion.values import Conditioning, Latent, Model, Network, copy_latent, own_options
from diffusion.wrappers import wrapped

# These spend two network calls on the last but one level, which then is no gain: they run one level more
# without it.
DROP_PENULTIMATE: Final = ("dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2")


@dataclass(frozen=True, slots=True)
class StepEvent:
    """One step is done: the step-th (from 1) of total. denoised and x are the network's latents (B, C, H,
    W)."""

    step: int
    total: int
    sigma: float
    denoised: Tensor
    x: Tensor
    network: Network

    def preview(self) -> Tensor:
        """A small picture (H/8, W/8, 3) of bytes."""
        return latent_to_rgb(self.network, self.denoised)


OnStep = Callable[[StepEvent], None]


def noise_for(samples: Tensor, seed: int, batch_index: list[int] | None = None) -> Tensor:
    """Unit noise like samples from a CPU generator. With batch_index, item i gets the noise that it would
    have as number batch_index[i] of a larger batch. Torch's own generators are seeded too, and the CPU's
    goes on where this ends: samplers of plugins draw from it."""
    generator = torch.Generator().manual_seed(seed % 2**64)
    made = _drawn(samples, generator, batch_index)
    torch.manual_seed(seed % 2**64)
    torch.set_rng_state(generator.get_state())
    return made


def _drawn(samples: Tensor, generator: torch.Generator, batch_index: list[int] | None) -> Tensor:
    if batch_index is None:
        return torch.randn(samples.shape, generator=generator)
    drawn = [torch.randn(1, *samples.shape[1:], generator=generator) for _ in range(max(batch_index) + 1)]
    return torch.cat([drawn[i] for i in batch_index])


def _generator_after(noise: Tensor, seed: int | None) -> torch.Generator:
    """What patches draw from in a run: it goes on where the draw of the run's noise ended."""
    generator = torch.Generator().manual_seed((seed or 0) % 2**64)
    torch.randn(noise.shape, generator=generator)
    return generator


@dataclass(frozen=True, slots=True)
class RandomNoise:
    """NOISE: unit noise of a seed."""

    seed: int

    def generate_noise(self, input_latent: Latent) -> Tensor:
        """Noise like a latent's samples, item by item as its "batch_index" says."""
        return noise_for(input_latent["samples"], self.seed, input_latent.get("batch_index"))


@dataclass(frozen=True, slots=True)
class NoNoise:
    """NOISE: none, for a latent that is noisy already."""

    seed: int = 0

    def generate_noise(self, input_latent: Latent) -> Tensor:
        """Zeros like a latent's samples."""
        return torch.zeros_like(input_latent["samples"])


Noise = RandomNoise | NoNoise


def noisy(model: Model, noise: Noise, sigmas: Tensor, latent: Latent) -> Latent:
    """A latent with the noise that lies between the first and the last of some levels."""
    if len(sigmas) == 0:
        return latent
    level = (sigmas[0] - sigmas[-1]).abs() if len(sigmas) > 1 else sigmas[0]
    start = _network_start(model.network, latent["samples"])
    made = model.sampling.noise_scaling(level, noise.generate_noise(latent), start)
    return copy_latent(latent, model.network.process_latent_out(made).nan_to_num(0.0, 0.0, 0.0))


def _network_start(network: Network, samples: Tensor) -> Tensor:
    """A start in the network's scale. One of nothing but zeros is "no picture", not a grey one."""
    return network.process_latent_in(samples) if samples.count_nonzero() else samples


def ksampler_sigmas(
    model: Model, sampler_name: str, schedule: str, steps: int, denoise: float = 1.0
) -> Tensor:
    """The sigmas that KSampler runs through: with denoise below 1 the end of a longer schedule."""
    if denoise <= 0.0:
        return torch.empty(0)
    full = steps if denoise > 0.9999 else int(steps / denoise)
    if sampler_name in DROP_PENULTIMATE:
        sigmas = sigmas_for(schedule, full + 1, model.sampling)
        sigmas = torch.cat([sigmas[:-2], sigmas[-1:]])
    else:
        sigmas = sigmas_for(schedule, full, model.sampling)
    return sigmas if full == steps else sigmas[-(steps + 1) :]


@dataclass(frozen=True)
class Sampler:
    """SAMPLER: a step rule with its options. fresh_noise: masked regions get noise of their own."""

    function: SamplerFunction
    options: dict[str, Any] = field(default_factory=dict)
    fresh_noise: bool = False

    def sample(
        self,
        model_wrap: "Guider",
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Callable[[int, Tensor, Tensor, int], None] | None,
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        """The latent that this sampler makes of noise, down the sigmas. callback: (step, denoised, x,
        total)."""
        sampling, sigmas = model_wrap.sampling, without_repeats(sigmas)
        latent = torch.zeros_like(noise) if latent_image is None else latent_image
        masked = Masked(
            model_wrap, latent, _mask_noise(noise, extra_args, self.fresh_noise), denoise_mask, sigmas
        )
        x = sampling.noise_scaling(sigmas[:1], noise, latent, is_max_denoise(sampling, sigmas))
        total = len(sigmas) - 1
        report = None if callback is None else lambda k: callback(k["i"], k["denoised"], k["x"], total)
        if total:
            x = self.function(
                masked, x, sigmas, extra_args=extra_args, callback=report, disable=True, **self.options
            )
        return sampling.inverse_noise_scaling(sigmas[-1:], x)


def _mask_noise(noise: Tensor, extra_args: dict[str, Any], fresh: bool) -> Tensor:
    if not fresh:
        return noise
    generator = torch.Generator().manual_seed((extra_args.get("seed", 41) + 1) % 2**64)
    return torch.randn(noise.shape, generator=generator).to(noise)


def without_repeats(sigmas: Tensor) -> Tensor:
    """The sigmas without steps of no length, which many samplers would divide by."""
    kept = torch.ones_like(sigmas, dtype=torch.bool)
    kept[1:] = sigmas[1:] != sigmas[:-1]
    return sigmas[kept]


def is_max_denoise(sampling: DiscreteSampling, sigmas: Tensor) -> bool:
    """Whether the first sigma is the network's largest: then the start is noise of the trained variance."""
    first, largest = float(sigmas[0]), float(sampling.sigma_max)
    return math.isclose(largest, first, rel_tol=1e-5) or first > largest


def sampler_named(name: str, **options: Any) -> Sampler:
    """A SAMPLER by its name; raises DiffusionError for an unknown one."""
    return Sampler(sampler_function(name), options, fresh_noise=name == "ddim")


def sampler_function(name: str) -> SamplerFunction:
    """The function of a sampler; raises DiffusionError for an unknown name."""
    if (give := registered.SAMPLERS.get(name)) is not None:
        return torch.no_grad()(give())
    raise DiffusionError(f"there is no sampler '{name}'. Known are {', '.join(registered.SAMPLERS)}.")


registered.put_in(registered.SAMPLERS, SAMPLERS)


@dataclass
class Masked:
    """A denoiser that leaves alone what a noise mask (B, C, H, W) covers with 0."""

    inner_model: "Guider"
    latent_image: Tensor
    noise: Tensor
    mask: Tensor | None
    sigmas: Tensor

    @torch.no_grad()
    def __call__(
        self, x: Tensor, sigma: Tensor, denoise_mask: Any = None, model_options: Any = None, seed: Any = None
    ) -> Tensor:
        options = self.inner_model.model_options if model_options is None else model_options
        if self.mask is None:
            return self.inner_model(x, sigma, options, seed)
        mask = self.mask
        if change := options.get("denoise_mask_function"):
            mask = change(sigma, mask, extra_options={"model": self.inner_model, "sigmas": self.sigmas})
        kept = self.inner_model.sampling.noise_scaling(sigma, self.noise, self.latent_image)
        clean = self.inner_model(x * mask + kept * (1 - mask), sigma, options, seed)
        return clean * mask + self.latent_image * (1 - mask)


class Guider:
    """GUIDER: a model with conditionings on sides and a rule that makes one clean image of them."""

    def __init__(self, model_patcher: Model, rule: "Rule" = classifier_free) -> None:
        self.model_patcher = model_patcher
        self.rule = rule
        self.model_options = model_patcher.model_options
        self.original_conds: dict[str, list[dict[str, Any]]] = {}
        self.conds: dict[str, Any] = {}
        self.cfg = 1.0
        self.loaded_models: Any = ()
        self._inner: Network | None = None

    @property
    def network(self) -> Network:
        return self.model_patcher.network

    @property
    def inner_model(self) -> Network:
        """The network, under the field's name."""
        return self.network if self._inner is None else self._inner

    @inner_model.setter
    def inner_model(self, network: Network) -> None:
        self._inner = network

    @inner_model.deleter
    def inner_model(self) -> None:
        self._inner = None

    @property
    def sampling(self) -> DiscreteSampling:
        return self.model_patcher.sampling

    def set_conds(self, positive: Conditioning, negative: Conditioning | None = None) -> None:
        self.inner_set_conds(
            {"positive": positive} if negative is None else {"positive": positive, "negative": negative}
        )

    def inner_set_conds(self, conds: dict[str, Conditioning]) -> None:
        """Set the conditioning of sides; "positive" guides, others are what guidance weighs against."""
        self.original_conds |= {side: as_dicts(cond) for side, cond in conds.items()}

    def set_cfg(self, cfg: float) -> None:
        self.cfg = cfg

    def __call__(self, *values: Any, **named: Any) -> Tensor:
        return self.outer_predict_noise(*values, **named)

    def outer_predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: Any = None
    ) -> Tensor:
        """The clean image for x, through the functions that patches put around it."""
        options = self.model_options if model_options is None else model_options
        run = wrapped(self.predict_noise, "predict_noise", options.get("transformer_options", {}), self)
        return run(x, timestep, options, seed)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: Any = None
    ) -> Tensor:
        """The clean image for x at a sigma (the name is the field's)."""
        return self.rule(self, x, timestep, self.model_options if model_options is None else model_options)

    @torch.no_grad()
    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Sampler,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable[[int, Tensor, Tensor, int], None] | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """The unscaled latent that sampling makes of unit noise and an unscaled start.

        One sigma takes no step: the start comes back with its noise. No sigma: as it was.
        """
        if len(sigmas) == 0:
            return latent_image
        self.conds = {side: [dict(keys) for keys in conds] for side, conds in self.original_conds.items()}
        kept, self.model_options = self.model_options, own_options(self.model_options)
        options = self.model_options.setdefault("transformer_options", {})
        run = wrapped(self.outer_sample, "outer_sample", options, self)
        try:
            return run(noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed)
        finally:
            self.model_options = kept
            self._unload()

    def outer_sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: Sampler,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable[[int, Tensor, Tensor, int], None] | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """Load what the run needs, run, and let go of it."""
        model = self.model_patcher
        told = (model, noise.shape, self.conds)
        self.inner_model, self.conds, self.loaded_models = prepare_sampling(*told, self.model_options)
        mask = None if denoise_mask is None else fit_noise_mask(denoise_mask, noise)
        try:
            stages.pre_run(model)
            device = model.load_device
            return self.inner_sample(
                noise, latent_image, device, sampler, sigmas, mask, callback, disable_pbar, seed
            )
        finally:
            stages.cleanup(model)
            self._unload()

    def _unload(self) -> None:
        unload(self.conds, self.loaded_models)
        self.loaded_models = ()
        del self.inner_model

    def inner_sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        device: torch.device,
        sampler: Sampler,
        sigmas: Tensor,
        denoise_mask: Tensor | None,
        callback: Callable[[int, Tensor, Tensor, int], None] | None,
        disable_pbar: bool,
        seed: int | None,
    ) -> Tensor:
        """Make the conditionings ready and hand over to the sampler."""
        start = _network_start(self.inner_model, latent_image)
        canvas = Canvas(noise, start, denoise_mask, seed)
        self.conds = prepare(self.model_patcher, self.conds, canvas)
        options = own_options(self.model_options)
        inner = options.setdefault("transformer_options", {})
        inner |= {"sample_sigmas": sigmas, "generator": _generator_after(noise, seed)}
        run = wrapped(sampler.sample, "sampler_sample", inner, sampler)
        extra_args = {"model_options": options, "seed": seed}
        made = run(self, sigmas.float(), extra_args, callback, noise, start, denoise_mask, disable_pbar)
        return self.inner_model.process_latent_out(made.float())


def prepare_sampling(
    model: Model, noise_shape: Any, conds: dict[str, Any], model_options: Mapping[str, Any] | None = None
) -> tuple[Network, dict[str, Any], Any]:
    """Load a model for a run: the network, the conditionings, and what else was loaded, to be unloaded."""
    options = (model_options or {}).get("transformer_options", {})
    run = wrapped(_prepared, "prepare_sampling", options)
    return run(model, noise_shape, conds, model_options=model_options)


def _prepared(
    model: Model, noise_shape: Any, conds: dict[str, Any], model_options: Any = None, **_: Any
) -> tuple[Network, dict[str, Any], Any]:
    brought = [one for side in conds.values() for keys in side for one in keys.get("additional_models", ())]
    found = stages.load(model, brought)
    return model.network, conds, found


def unload(conds: Mapping[str, Any], found: Any) -> None:
    """Let go of what a run loaded, and the ControlNets of what it was told."""
    for model in found:
        getattr(model, "cleanup", list)()
    forget(conds)
    close = getattr(found, "close", None)
    if close is not None:
        close()


Rule = Callable[[Guider, Tensor, Tensor, dict[str, Any]], Tensor]
"""(guider, x, sigma, model options) -> the clean image."""


def fit_noise_mask(mask: Tensor, latent: Tensor) -> Tensor:
    """A noise mask scaled to a latent's size, with its channels and batch."""
    mask = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    mask = F.interpolate(mask, size=latent.shape[-2:], mode="bilinear")
    return fit_batch(mask.repeat(1, latent.shape[1], 1, 1), latent.shape[0])


def sample_latent(
    model: Model,
    *,
    seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    denoise: float = 1.0,
    start_step: int | None = None,
    last_step: int | None = None,
    force_full_denoise: bool = False,
    disable_noise: bool = False,
    on_step: OnStep | None = None,
) -> Latent:
    """What KSampler makes of a latent. on_step is called after every step; what it raises stops the run."""
    samples = fit_channels(model, latent["samples"])
    sigmas = ksampler_sigmas(model, sampler_name, scheduler, steps, denoise)
    sigmas = _window(sigmas, start_step, last_step, force_full_denoise)
    if len(sigmas) < 2:
        return copy_latent(latent, samples)
    guider = Guider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    noise = NoNoise(seed) if disable_noise else RandomNoise(seed)
    return run(guider, noise, sampler_named(sampler_name), sigmas, latent, on_step)[0]


def run(
    guider: Guider,
    noise: Noise,
    sampler: Sampler,
    sigmas: Tensor,
    latent: Latent,
    on_step: OnStep | None = None,
) -> tuple[Latent, Latent]:
    """What a sampler makes of a latent, and the clean image that its last step saw.

    on_step is called after every step; what it raises stops the run.
    """
    model = guider.model_patcher
    start = copy_latent(latent, fit_channels(model, latent["samples"]))
    last: list[Tensor] = []

    def report(step: int, denoised: Tensor, x: Tensor, total: int) -> None:
        last[:] = [denoised]
        if on_step is not None:
            on_step(StepEvent(step + 1, total, float(sigmas[min(step, total)]), denoised, x, model.model))

    made = guider.sample(
        noise.generate_noise(start),
        start["samples"],
        sampler,
        sigmas,
        start.get("noise_mask"),
        report,
        seed=noise.seed,
    )
    finished = copy_latent(start, made)
    if not last:
        return finished, finished
    return finished, copy_latent(start, model.network.process_latent_out(last[0].float()))


def _window(sigmas: Tensor, start: int | None, last: int | None, full: bool) -> Tensor:
    if last is not None and last < len(sigmas) - 1:
        sigmas = sigmas[: last + 1].clone()
        if full:
            sigmas[-1] = 0
    if start is not None:
        sigmas = sigmas[start:] if start < len(sigmas) - 1 else sigmas[:0]
    return sigmas


def fit_channels(model: Model, samples: Tensor) -> Tensor:
    """A latent with the model's channels: an empty one is made to fit, another is an error."""
    channels = model.model.latent_format.latent_channels
    if samples.shape[1] == channels:
        return samples
    if samples.count_nonzero():
        raise DiffusionError(
            f"this latent has {samples.shape[1]} channels, {model.family.title} samples {channels}: "
            "it was made with the VAE of another model family."
        )
    return samples.new_zeros(samples.shape[0], channels, *samples.shape[2:])
