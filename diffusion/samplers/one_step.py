"""Samplers whose step looks at the present only: Euler, Heun, DPM-2, and their ancestral and CFG++ kin."""

from typing import Any

from torch import Tensor

from diffusion.samplers.registry import (
    Callback,
    Extra,
    GuidedRun,
    NoiseSampler,
    Run,
    ancestral_step,
    middle,
    sampler,
    sampling_of_model,
    to_d,
)


@sampler("euler", "ddim")
def sample_euler(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Euler's method (Karras et al. 2022, algorithm 2 without churn); in sigma it is also DDIM with eta 0."""
    run = Run(model, extra_args or {}, callback)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        x = x + to_d(x, sigmas[i], denoised) * (sigmas[i + 1] - sigmas[i])
    return x


@sampler("euler_ancestral")
def sample_euler_ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """Euler's method that steps too far down and adds fresh noise."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if down == 0:
            x = denoised
        else:
            x = x + to_d(x, sigmas[i], denoised) * (down - sigmas[i])
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("euler_ancestral_cfg_pp")
def sample_euler_ancestral_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """Euler ancestral whose noise direction is the unconditional one (CFG++)."""
    run = GuidedRun(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        x = denoised + to_d(x, sigmas[i], run.uncond) * down
        if sigmas[i + 1] > 0 and eta > 0 and s_noise > 0:
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("euler_cfg_pp")
def sample_euler_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Euler's method whose noise direction is the unconditional one (CFG++)."""
    return sample_euler_ancestral_cfg_pp(
        model, x, sigmas, extra_args, callback, disable, eta=0.0, s_noise=0.0
    )


@sampler("heun")
def sample_heun(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Heun's method: the mean of the slopes at both ends (Karras et al. 2022)."""
    run = Run(model, extra_args or {}, callback)
    for i in range(len(sigmas) - 1):
        d = to_d(x, sigmas[i], run.step(i, x, sigmas[i]))
        dt = sigmas[i + 1] - sigmas[i]
        if sigmas[i + 1] != 0:
            ahead = x + d * dt
            d = (d + to_d(ahead, sigmas[i + 1], run.clean(ahead, sigmas[i + 1]))) / 2
        x = x + d * dt
    return x


@sampler("heunpp2")
def sample_heunpp2(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Heun's method that looks up to two levels ahead, weighing slopes by their level."""
    run = Run(model, extra_args or {}, callback)
    for i in range(len(sigmas) - 1):
        slopes = [to_d(x, sigmas[i], run.step(i, x, sigmas[i]))]
        ahead = x
        for j in range(i + 1, min(i + 3, len(sigmas))):
            if sigmas[j] == sigmas[-1]:
                break
            ahead = ahead + slopes[-1] * (sigmas[j] - sigmas[j - 1])
            slopes.append(to_d(ahead, sigmas[j], run.clean(ahead, sigmas[j])))
        weights = [sigmas[i + n] / (len(slopes) * sigmas[0]) for n in range(1, len(slopes))]
        d = slopes[0] * (1 - sum(weights)) + sum(w * s for w, s in zip(weights, slopes[1:], strict=True))
        x = x + d * (sigmas[i + 1] - sigmas[i])
    return x


@sampler("dpm_2_ancestral")
def sample_dpm_2_ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """DPM-2 that steps too far down and adds fresh noise."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler) if eta else None
    for i in range(len(sigmas) - 1):
        d = to_d(x, sigmas[i], run.step(i, x, sigmas[i]))
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if down != 0:
            half = middle(sigmas[i], down)
            ahead = x + d * (half - sigmas[i])
            d = to_d(ahead, half, run.clean(ahead, half))
        x = x + d * (down - sigmas[i])
        if down != 0 and noise is not None:
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("dpm_2")
def sample_dpm_2(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """DPM-Solver-2: the slope half-way, in the logarithm of sigma (Karras et al. 2022)."""
    return sample_dpm_2_ancestral(model, x, sigmas, extra_args, callback, disable, eta=0.0)


@sampler("dpmpp_2s_ancestral")
def sample_dpmpp_2s_ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """DPM-Solver++(2S) (Lu et al. 2022) that steps too far down and adds fresh noise."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if down == 0:
            x = denoised
        else:
            half = middle(sigmas[i], down)
            ahead = (half / sigmas[i]) * x + (1 - half / sigmas[i]) * denoised
            x = (down / sigmas[i]) * x + (1 - down / sigmas[i]) * run.clean(ahead, half)
        if sigmas[i + 1] > 0:
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("dpmpp_2s_ancestral_cfg_pp")
def sample_dpmpp_2s_ancestral_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """DPM-Solver++(2S) ancestral whose noise direction is the unconditional one (CFG++)."""
    run = GuidedRun(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if down == 0:
            x = denoised
        else:
            half = middle(sigmas[i], down)
            ahead = (half / sigmas[i]) * (x + denoised - run.uncond) + (1 - half / sigmas[i]) * denoised
            second = run.clean(ahead, half)
            # run.uncond is the second call's by now.
            moved = x + denoised - run.uncond
            x = (down / sigmas[i]) * moved + (1 - down / sigmas[i]) * second
        if sigmas[i + 1] > 0:
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("ddpm")
def sample_ddpm(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """The ancestral sampling of Ho et al. 2020, in the variance-preserving scale."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        eps = to_d(x, sigmas[i], run.step(i, x, sigmas[i]))
        kept, kept_next = (1 / (sigma**2 + 1) for sigma in (sigmas[i], sigmas[i + 1]))
        alpha = kept / kept_next
        x = (x / (1 + sigmas[i] ** 2).sqrt() - (1 - alpha) * eps / (1 - kept).sqrt()) / alpha.sqrt()
        if sigmas[i + 1] > 0:
            spread = ((1 - alpha) * (1 - kept_next) / (1 - kept)).sqrt()
            x = (x + spread * noise(sigmas[i], sigmas[i + 1])) * (1 + sigmas[i + 1] ** 2).sqrt()
    return x


@sampler("lcm")
def sample_lcm(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """Latent consistency sampling (Luo et al. 2023): each clean image is noised afresh."""
    run = Run(model, extra_args or {}, callback)
    noise, space = run.noise(x, noise_sampler), sampling_of_model(model)
    for i in range(len(sigmas) - 1):
        x = run.step(i, x, sigmas[i])
        if sigmas[i + 1] > 0:
            x = space.noise_scaling(sigmas[i + 1 : i + 2], noise(sigmas[i], sigmas[i + 1]), x)
    return x
