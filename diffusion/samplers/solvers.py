"""DPM-Solver in the logarithm of sigma (Lu et al. 2022): a fixed number of calls, or steps as long as an
error allows."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from diffusion.samplers.registry import Callback, Extra, NoiseSampler, Run, ancestral_step, sampler

Slopes = dict[str, Tensor]


@dataclass
class _Solver:
    """One-, two- and three-call steps from time t to s, where t is minus the logarithm of sigma."""

    run: Run

    def slope(self, slopes: Slopes, name: str, x: Tensor, t: Tensor) -> Tensor:
        """The noise in x at t, asked for once in a step."""
        if name not in slopes:
            slopes[name] = (x - self.run.clean(x, (-t).exp())) / (-t).exp()
        return slopes[name]

    def first(self, x: Tensor, t: Tensor, s: Tensor, slopes: Slopes) -> Tensor:
        return x - (-s).exp() * (s - t).expm1() * self.slope(slopes, "here", x, t)

    def second(self, x: Tensor, t: Tensor, s: Tensor, slopes: Slopes, r: float = 1 / 2) -> Tensor:
        h, eps = s - t, self.slope(slopes, "here", x, t)
        inside = x - (-(t + r * h)).exp() * (r * h).expm1() * eps
        change = self.slope(slopes, "first", inside, t + r * h) - eps
        return x - (-s).exp() * h.expm1() * (eps + change / (2 * r))

    def third(
        self, x: Tensor, t: Tensor, s: Tensor, slopes: Slopes, r: float = 1 / 3, q: float = 2 / 3
    ) -> Tensor:
        h, eps = s - t, self.slope(slopes, "here", x, t)
        inside = x - (-(t + r * h)).exp() * (r * h).expm1() * eps
        change = self.slope(slopes, "first", inside, t + r * h) - eps
        bend = (q / r) * ((q * h).expm1() / (q * h) - 1)
        inside = x - (-(t + q * h)).exp() * ((q * h).expm1() * eps + bend * change)
        change = self.slope(slopes, "second", inside, t + q * h) - eps
        return x - (-s).exp() * (h.expm1() * eps + (h.expm1() / h - 1) / q * change)


def _ends(sigmas: Tensor) -> tuple[Tensor, Tensor]:
    last = sigmas[-1] if sigmas[-1] > 0 else sigmas[-2]
    return -sigmas[0].log(), -last.log()


def _ancestral(t: Tensor, s: Tensor, end: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """(time to step to, noise to add) that together end at s."""
    if not eta:
        return s, torch.zeros_like(s)
    down, _ = ancestral_step((-t).exp(), (-s).exp(), eta)
    to = torch.minimum(end, -down.log())
    return to, ((-2 * s).exp() - (-2 * to).exp()).sqrt()


@sampler("dpm_fast")
def sample_dpm_fast(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 0.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """DPM-Solver that spends one call for each step of the schedule, in threes; only the schedule's ends
    count."""
    if len(sigmas) <= 1:
        return x
    run, calls = Run(model, extra_args or {}, callback), len(sigmas) - 1
    noise, solver = run.noise(x, noise_sampler), _Solver(run)
    start, end = _ends(sigmas)
    count = calls // 3 + 1
    orders = [3] * (count - 2) + [2, 1] if calls % 3 == 0 else [3] * (count - 1) + [calls % 3]
    times = torch.linspace(float(start), float(end), count + 1).to(sigmas)
    for i, order in enumerate(orders):
        t, s = times[i], times[i + 1]
        to, up = _ancestral(t, s, end, eta)
        slopes: Slopes = {}
        eps = solver.slope(slopes, "here", x, t)
        run.report(i, x, (-t).exp(), x - (-t).exp() * eps)
        x = (solver.first, solver.second, solver.third)[order - 1](x, t, to, slopes)
        if eta:
            x = x + up * s_noise * noise((-t).exp(), (-s).exp())
    return x


@dataclass
class _StepLength:
    """A proportional–integral–derivative control of the step length (Gustafsson 1991)."""

    h: float
    powers: tuple[float, float, float]
    safety: float
    inverse_errors: list[float] = field(default_factory=list)

    def accepts(self, error: float) -> bool:
        """Whether a step with this error stands; the next step's length is set either way."""
        inverse = 1 / (error + 1e-8)
        past = [inverse, *(self.inverse_errors or [inverse, inverse])]
        factor = math.prod(e**p for e, p in zip(past, self.powers, strict=True))
        factor = 1 + math.atan(factor - 1)
        accepted = factor >= self.safety
        if accepted:
            self.inverse_errors = past[:2]
        elif not self.inverse_errors:
            self.inverse_errors = past[1:]
        self.h *= factor
        return accepted


@sampler("dpm_adaptive")
def sample_dpm_adaptive(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    order: int = 3,
    rtol: float = 0.05,
    atol: float = 0.0078,
    h_init: float = 0.05,
    pcoeff: float = 0.0,
    icoeff: float = 1.0,
    dcoeff: float = 0.0,
    accept_safety: float = 0.81,
    eta: float = 0.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """DPM-Solver-12 or -23 with steps as long as the error allows; only the schedule's ends count."""
    if len(sigmas) <= 1:
        return x
    run = Run(model, extra_args or {}, callback)
    noise, solver = run.noise(x, noise_sampler), _Solver(run)
    t, end = _ends(sigmas)
    over = 1.5 if eta else order
    powers = ((pcoeff + icoeff + dcoeff) / over, -(pcoeff + 2 * dcoeff) / over, dcoeff / over)
    length, before, i = _StepLength(abs(h_init), powers, accept_safety), x, 0
    while t < end - 1e-5:
        s = torch.minimum(end, t + length.h)
        to, up = _ancestral(t, s, end, eta)
        slopes: Slopes = {}
        eps = solver.slope(slopes, "here", x, t)
        if order == 2:
            low, high = solver.first(x, t, to, slopes), solver.second(x, t, to, slopes)
        else:
            low, high = solver.second(x, t, to, slopes, r=1 / 3), solver.third(x, t, to, slopes)
        allowed = torch.clamp(rtol * torch.maximum(low.abs(), before.abs()), min=atol)
        if length.accepts(float(torch.linalg.norm((low - high) / allowed) / x.numel() ** 0.5)):
            run.report(i, x, (-t).exp(), x - (-t).exp() * eps)
            before, x, i = low, high, i + 1
            if eta:
                x = x + up * s_noise * noise((-t).exp(), (-s).exp())
            t = s
    return x
