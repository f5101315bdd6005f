"""Every sampler by name, in the field's order. One more is one function marked with `@sampler` in a file
here."""

from typing import Final

from diffusion.samplers import multistep, one_step, predictor_corrector, solvers, stochastic
from diffusion.samplers.registry import SAMPLERS, SamplerFunction, sampler

__all__ = ["FIELD_ORDER", "SAMPLERS", "SamplerFunction", "sampler"]

FIELD_ORDER: Final = (
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "euler_ancestral_cfg_pp",
    "heun",
    "heunpp2",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp",
    "dpmpp_sde",
    "dpmpp_sde_gpu",
    "dpmpp_2m",
    "dpmpp_2m_cfg_pp",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu",
    "dpmpp_2m_sde_heun",
    "dpmpp_2m_sde_heun_gpu",
    "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "res_multistep",
    "res_multistep_cfg_pp",
    "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp",
    "gradient_estimation",
    "gradient_estimation_cfg_pp",
    "er_sde",
    "seeds_2",
    "seeds_3",
    "sa_solver",
    "sa_solver_pece",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
)

_LOADED: Final = (one_step, multistep, solvers, stochastic, predictor_corrector)


def _in_order() -> None:
    found = dict(SAMPLERS)
    SAMPLERS.clear()
    SAMPLERS.update({name: found[name] for name in sorted(found, key=_place)})


def _place(name: str) -> int:
    return FIELD_ORDER.index(name) if name in FIELD_ORDER else len(FIELD_ORDER)


_in_order()
