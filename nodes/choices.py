"""The names that widgets offer, in the field's order. Kept apart from diffusion/, whose tables need torch."""

from typing import Final

SAMPLER_NAMES: Final = ("euler", "euler_ancestral", "dpmpp_2m", "ddim")
SCHEDULE_NAMES: Final = (
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "normal",
    "linear_quadratic",
    "kl_optimal",
)
