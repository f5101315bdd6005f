"""Every sampler by name, in the field's order. One more is one function marked with `@sampler` in a file
here."""

from typing import Final

from diffusion.names import SAMPLER_NAMES
from diffusion.samplers import multistep, one_step, predictor_corrector, solvers, stochastic
from diffusion.samplers.registry import SAMPLERS, SamplerFunction, sampler

__all__ = ["SAMPLERS", "SamplerFunction", "sampler"]

_LOADED: Final = (one_step, multistep, solvers, stochastic, predictor_corrector)


def _in_order() -> None:
    found = dict(SAMPLERS)
    SAMPLERS.clear()
    SAMPLERS.update({name: found[name] for name in sorted(found, key=_place)})


def _place(name: str) -> int:
    return SAMPLER_NAMES.index(name) if name in SAMPLER_NAMES else len(SAMPLER_NAMES)


_in_order()
