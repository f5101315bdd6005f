"""Diffusers' schedulers as samplers: they keep their own time steps and arithmetic, our guider is the model.

A scheduler asks for the noise in a sample of its own scale: with unit variance ("vp"), with noise of sigma
on top of the picture ("ve", ours), or for what Karras et al. 2022 call F ("edm"). It gets that from the clean
image.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, Final, Literal

import torch
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.samplers.multistep import lagrange_integrals
from diffusion.samplers.registry import Callback, Extra, Run
from diffusion.sampling_space import DiscreteSampling

Spacing = Literal["leading", "trailing", "linspace"]
_SAME: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Where a scheduler's class lies in diffusers, the scale of its samples, and settings of its own."""

    module: str
    name: str
    scale: Literal["vp", "ve", "edm"]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


SCHEDULERS: Final[dict[str, Scheduler]] = {
    "pndm": Scheduler("pndm", "PNDMScheduler", "vp", {"skip_prk_steps": True}),
    "pndm_prk": Scheduler("pndm", "PNDMScheduler", "vp"),
    "ddim": Scheduler("ddim", "DDIMScheduler", "vp"),
    "ddpm": Scheduler("ddpm", "DDPMScheduler", "vp"),
    "deis": Scheduler("deis_multistep", "DEISMultistepScheduler", "vp"),
    "unipc": Scheduler("unipc_multistep", "UniPCMultistepScheduler", "vp"),
    "dpm_multistep": Scheduler("dpmsolver_multistep", "DPMSolverMultistepScheduler", "vp"),
    "dpm_multistep_sde": Scheduler(
        "dpmsolver_multistep", "DPMSolverMultistepScheduler", "vp", {"algorithm_type": "sde-dpmsolver++"}
    ),
    "dpm_singlestep": Scheduler(
        "dpmsolver_singlestep", "DPMSolverSinglestepScheduler", "vp", {"lower_order_final": True}
    ),
    "sa_solver": Scheduler("sasolver", "SASolverScheduler", "vp"),
    "lcm": Scheduler("lcm", "LCMScheduler", "vp"),
    "tcd": Scheduler("tcd", "TCDScheduler", "vp"),
    "lms": Scheduler("lms_discrete", "LMSDiscreteScheduler", "ve"),
    "euler": Scheduler("euler_discrete", "EulerDiscreteScheduler", "ve"),
    "euler_ancestral": Scheduler("euler_ancestral_discrete", "EulerAncestralDiscreteScheduler", "ve"),
    "heun": Scheduler("heun_discrete", "HeunDiscreteScheduler", "ve"),
    "kdpm2": Scheduler("k_dpm_2_discrete", "KDPM2DiscreteScheduler", "ve"),
    "kdpm2_ancestral": Scheduler("k_dpm_2_ancestral_discrete", "KDPM2AncestralDiscreteScheduler", "ve"),
    "edm_euler": Scheduler("edm_euler", "EDMEulerScheduler", "edm"),
    "edm_dpm": Scheduler("edm_dpmsolver_multistep", "EDMDPMSolverMultistepScheduler", "edm"),
}
"""Every scheduler on offer; their names stand in diffusion/names.py too."""


def built(
    name: str, sampling: DiscreteSampling, steps: int, spacing: Spacing = "leading", karras: bool = False
) -> Any:
    """A diffusers scheduler for the noise levels of a model, its time steps set.

    Raises DiffusionError when it cannot take so many steps.
    """
    row = SCHEDULERS[name]
    kind = getattr(import_module(f"diffusers.schedulers.scheduling_{row.module}"), row.name)
    wanted = {
        "trained_betas": _betas(sampling),
        "num_train_timesteps": len(sampling.sigmas),
        "prediction_type": "epsilon" if row.scale == "edm" else _asked_for(sampling),
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": int(spacing == "leading"),
        "timestep_spacing": spacing,
        "use_karras_sigmas": karras,
        "sigma_data": sampling.sigma_data,
        **row.settings,
    }
    if row.scale == "edm":
        wanted |= {"sigma_min": float(sampling.sigma_min), "sigma_max": float(sampling.sigma_max)}
    taken = inspect.signature(kind.__init__).parameters
    scheduler: Any = kind(**{key: value for key, value in wanted.items() if key in taken})
    try:
        scheduler.set_timesteps(steps)
    except (ValueError, IndexError) as error:
        raise DiffusionError(
            f"diffusers' {row.name} cannot take {steps} steps: {error} Try another number of steps."
        ) from error
    if row.module == "lms_discrete":
        # Diffusers integrates polynomials by numbers here, with scipy; exact integrals need neither.
        scheduler.get_lms_coefficient = partial(_multistep_weight, scheduler)
    return scheduler


def _multistep_weight(scheduler: Any, order: int, t: int, current_order: int) -> float:
    """How much the slope of `current_order` steps ago counts in step t of a multistep rule."""
    knots = [float(scheduler.sigmas[t - k]) for k in range(order)]
    return lagrange_integrals(knots, knots[0], float(scheduler.sigmas[t + 1]))[current_order]


def _asked_for(sampling: DiscreteSampling) -> str:
    """What a network of these levels puts out, as diffusers calls it; multistep schedulers remember it as it
    is."""
    return "v_prediction" if sampling.prediction == "v_prediction" else "epsilon"


def _betas(sampling: DiscreteSampling) -> list[float]:
    kept = 1 / (1 + sampling.sigmas.double() ** 2)
    before = torch.cat([torch.ones(1, dtype=torch.float64), kept[:-1]])
    return (1 - kept / before).tolist()


def levels_of(scheduler: Any) -> Tensor:
    """The sigmas that a scheduler steps through, each once, then 0."""
    found: list[float] = []
    for number in range(len(scheduler.timesteps)):
        level = _level(scheduler, number, between=False)
        if level > 0 and (not found or level < found[-1] * (1 - _SAME)):
            found.append(level)
    return torch.tensor([*found, 0.0])


def _level(scheduler: Any, number: int, between: bool = True) -> float:
    """The sigma of a scheduler's call of this number; some look between their levels on every second one."""
    if between and hasattr(scheduler, "sigmas_interpol") and not scheduler.state_in_first_order:
        # Where that level is kept differs from class to class; how it scales its input does not.
        unit = torch.ones(1, dtype=torch.float64)
        return (1 / float(scheduler.scale_model_input(unit, scheduler.timesteps[number])) ** 2 - 1) ** 0.5
    if hasattr(scheduler, "sigmas"):
        return float(scheduler.sigmas[number])
    kept = float(scheduler.alphas_cumprod[int(scheduler.timesteps[number])])
    return ((1 - kept) / kept) ** 0.5


@torch.no_grad()
def sample_diffusers(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    *,
    scheduler: str,
    steps: int,
    spacing: Spacing = "leading",
    karras: bool = False,
    eta: float = 0.0,
) -> Tensor:
    """The latent that a diffusers scheduler of so many steps makes, down all of its levels or a part of them.

    Raises DiffusionError when the levels are not its own.
    """
    made = built(scheduler, model.inner_model.sampling, steps, spacing, karras)
    scale = SCHEDULERS[scheduler].scale
    begin, end = _part(made, sigmas, scheduler)
    if hasattr(made, "set_begin_index"):
        made.set_begin_index(begin)
    run, extra = Run(model, extra_args or {}, callback), _step_extras(made, x, extra_args or {}, eta)
    sample = _scaled(x, float(sigmas[0]), scale)
    if begin == 0 and not model.latent_image.any():
        # Diffusers starts from noise alone, which has another strength here than noise on an empty picture.
        sample = model.noise * float(made.init_noise_sigma)
    reported = 0
    for number in range(begin, end):
        level = torch.tensor(_level(made, number))
        t = made.timesteps[number]
        made.scale_model_input(sample, t)
        noisy = _scaled(sample, float(level), scale, back=True)
        clean = run.clean(noisy, level)
        begins = (number - begin) % made.order == 0 and reported < len(sigmas) - 1
        if begins and float(level) <= float(sigmas[reported]) * (1 + _SAME):
            run.report(reported, noisy, level, clean)
            reported += 1
        output = OUTPUTS["edm" if scale == "edm" else made.config.prediction_type](noisy, clean, level)
        sample = made.step(output, t, sample, **extra).prev_sample
    last = float(sigmas[-1])
    return _scaled(sample, last, scale, back=True) if last > 0 else sample


def _part(scheduler: Any, sigmas: Tensor, name: str) -> tuple[int, int]:
    """The first call of a run down these levels, and the one after its last."""
    own = levels_of(scheduler)[:-1]
    given = sigmas[sigmas > 0]
    nearest = (given[:, None] / own - 1).abs().amin(dim=1)
    if (nearest > _SAME).any():
        stranger = float(given[nearest.argmax()])
        raise DiffusionError(
            f"sigma {stranger:.4g} is none of the levels of diffusers' {name}: connect the sigmas that "
            "DiffusersSampler gives, or a part of them."
        )
    calls = [_level(scheduler, number, between=False) for number in range(len(scheduler.timesteps))]
    first, last = (_call(scheduler, calls, float(level)) for level in (sigmas[0], sigmas[-1]))
    return first, last


def _call(scheduler: Any, calls: list[float], level: float) -> int:
    """The number of the call that begins the step at a level."""
    for number in range(0, len(calls), scheduler.order):
        if calls[number] <= level * (1 + _SAME):
            return number
    return len(calls)


def _scaled(x: Tensor, sigma: float, scale: str, back: bool = False) -> Tensor:
    """Our sample in a scheduler's scale, or back."""
    if scale != "vp":
        return x
    factor = (1 + sigma**2) ** 0.5
    return x * factor if back else x / factor


def _noise(x: Tensor, clean: Tensor, sigma: Tensor) -> Tensor:
    return (x - clean) / sigma


def _velocity(x: Tensor, clean: Tensor, sigma: Tensor) -> Tensor:
    return (x / (sigma**2 + 1) - clean) * (sigma**2 + 1).sqrt() / sigma


def _edm(x: Tensor, clean: Tensor, sigma: Tensor) -> Tensor:
    return -_velocity(x, clean, sigma)


OUTPUTS: Final[dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "epsilon": _noise,
    "v_prediction": _velocity,
    "edm": _edm,
}
"""What schedulers call the network's output, from x, the clean image and sigma in our scale."""


def _step_extras(scheduler: Any, x: Tensor, extra: Extra, eta: float) -> dict[str, Any]:
    """What a scheduler's step takes beside the sample: its noise goes on where the start's ended."""
    generator = torch.Generator().manual_seed((extra.get("seed") or 0) % 2**64)
    torch.randn(x.shape, generator=generator)
    wanted = {"generator": generator, "eta": eta}
    taken = inspect.signature(scheduler.step).parameters
    return {key: value for key, value in wanted.items() if key in taken}


def begun(levels: Tensor, denoise: float) -> Tensor:
    """The levels that are run for a part of the denoising, as diffusers counts its strength."""
    steps = len(levels) - 1
    return levels[steps - min(int(steps * denoise), steps) :] if denoise > 0 else levels[:0]
