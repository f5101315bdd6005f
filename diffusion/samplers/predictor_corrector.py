"""Samplers that predict and then correct: UniPC (Zhao et al. 2023) and SA-Solver (Xue et al. 2023)."""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.samplers.registry import Callback, Extra, NoiseSampler, Run, sampler, sampling_of_model

# UniPC cannot reach 0: it ends at this level instead.
_LAST: Final = 0.001


class _Space:
    """The variance-preserving view of sigma, in fp32 by way of logarithms.

    The roundings near 0 show in results (at 0.001 the noise's share is off by percents), so they are kept.
    """

    @staticmethod
    def _log_signal(sigma: Tensor) -> Tensor:
        return 0.5 * (1 / (sigma**2 + 1)).log()

    @staticmethod
    def signal(sigma: Tensor) -> Tensor:
        return _Space._log_signal(sigma).exp()

    @staticmethod
    def noise(sigma: Tensor) -> Tensor:
        return (1.0 - (2.0 * _Space._log_signal(sigma)).exp()).sqrt()

    @staticmethod
    def time(sigma: Tensor) -> Tensor:
        """Half the logarithm of the signal-to-noise ratio."""
        signal = _Space._log_signal(sigma)
        return signal - 0.5 * (1.0 - (2.0 * signal).exp()).log()


def _unipc(run: Run, x: Tensor, sigmas: Tensor, squared: bool) -> Tensor:
    levels = sigmas.clone()
    if levels[-1] == 0:
        levels[-1] = _LAST
    steps, order = len(levels) - 1, min(3, len(levels) - 2)

    def clean(x: Tensor, level: Tensor) -> Tensor:
        return run.clean(x * (level**2 + 1).sqrt(), level)

    x = x / (levels[0] ** 2 + 1).sqrt()
    known = [(levels[0], clean(x, levels[0]))]
    for i in range(1, steps + 1):
        now = min(i, order) if i < order else min(order, steps + 1 - i)
        used = known[-max(now, 1) :]
        x, found = _unipc_step(clean, x, used, levels[i], now, squared, correct=i < steps)
        if found is not None:
            run.report(i - 1, x, levels[i], found)
            known = [*known, (levels[i], found)][-max(order, 1) :]
    return x / _Space.signal(levels[-1])


def _unipc_step(
    clean: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    known: list[tuple[Tensor, Tensor]],
    level: Tensor,
    order: int,
    squared: bool,
    correct: bool,
) -> tuple[Tensor, Tensor | None]:
    """x at the next level, and the clean image there when the step was corrected."""
    last_level, last = known[-1]
    now = _Space.time(last_level)
    h = _Space.time(level) - now
    ratios = [(_Space.time(sigma) - now) / h for sigma, _ in reversed(known[:-1])][: order - 1]
    slopes = [(image - last) / r for r, (_, image) in zip(ratios, reversed(known[:-1]), strict=False)]
    matrix, right, share = _conditions([*ratios, torch.ones_like(h)], -h, squared)
    base = _Space.noise(level) / _Space.noise(last_level) * x - _Space.signal(level) * (-h).expm1() * last
    scale = _Space.signal(level) * share
    predicted = base - scale * _sum(_predictor_weights(matrix, right), slopes)
    if not correct:
        return predicted, None
    found = clean(predicted, level)
    weights = [torch.tensor(0.5)] if len(right) == 1 else list(torch.linalg.solve(matrix, right))
    return base - scale * _sum(weights, [*slopes, found - last]), found


def _sum(weights: list[Tensor], parts: list[Tensor]) -> Any:
    return sum(w * p for w, p in zip(weights, parts, strict=True))


def _predictor_weights(matrix: Tensor, right: Tensor) -> list[Tensor]:
    if len(right) == 1:
        return []
    if len(right) == 2:
        return [torch.tensor(0.5)]
    return list(torch.linalg.solve(matrix[:-1, :-1], right[:-1]))


def _conditions(ratios: list[Tensor], h: Tensor, squared: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The order conditions: powers of the ratios, their right-hand sides, and the share B(h) they are
    measured in."""
    share = h.expm1() if squared else h
    knots, phi, factorial = torch.stack(ratios), h.expm1() / h - 1, 1.0
    rows, right = [], []
    for i in range(1, len(ratios) + 1):
        rows.append(knots ** (i - 1))
        right.append(phi * factorial / share)
        factorial *= i + 1
        phi = phi / h - 1 / factorial
    return torch.stack(rows), torch.stack(right), share


@sampler("uni_pc")
def sample_unipc(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """UniPC with B(h) = h (Zhao et al. 2023)."""
    return _unipc(Run(model, extra_args or {}, callback), x, sigmas, squared=False)


@sampler("uni_pc_bh2")
def sample_unipc_bh2(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """UniPC with B(h) = exp(h) − 1 (Zhao et al. 2023)."""
    return _unipc(Run(model, extra_args or {}, callback), x, sigmas, squared=True)


def tau_interval(start: float, end: float, eta: float = 1.0) -> Callable[[Any], float]:
    """SA-Solver's amount of noise at a sigma: eta between two levels, else none."""
    return lambda sigma: eta if start >= float(sigma) >= end else 0.0


@sampler("sa_solver")
def sample_sa_solver(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    tau_func: Callable[[Any], float] | None = None,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    predictor_order: int = 3,
    corrector_order: int = 4,
    use_pece: bool = False,
    simple_order_2: bool = False,
) -> Tensor:
    """SA-Solver: stochastic Adams predictor and corrector (Xue et al. 2023); noise in the middle of the way
    only."""
    if len(sigmas) <= 1:
        return x
    run = Run(model, extra_args or {}, callback)
    noise, tau_of = run.noise(x, noise_sampler), tau_func or _default_tau(model)
    times, to_zero = (-sigmas.double().log()), float(sigmas[-1]) == 0.0
    ahead, gathered, tau, h = x, torch.zeros_like(x), 0.0, torch.zeros(())
    images: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        images = [*images, run.step(i, ahead, sigmas[i])][-max(predictor_order, corrector_order) :]
        last = float(sigmas[i + 1]) == 0.0
        predict, correct = min(predictor_order, len(images)), min(corrector_order, len(images))
        if to_zero:
            predict, correct = min(predict, len(sigmas) - 2 - i), min(correct, len(sigmas) - 1 - i)
        if i == 0 or (last and not use_pece):
            x = ahead
        else:
            drift = _adams(images, times, i - 1, i, correct, tau, simple_order_2, corrects=True)
            x = sigmas[i] / sigmas[i - 1] * (-(tau**2) * h).exp() * x + drift + gathered
            if use_pece:
                images[-1] = run.clean(x, sigmas[i])
        if last:
            ahead = images[-1]
            continue
        tau = tau_of(sigmas[i + 1])
        h = (times[i + 1] - times[i]).to(x)
        drift = _adams(images, times, i, i + 1, predict, tau, simple_order_2, corrects=False)
        ahead = sigmas[i + 1] / sigmas[i] * (-(tau**2) * h).exp() * x + drift
        gathered = torch.zeros_like(x)
        if tau > 0 and s_noise > 0:
            spread = sigmas[i + 1] * (-(-2 * tau**2 * h).expm1()).sqrt()
            gathered = noise(sigmas[i], sigmas[i + 1]) * spread * s_noise
        ahead = ahead + gathered
    return ahead


def _default_tau(model: Any) -> Callable[[Any], float]:
    space = sampling_of_model(model)
    return tau_interval(space.percent_to_sigma(0.2), space.percent_to_sigma(0.8))


def _adams(
    images: list[Tensor],
    times: Tensor,
    begin: int,
    end: int,
    order: int,
    tau: float,
    simple: bool,
    corrects: bool,
) -> Any:
    """What the latest clean images add up to over a step, interpolated by a polynomial in time."""
    newest = end if corrects else begin
    knots, a, b = times[newest - order + 1 : newest + 1], times[begin], times[end]
    if simple and order == 2:
        weights = _simple_weights(knots, a, b, tau, corrects)
    else:
        moments = _moments(a, b, order, 1 + tau**2)
        weights = torch.linalg.solve(torch.vander(knots - b, order, increasing=True).T, moments)
    return sum(w * image for w, image in zip(weights.tolist(), images[-order:], strict=True))


def _moments(a: Tensor, b: Tensor, order: int, rate: float) -> Tensor:
    """rate · ∫ from a to b of exp(rate (t − b)) (t − b)^p dt for p = 0, 1, ..., by parts."""
    h, found = b - a, []
    for p in range(order):
        ends = (1.0 if p == 0 else 0.0) - (-h) ** p * (-rate * h).exp()
        found.append(ends - (p / rate) * found[-1] if p else ends)
    return torch.stack(found)


def _simple_weights(knots: Tensor, a: Tensor, b: Tensor, tau: float, corrects: bool) -> Tensor:
    """The paper's second-order weights, whose image outside the step has only a first-order share."""
    rate, h = 1 + tau**2, b - a
    whole = -(-rate * h).expm1()
    old = a if corrects else knots[0]
    share = 0.5 * rate * h if corrects else 0.5 * rate * h**2 / (a - old)
    return torch.stack([whole - share, share]) if corrects else torch.stack([-share, whole + share])


@sampler("sa_solver_pece")
def sample_sa_solver_pece(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    **options: Any,
) -> Tensor:
    """SA-Solver that asks the network again after each correction."""
    return sample_sa_solver(model, x, sigmas, extra_args, callback, disable, use_pece=True, **options)
