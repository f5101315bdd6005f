"""Samplers as values, with their settings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, cast

from diffusion.names import DIFFUSERS_NAMES, SAMPLER_NAMES
from graph.facts import Facts, Known
from graph.node import node
from graph.spec import Choice, Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Model, Sampler, Sigmas, Steps, Strength

if TYPE_CHECKING:
    from diffusion import sampling
    from diffusion.samplers import diffusers_schedulers, predictor_corrector, unlisted
    from nodes import tensors
else:
    sampling = LazyModule("diffusion.sampling")
    diffusers_schedulers = LazyModule("diffusion.samplers.diffusers_schedulers")
    predictor_corrector = LazyModule("diffusion.samplers.predictor_corrector")
    unlisted = LazyModule("diffusion.samplers.unlisted")
    tensors = LazyModule("nodes.tensors")

CATEGORY: Final = "sampling/custom_sampling/samplers"

Setting = Number(0.0, 100.0, 0.01)
Eta = Annotated[float, Setting, Hint("How much of each step's noise is fresh; 0 adds none.")]
NoiseScale = Annotated[float, Setting, Hint("The strength of the fresh noise, of 1.")]
NoiseDevice = Annotated[
    Literal["gpu", "cpu"],
    Hint("Kept for old workflows: noise always comes from the CPU, so that seeds hold on every device."),
]


@node("KSamplerSelect", category=CATEGORY)
def ksampler_select(
    sampler_name: Annotated[str, Choice(SAMPLER_NAMES), Hint("The rule for one step.")],
) -> Sampler:
    """A sampler by its name, with its usual settings."""
    return sampling.sampler_named(sampler_name)


@node("SamplerEulerAncestral", category=CATEGORY)
def sampler_euler_ancestral(eta: Eta = 1.0, s_noise: NoiseScale = 1.0) -> Sampler:
    """Euler's method that steps too far down and adds fresh noise."""
    return sampling.sampler_named("euler_ancestral", eta=eta, s_noise=s_noise)


@node("SamplerEulerAncestralCFGPP", title="SamplerEulerAncestralCFG++", category=CATEGORY)
def sampler_euler_ancestral_cfg_pp(
    eta: Annotated[
        float, Number(0.0, 1.0, 0.01), Hint("How much of each step's noise is fresh; 0 adds none.")
    ] = 1.0,
    s_noise: Annotated[float, Number(0.0, 10.0, 0.01), Hint("The strength of the fresh noise, of 1.")] = 1.0,
) -> Sampler:
    """Euler ancestral for CFG++: low cfg, and noise in the direction of the negative prompt."""
    return sampling.sampler_named("euler_ancestral_cfg_pp", eta=eta, s_noise=s_noise)


@node("SamplerEulerCFGpp", title="SamplerEulerCFG++", category="_for_testing", experimental=True)
def sampler_euler_cfg_pp(
    version: Annotated[
        Literal["regular", "alternative"], Hint("regular: as published; alternative: an earlier form of it.")
    ],
) -> Sampler:
    """Euler's method for CFG++: low cfg, and noise in the direction of the negative prompt."""
    if version == "regular":
        return sampling.sampler_named("euler_cfg_pp")
    return sampling.Sampler(unlisted.sample_euler_pp)


@node("SamplerLMS", category=CATEGORY)
def sampler_lms(
    order: Annotated[int, Number(1, 100), Hint("How many steps are looked back on.")] = 4,
) -> Sampler:
    """Linear multistep."""
    return sampling.sampler_named("lms", order=order)


@node("SamplerDPMPP_3M_SDE", category=CATEGORY)
def sampler_dpmpp_3m_sde(eta: Eta = 1.0, s_noise: NoiseScale = 1.0, *, noise_device: NoiseDevice) -> Sampler:
    """DPM-Solver++ of third order with fresh noise."""
    return sampling.sampler_named("dpmpp_3m_sde", eta=eta, s_noise=s_noise)


@node("SamplerDPMPP_2M_SDE", category=CATEGORY)
def sampler_dpmpp_2m_sde(
    solver_type: Annotated[Literal["midpoint", "heun"], Hint("How the step before is made use of.")],
    *,
    eta: Eta = 1.0,
    s_noise: NoiseScale = 1.0,
    noise_device: NoiseDevice,
) -> Sampler:
    """DPM-Solver++ of second order with fresh noise."""
    return sampling.sampler_named("dpmpp_2m_sde", eta=eta, s_noise=s_noise, solver_type=solver_type)


@node("SamplerDPMPP_SDE", category=CATEGORY)
def sampler_dpmpp_sde(
    eta: Eta = 1.0,
    s_noise: NoiseScale = 1.0,
    r: Annotated[float, Setting, Hint("Where in the step the second call is made, of 1.")] = 0.5,
    *,
    noise_device: NoiseDevice,
) -> Sampler:
    """DPM-Solver++ that calls the model twice a step, with fresh noise."""
    return sampling.sampler_named("dpmpp_sde", eta=eta, s_noise=s_noise, r=r)


@node("SamplerDPMPP_2S_Ancestral", category=CATEGORY)
def sampler_dpmpp_2s_ancestral(eta: Eta = 1.0, s_noise: NoiseScale = 1.0) -> Sampler:
    """DPM-Solver++ of two calls a step that steps too far down and adds fresh noise."""
    return sampling.sampler_named("dpmpp_2s_ancestral", eta=eta, s_noise=s_noise)


@node("SamplerDPMAdaptative", category=CATEGORY)
def sampler_dpm_adaptative(
    order: Annotated[int, Number(2, 3), Hint("The order of the solver; 3 costs three calls a step.")] = 3,
    rtol: Annotated[float, Setting, Hint("The error allowed in a step, as a part of the values.")] = 0.05,
    atol: Annotated[float, Setting, Hint("The error allowed in a step where values are small.")] = 0.0078,
    h_init: Annotated[float, Setting, Hint("The first step's length, in the logarithm of sigma.")] = 0.05,
    pcoeff: Annotated[float, Setting, Hint("How much the last error sets the next length.")] = 0.0,
    icoeff: Annotated[float, Setting, Hint("How much all errors set the next length.")] = 1.0,
    dcoeff: Annotated[float, Setting, Hint("How much the change of the error sets the next length.")] = 0.0,
    accept_safety: Annotated[
        float, Setting, Hint("Below this factor a step is taken again, shorter.")
    ] = 0.81,
    eta: Eta = 0.0,
    s_noise: NoiseScale = 1.0,
) -> Sampler:
    """DPM-Solver with steps as long as the error allows; the number of steps is its own."""
    return sampling.sampler_named(
        "dpm_adaptive",
        order=order,
        rtol=rtol,
        atol=atol,
        h_init=h_init,
        pcoeff=pcoeff,
        icoeff=icoeff,
        dcoeff=dcoeff,
        accept_safety=accept_safety,
        eta=eta,
        s_noise=s_noise,
    )


@node("SamplerER_SDE", category=CATEGORY)
def sampler_er_sde(
    solver_type: Annotated[
        Literal["ER-SDE", "Reverse-time SDE", "ODE"],
        Hint("How the noise falls between levels; ODE adds no fresh noise."),
    ],
    max_stage: Annotated[int, Number(1, 3), Hint("The order of the solver.")] = 3,
    eta: Annotated[float, Setting, Hint("How much noise the reverse-time process adds; 0 is the ODE.")] = 1.0,
    s_noise: NoiseScale = 1.0,
) -> Sampler:
    """Extended reverse-time SDE solvers."""
    plain = solver_type == "ODE" or (solver_type == "Reverse-time SDE" and eta == 0)
    power = 1.0 if plain else eta + 1.0
    options: dict[str, Any] = {"max_stage": max_stage, "s_noise": 0.0 if plain else s_noise}
    if solver_type != "ER-SDE":
        options["noise_scaler"] = lambda level: level**power  # pyright: ignore
    return sampling.sampler_named("er_sde", **options)


@node("SamplerSASolver", category=CATEGORY)
def sampler_sa_solver(
    model: Annotated[Model, Hint("The model whose noise levels the percentages are of.")],
    eta: Annotated[float, Number(0.0, 10.0, 0.01), Hint("How much fresh noise is added.")] = 1.0,
    sde_start_percent: Annotated[
        float, Number(0.0, 1.0, 0.001), Hint("From this part of the way on, fresh noise is added.")
    ] = 0.2,
    sde_end_percent: Annotated[
        float, Number(0.0, 1.0, 0.001), Hint("From this part of the way on, none is added any more.")
    ] = 0.8,
    s_noise: NoiseScale = 1.0,
    predictor_order: Annotated[int, Number(1, 6), Hint("Steps that the prediction looks back on.")] = 3,
    corrector_order: Annotated[
        int, Number(0, 6), Hint("Steps that the correction looks back on; 0: none.")
    ] = 4,
    *,
    use_pece: Annotated[bool, Hint("Ask the model again after each correction: two calls a step.")],
    simple_order_2: Annotated[bool, Hint("Use the simpler formulas of second order.")],
) -> Sampler:
    """SA-Solver: a predictor and a corrector, with fresh noise through part of the way."""
    to_sigma = model.sampling.percent_to_sigma
    start, end = to_sigma(sde_start_percent), to_sigma(sde_end_percent)
    return sampling.sampler_named(
        "sa_solver",
        tau_func=predictor_corrector.tau_interval(start, end, eta),
        s_noise=s_noise,
        predictor_order=predictor_order,
        corrector_order=corrector_order,
        use_pece=use_pece,
        simple_order_2=simple_order_2,
    )


def _resizing(known: Known) -> Mapping[str, Facts]:
    return {"SAMPLER": {"resizes": known.values.get("scale_ratio") != 1.0}}


@node("SamplerLCMUpscale", category=CATEGORY, infer=_resizing)
def sampler_lcm_upscale(
    scale_ratio: Annotated[
        float, Number(0.1, 20.0, 0.01), Hint("How many times as wide and high the result is.")
    ] = 1.0,
    scale_steps: Annotated[
        int, Number(-1, 1000, 1), Hint("Over how many steps it grows; -1: the first half of them.")
    ] = -1,
    *,
    upscale_method: Annotated[
        str,
        Choice(("bislerp", "nearest-exact", "bilinear", "area", "bicubic")),
        Hint("How new values are computed; bislerp keeps their strength."),
    ],
) -> Sampler:
    """The LCM sampler, with latents that grow while they are sampled."""
    return sampling.Sampler(
        unlisted.sample_lcm_upscale,
        {
            "resize": tensors.resize,
            "total_upscale": scale_ratio,
            "upscale_steps": None if scale_steps < 0 else scale_steps,
            "upscale_method": upscale_method,
        },
    )


class DiffusersRun(NamedTuple):
    """A diffusers scheduler as a sampler, and the noise levels that go with it."""

    SAMPLER: Sampler
    SIGMAS: Sigmas


@node("DiffusersSampler", title="Diffusers Sampler", category=CATEGORY)
def diffusers_sampler(
    model: Annotated[Model, Hint("The model whose noise levels are stepped through.")],
    *,
    scheduler: Annotated[str, Choice(DIFFUSERS_NAMES), Hint("The scheduler, under diffusers' name for it.")],
    steps: Steps = 20,
    spacing: Annotated[
        Literal["leading", "trailing", "linspace"],
        Hint("How steps lie among the trained ones: leading leaves out the noisiest, trailing the cleanest."),
    ] = "leading",
    karras: Annotated[
        bool, Hint("Spread the levels as Karras et al. 2022 do, with schedulers that can.")
    ] = False,
    eta: Annotated[
        float, Number(0.0, 1.0, 0.01), Hint("How much fresh noise DDIM and TCD add; others have their own.")
    ] = 0.0,
    denoise: Strength = 1.0,
) -> DiffusersRun:
    """One of diffusers' schedulers as a sampler, with its own noise levels: the pictures of its pipelines."""
    levels = diffusers_schedulers.levels_of(
        diffusers_schedulers.built(scheduler, model.sampling, steps, spacing, karras)
    )
    options = {"scheduler": scheduler, "steps": steps, "spacing": spacing, "karras": karras, "eta": eta}
    sampler = sampling.Sampler(diffusers_schedulers.sample_diffusers, options)
    return DiffusersRun(cast(Sampler, sampler), diffusers_schedulers.begun(levels, denoise))
