"""Functions that patches put around the stages of sampling.

A wrapper is called with an executor and the stage's arguments; executor(*args) goes on to the next wrapper,
and after the last to the stage itself. Stages bear the field's names: "diffusion_model" (the network: x,
timesteps, context, y, control, options), "calc_cond_batch" (predictions for one latent: model, sides, x,
sigma, options) and "predict_noise" (the guided clean image: x, sigma, options, seed).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Executor:
    """A stage with the wrappers still to be called; class_obj: whose stage it is."""

    original: Callable[..., Any]
    class_obj: Any = None
    wrappers: tuple[Callable[..., Any], ...] = ()

    def __call__(self, *args: Any, **options: Any) -> Any:
        if not self.wrappers:
            return self.original(*args, **options)
        rest = Executor(self.original, self.class_obj, self.wrappers[1:])
        return self.wrappers[0](rest, *args, **options)

    execute = __call__


def wrapped(
    stage: Callable[..., Any], kind: str, transformer_options: Mapping[str, Any], owner: Any = None
) -> Executor:
    """A stage with the wrappers that options name for it, those added first outermost."""
    keys = transformer_options.get("wrappers", {}).get(kind, {})
    return Executor(stage, owner, tuple(w for wrappers in keys.values() for w in wrappers))
