# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The modules `comfy.samplers`, `comfy.sample`, `comfy.k_diffusion.sampling`, on our own sampling."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from compat.names.deep import predicting
from compat.names.session import Session
from diffusion import registered, schedules
from diffusion import sigmas as levels
from diffusion.samplers.brownian import brownian_noise_sampler
from diffusion.samplers.registry import SAMPLERS, ancestral_step, default_noise_sampler, to_d
from diffusion.sampling import (
    Guider,
    Sampler,
    fit_channels,
    fit_noise_mask,
    noise_for,
    sampler_named,
)
from diffusion.values import Model

Names = dict[str, Any]


class SchedulerHandler(NamedTuple):
    """How a schedule is made: of a model's levels and a number of steps, or of steps and two sigmas."""

    handler: Callable[..., Tensor]
    use_ms: bool = True


class KSAMPLER(Sampler):
    """A SAMPLER of a function (model, x, sigmas, extra_args, callback, disable, **options)."""

    def __init__(self, sampler_function: Any, extra_options: Any = None, inpaint_options: Any = None) -> None:
        fresh = bool((inpaint_options or {}).get("random"))
        super().__init__(sampler_function, dict(extra_options or {}), fresh)

    @property
    def sampler_function(self) -> Any:
        """The function."""
        return self.function

    @property
    def extra_options(self) -> dict[str, Any]:
        """Its own options."""
        return self.options

    @property
    def inpaint_options(self) -> dict[str, Any]:
        """{"random": True} when masked regions get noise of their own."""
        return {"random": True} if self.fresh_noise else {}


def samplers(session: Session) -> Names:
    """The names of `comfy.samplers`."""
    scheduler_names = list(registered.SCHEDULES)
    sampler_names = list(registered.SAMPLERS)
    handlers = {name: SchedulerHandler(_schedule(name)) for name in scheduler_names}

    def calculate_sigmas(model_sampling: Any, scheduler_name: str, steps: int) -> Tensor:
        handler = handlers.get(scheduler_name)
        if handler is None:
            raise ValueError(f"There is no schedule '{scheduler_name}'.")
        if handler.use_ms:
            return handler.handler(model_sampling, steps)
        low, high = float(model_sampling.sigma_min), float(model_sampling.sigma_max)
        return handler.handler(n=steps, sigma_min=low, sigma_max=high)

    def sampler_object(name: str) -> Sampler:
        """A SAMPLER by name, those included that packs put among the functions of k_diffusion."""
        given = session.modules["comfy.k_diffusion.sampling"].__dict__.get(f"sample_{name}")
        return KSAMPLER(given) if name not in SAMPLERS and given is not None else sampler_named(name)

    class KSampler:
        """Samples with a sampler and schedule by name."""

        SAMPLERS = sampler_names
        SCHEDULERS = scheduler_names
        DISCARD_PENULTIMATE_SIGMA_SAMPLERS = frozenset({"dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"})

        def __init__(
            self,
            model: Any,
            steps: int,
            device: Any = None,
            sampler: str | None = None,
            scheduler: str | None = None,
            denoise: float | None = None,
            model_options: Mapping[str, Any] | None = None,
        ) -> None:
            self.model = _as_model(model, model_options)
            self.device = device
            self.sampler = sampler if sampler in self.SAMPLERS else self.SAMPLERS[0]
            self.scheduler = scheduler if scheduler in self.SCHEDULERS else self.SCHEDULERS[0]
            self.denoise = denoise
            self.model_options = self.model.model_options
            self.set_steps(steps, denoise)

        def calculate_sigmas(self, steps: int) -> Tensor:
            """The sigmas of a whole run."""
            dropped = self.sampler in self.DISCARD_PENULTIMATE_SIGMA_SAMPLERS
            sigmas = calculate_sigmas(self.model.sampling, self.scheduler, steps + dropped)
            return torch.cat([sigmas[:-2], sigmas[-1:]]) if dropped else sigmas

        def set_steps(self, steps: int, denoise: float | None = None) -> None:
            """Work out the sigmas; with denoise below 1 the end of a longer schedule."""
            self.steps = steps
            if denoise is None or denoise > 0.9999:
                self.sigmas = self.calculate_sigmas(steps)
            elif denoise <= 0.0:
                self.sigmas = torch.empty(0)
            else:
                self.sigmas = self.calculate_sigmas(int(steps / denoise))[-(steps + 1) :]

        def sample(
            self,
            noise: Tensor,
            positive: Any,
            negative: Any,
            cfg: float,
            latent_image: Tensor | None = None,
            start_step: int | None = None,
            last_step: int | None = None,
            force_full_denoise: bool = False,
            denoise_mask: Tensor | None = None,
            sigmas: Tensor | None = None,
            callback: Any = None,
            disable_pbar: bool = False,
            seed: int | None = None,
        ) -> Tensor:
            """The latent that is made of noise."""
            sigmas = self.sigmas if sigmas is None else sigmas
            if last_step is not None and last_step < len(sigmas) - 1:
                sigmas = sigmas[: last_step + 1]
                if force_full_denoise:
                    sigmas = torch.cat([sigmas[:-1], sigmas.new_zeros(1)])
            if start_step is not None and start_step < len(sigmas) - 1:
                sigmas = sigmas[start_step:]
            elif start_step is not None:
                return torch.zeros_like(noise) if latent_image is None else latent_image
            guider = _guider(self.model, positive, negative, cfg)
            latent = torch.zeros_like(noise) if latent_image is None else latent_image
            return guider.sample(
                noise,
                latent,
                sampler_object(self.sampler),
                sigmas,
                denoise_mask,
                callback,
                disable_pbar,
                seed,
            )

    def sample(
        model: Any,
        noise: Tensor,
        positive: Any,
        negative: Any,
        cfg: float,
        device: Any,
        sampler: Any,
        sigmas: Tensor,
        model_options: Any = None,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        callback: Any = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        guider = _guider(_as_model(model, model_options), positive, negative, cfg)
        latent = torch.zeros_like(noise) if latent_image is None else latent_image
        return guider.sample(noise, latent, sampler, sigmas, denoise_mask, callback, disable_pbar, seed)

    return {
        "KSampler": KSampler,
        "KSAMPLER": KSAMPLER,
        "Sampler": Sampler,
        "CFGGuider": Guider,
        "SchedulerHandler": SchedulerHandler,
        "SCHEDULER_HANDLERS": handlers,
        "SCHEDULER_NAMES": scheduler_names,
        "SAMPLER_NAMES": sampler_names,
        "KSAMPLER_NAMES": sampler_names,
        **predicting(session),
        "calculate_sigmas": calculate_sigmas,
        "sampler_object": sampler_object,
        "ksampler": lambda name, extra=None, inpaint=None: KSAMPLER(
            sampler_object(name).function, extra, inpaint
        ),
        "sample": sample,
        "simple_scheduler": lambda ms, steps: schedules.simple(steps, ms),
        "normal_scheduler": lambda ms, steps, sgm=False, floor=False: (
            schedules.sgm_uniform(steps, ms) if sgm else schedules.normal(steps, ms)
        ),
        "ddim_scheduler": lambda ms, steps: schedules.ddim_uniform(steps, ms),
        "beta_scheduler": lambda ms, steps, alpha=0.6, beta=0.6: schedules.beta_sigmas(
            steps, ms, alpha, beta
        ),
        "linear_quadratic_schedule": lambda ms, steps, **rest: schedules.linear_quadratic(steps, ms),
        "kl_optimal_scheduler": lambda n, sigma_min, sigma_max: schedules.kl_optimal(
            n, _levels(sigma_min, sigma_max)
        ),
    }


def _levels(sigma_min: float, sigma_max: float) -> Any:
    return SimpleNamespace(sigma_min=torch.tensor(sigma_min), sigma_max=torch.tensor(sigma_max))


def _schedule(name: str) -> Callable[[Any, int], Tensor]:
    return lambda model_sampling, steps: schedules.sigmas_for(name, steps, model_sampling)


def _as_model(model: Any, options: Mapping[str, Any] | None) -> Model:
    """A MODEL of what packs hand over: one, or its network alone."""
    if isinstance(model, Model):
        return model
    return Model(model, model_options=dict(options or {"transformer_options": {}}))


def _guider(model: Model, positive: Any, negative: Any, cfg: float) -> Guider:
    guider = Guider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    return guider


def sample_module(session: Session) -> Names:
    """The names of `comfy.sample`."""

    def sample(
        model: Any,
        noise: Tensor,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Any,
        negative: Any,
        latent_image: Tensor,
        denoise: float = 1.0,
        disable_noise: bool = False,
        start_step: int | None = None,
        last_step: int | None = None,
        force_full_denoise: bool = False,
        noise_mask: Tensor | None = None,
        sigmas: Tensor | None = None,
        callback: Any = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        maker = session.modules["comfy.samplers"].__dict__["KSampler"]
        run = maker(
            model, steps, None, sampler_name, scheduler, denoise, getattr(model, "model_options", None)
        )
        return run.sample(
            noise, positive, negative, cfg, latent_image, start_step, last_step, force_full_denoise,
            noise_mask, sigmas, callback, disable_pbar, seed,
        )  # fmt: skip

    def sample_custom(
        model: Any,
        noise: Tensor,
        cfg: float,
        sampler: Any,
        sigmas: Tensor,
        positive: Any,
        negative: Any,
        latent_image: Tensor,
        noise_mask: Tensor | None = None,
        callback: Any = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        guider = _guider(_as_model(model, None), positive, negative, cfg)
        return guider.sample(noise, latent_image, sampler, sigmas, noise_mask, callback, disable_pbar, seed)

    return {
        "prepare_noise": prepare_noise,
        "fix_empty_latent_channels": lambda model, latent: fit_channels(model, latent),
        "prepare_mask": lambda mask, shape, device=None: fit_noise_mask(mask, torch.zeros(shape)),
        "sample": sample,
        "sample_custom": sample_custom,
        "prepare_sampling": lambda model, shape, positive, negative, mask=None: (
            model.model, positive, negative, mask, [],
        ),
        "cleanup_additional_models": lambda models: None,
    }  # fmt: skip


def prepare_noise(latent_image: Tensor, seed: int, noise_inds: Any = None) -> Tensor:
    """Unit noise of a seed like a latent; noise_inds: the place of each item in a larger batch."""
    return noise_for(latent_image, seed, None if noise_inds is None else list(noise_inds))


class BrownianTreeNoiseSampler:
    """Noise of one Brownian path, asked for between two sigmas."""

    def __init__(
        self, x: Tensor, sigma_min: Any, sigma_max: Any, seed: int | None = None, **options: Any
    ) -> None:
        self._noise = brownian_noise_sampler(x, torch.stack([_level(sigma_max), _level(sigma_min)]), seed)

    def __call__(self, sigma: Any, sigma_next: Any) -> Tensor:
        """Unit noise for the step from one sigma to another."""
        return self._noise(sigma, sigma_next)


def _level(sigma: Any) -> Tensor:
    return torch.as_tensor(float(sigma))


def k_sampling(session: Session) -> Names:
    """The names of `comfy.k_diffusion.sampling`."""
    names: Names = {f"sample_{name}": function for name, function in SAMPLERS.items()}
    return names | {
        "to_d": to_d,
        "default_noise_sampler": default_noise_sampler,
        "get_ancestral_step": lambda sigma, sigma_next, eta=1.0: ancestral_step(sigma, sigma_next, eta),
        "append_zero": lambda x: torch.cat([x, x.new_zeros([1])]),
        "get_sigmas_karras": lambda n, sigma_min, sigma_max, rho=7.0, device="cpu": schedules.karras_sigmas(
            n, float(sigma_min), float(sigma_max), rho
        ),
        "get_sigmas_exponential": lambda n, sigma_min, sigma_max, device="cpu": schedules.exponential_sigmas(
            n, float(sigma_min), float(sigma_max)
        ),
        "get_sigmas_polyexponential": lambda n, sigma_min, sigma_max, rho=1.0, device="cpu": (
            levels.polyexponential(n, float(sigma_min), float(sigma_max), rho)
        ),
        "get_sigmas_laplace": lambda n, sigma_min, sigma_max, mu=0.0, beta=0.5, device="cpu": levels.laplace(
            n, float(sigma_min), float(sigma_max), mu, beta
        ),
        "get_sigmas_vp": lambda n, beta_d=19.9, beta_min=0.1, eps_s=1e-3, device="cpu": (
            levels.variance_preserving(n, beta_d, beta_min, eps_s)
        ),
        "BrownianTreeNoiseSampler": BrownianTreeNoiseSampler,
        "torch": torch,
    }


def k_utils(session: Session) -> Names:
    """The names of `comfy.k_diffusion.utils`."""
    endings = {".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}
    return {
        "FolderOfImages": type("FolderOfImages", (), {"IMG_EXTENSIONS": endings}),
        "append_dims": lambda x, dims: x[(...,) + (None,) * (dims - x.ndim)],
    }
