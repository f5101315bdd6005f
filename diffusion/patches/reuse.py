"""Patches that leave network calls out where the next output can be told from the last (Zhou et al. 2025,
"EasyCache").

How strongly outputs followed their inputs in the last full step, times how far inputs moved since, is the
change that is expected; while its sum stays below a threshold, what the network last added to its input is
added again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from diffusion.values import Model
from diffusion.wrappers import Executor

EVERY = 8
"""Changes are measured on each eighth latent pixel of both sides."""


@dataclass(frozen=True)
class Range:
    """When calls may be left out: below the change `threshold`, from `start` to `end` of the way (0 to 1)."""

    threshold: float
    start: float
    end: float
    verbose: bool = False


@dataclass
class _Memory:
    """What one run has seen. added: what the network added to its input, by conditioning."""

    first: float
    last: float
    run: Any = None
    shape: Any = None
    leader: Any = None
    skipping: bool = False
    change: float = 0.0
    rate: float | None = None
    level: float | None = None
    x: Tensor | None = None
    output: Tensor | None = None
    added: dict[Any, Tensor] = field(default_factory=dict[Any, Tensor])

    def expected(self, x: Tensor) -> float | None:
        """How much the output will have changed, relative to its size; None before enough was seen."""
        if self.rate is None or self.level is None or self.x is None:
            return None
        return self.rate * _distance(x, self.x) / self.level

    def may_skip(self, x: Tensor, threshold: float) -> bool:
        """Whether the changes so far, with this one, stay below the threshold; else they start anew."""
        expected = self.expected(x)
        if expected is None:
            return False
        self.change += expected
        if self.change < threshold:
            return True
        self.change = 0.0
        return False

    def learn(self, x: Tensor, output: Tensor, size: float, measured: bool = True) -> None:
        """Take in a full step: a sample of its input and output, and the output's mean size."""
        if self.output is not None and self.x is not None and measured:
            moved = _distance(x, self.x)
            self.rate = _distance(output, self.output) / moved if moved else None
        self.x, self.output, self.level = x.clone(), output.clone(), size


def _distance(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean())


def _sample(x: Tensor) -> Tensor:
    return x[..., ::EVERY, ::EVERY]


def _fresh(memory: _Memory | None, model: Model, run: Any, shape: Any, asked: Range) -> _Memory:
    if memory is not None and memory.run is run and memory.shape == shape:
        return memory
    levels = model.sampling
    first, last = levels.percent_to_sigma(asked.start), levels.percent_to_sigma(asked.end)
    return _Memory(first, last, run, shape)


def _say(asked: Range, message: str, *values: Any) -> None:
    if asked.verbose:
        logging.getLogger(__name__).info(message, *values)


def easy_cache(model: Model, asked: Range) -> Model:
    """Calls of the network left out, each conditioning's output told from its own last one."""
    kept: list[_Memory] = []
    channels = model.model.latent_format.latent_channels

    def begin(
        call: Executor, handle: Model, sides: Any, x: Tensor, sigma: Tensor, options: dict[str, Any]
    ) -> list[Tensor]:
        run = options.get("transformer_options", {}).get("sample_sigmas")
        kept[:] = [_fresh(kept[0] if kept else None, handle, run, x.shape, asked)]
        kept[0].skipping = False
        return call(handle, sides, x, sigma, options)

    def instead(call: Executor, x: Tensor, *rest: Any) -> Tensor:
        memory, sides, sigma = kept[0], rest[-1]["uuids"], float(rest[-1]["sigmas"][0])
        if sigma <= memory.last:
            return call(x, *rest)
        began = sigma <= memory.first
        if began and memory.leader is None:
            memory.leader = sides[0]
        latent, leads = x[:, :channels], began and memory.leader in sides
        if began and _skips(memory, latent, sides, asked.threshold):
            _say(asked, "EasyCache leaves out a call at sigma %.4f", sigma)
            return latent + torch.cat([memory.added[side] for side in sides])
        output = call(x, *rest)
        parts = zip(sides, latent.chunk(len(sides)), output.chunk(len(sides)), strict=True)
        memory.added |= {side: after - before for side, before, after in parts}
        if leads:
            own = [_sample(_part(t, sides, memory.leader)) for t in (latent, output)]
            memory.learn(own[0], own[1], float(output.abs().mean()))
        return output

    patched = model.clone()
    patched.add_wrapper_with_key("calc_cond_batch", "easycache", begin)
    patched.add_wrapper_with_key("diffusion_model", "easycache", instead)
    return patched


def _skips(memory: _Memory, latent: Tensor, sides: Sequence[Any], threshold: float) -> bool:
    """Whether this call is left out: the first conditioning's call decides for those that follow."""
    known = all(side in memory.added for side in sides)
    if memory.leader in sides and not memory.skipping:
        shown = _sample(_part(latent, sides, memory.leader))
        memory.skipping = memory.may_skip(shown, threshold if known else 0.0)
    return memory.skipping and known


def _part(x: Tensor, sides: Sequence[Any], side: Any) -> Tensor:
    return x.chunk(len(sides))[list(sides).index(side)]


def lazy_cache(model: Model, asked: Range) -> Model:
    """Whole steps left out, the guided clean image told from the last one."""
    kept: list[_Memory] = []

    def instead(call: Executor, x: Tensor, sigma: Tensor, options: Any, seed: Any = None) -> Tensor:
        run = options.get("transformer_options", {}).get("sample_sigmas")
        memory = _fresh(kept[0] if kept else None, call.class_obj.model_patcher, run, x.shape, asked)
        kept[:] = [memory]
        level = float(sigma[0])
        if level <= memory.last:
            return call(x, sigma, options, seed)
        began, shown = level <= memory.first, _sample(x)
        if began and memory.may_skip(shown, asked.threshold):
            _say(asked, "LazyCache leaves out the step at sigma %.4f", level)
            return x + memory.added[None]
        output = call(x, sigma, options, seed)
        memory.added[None] = output - x
        memory.learn(shown, _sample(output), float(output.abs().mean()), began)
        return output

    patched = model.clone()
    patched.add_wrapper_with_key("predict_noise", "lazycache", instead)
    return patched
