"""What AUTOMATIC1111's web UI and Forge call samplers and schedules."""

from collections.abc import Mapping
from typing import Final

SAMPLERS: Final[Mapping[str, str]] = {
    "euler": "euler",
    "euler a": "euler_ancestral",
    "heun": "heun",
    "lms": "lms",
    "dpm2": "dpm_2",
    "dpm2 a": "dpm_2_ancestral",
    "dpm fast": "dpm_fast",
    "dpm adaptive": "dpm_adaptive",
    "dpm++ 2s a": "dpmpp_2s_ancestral",
    "dpm++ 2m": "dpmpp_2m",
    "dpm++ sde": "dpmpp_sde",
    "dpm++ 2m sde": "dpmpp_2m_sde",
    "dpm++ 2m sde heun": "dpmpp_2m_sde_heun",
    "dpm++ 3m sde": "dpmpp_3m_sde",
    "ddim": "ddim",
    "ddim cfg++": "euler_cfg_pp",
    "unipc": "uni_pc",
    "lcm": "lcm",
    "restart": "euler",
    "plms": "ipndm",
    "ddpm": "ddpm",
}
"""The sampler of each name, in small letters; of those that are not here the nearest."""
USUAL: Final = "euler"

SCHEDULES: Final[Mapping[str, str]] = {
    "automatic": "",
    "uniform": "normal",
    "karras": "karras",
    "exponential": "exponential",
    "polyexponential": "exponential",
    "sgm uniform": "sgm_uniform",
    "kl optimal": "kl_optimal",
    "simple": "simple",
    "normal": "normal",
    "ddim": "ddim_uniform",
    "beta": "beta",
    "turbo": "sgm_uniform",
    "align your steps": "karras",
}
AUTOMATIC: Final[Mapping[str, str]] = {
    "dpm2": "karras",
    "dpm2 a": "karras",
    "dpm++ 2s a": "karras",
    "dpm++ 2m": "karras",
    "dpm++ sde": "karras",
    "dpm++ 2m sde": "exponential",
    "dpm++ 2m sde heun": "exponential",
    "dpm++ 3m sde": "exponential",
    "restart": "karras",
}
"""The schedule that "Automatic" stands for, where it is not the usual one."""
_UNIFORM: Final = frozenset({"ddim", "ddim cfg++", "plms"})


def sampling_of(sampler: str, schedule: str) -> tuple[str, str]:
    """Sampler and schedule of the names there.

    Older texts say both in one ("DPM++ 2M Karras"), and where they say no schedule it was the usual one.
    """
    name, told = sampler.strip().lower(), schedule.strip().lower()
    for ending in ("karras", "exponential"):
        if name.endswith(f" {ending}"):
            name, told = name.removesuffix(f" {ending}"), told or ending
    usual = "ddim_uniform" if name in _UNIFORM else "normal"
    automatic = AUTOMATIC.get(name, usual) if told == "automatic" else usual
    return SAMPLERS.get(name, USUAL), SCHEDULES.get(told, "") or automatic
