"""Seconds a step of full-size SD 1.5 at 512 × 512 with guidance on a CPU, beside a plain loop of diffusers.

.venv/bin/python benchmarks/sampling.py [steps]

Weights are random, made here; nothing is downloaded. Each row is the best of its steps, taken in turns with
the other of its precision, so that other work on the machine touches both alike. Exit code 1 when a goal is
missed: in neither precision slower than diffusers (within a tenth), and auto five times faster than fp32
where the CPU has matrix units for bf16. It takes 6 GB of memory.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from torch import Tensor

from diffusion.devices import Device, choose_device
from diffusion.families import FAMILIES
from diffusion.modules import unet_class
from diffusion.sampling import Guider, sampler_named
from diffusion.sampling_space import sampling_of
from diffusion.unet_layout import UnetLayout, unet_config
from diffusion.values import Conditioning, LatentFormat, Model, Network
from diffusion.weights import assign, hollow, make_casting

FAMILY: Final = FAMILIES["sd1"]
LAYOUT: Final = UnetLayout(
    channels=(320, 640, 1280, 1280),
    depths=((1, 1), (1, 1), (1, 1), (0, 0)),
    up_depths=((0, 0, 0), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    middle=1,
    context=768,
    in_channels=4,
    out_channels=4,
    adm=None,
    linear=False,
)
CFG: Final = 7.5
TOLERANCE: Final = 1.1
GAIN: Final = 5.0
SHAPE: Final = (1, 4, 64, 64)

Step = Callable[[], None]


def weights() -> dict[str, Tensor]:
    """Random weights of the network, in fp16 as files have them."""
    generator = torch.Generator().manual_seed(0)
    shapes = hollow(_empty).state_dict()
    return {name: (torch.randn(t.shape, generator=generator) * 0.02).half() for name, t in shapes.items()}


def _empty() -> Any:
    return unet_class()(**unet_config(LAYOUT, FAMILY.heads, FAMILY.head_width))


def ours(tensors: dict[str, Tensor], device: Device) -> Step:
    """One step of our sampling, from weights as a file has them."""
    unet = hollow(_empty)
    assign(unet, tensors, "The U-Net")
    levels = sampling_of(FAMILY)
    network = Network(make_casting(unet), FAMILY, LAYOUT, levels, LatentFormat(FAMILY.latent_scale), device)
    text: Conditioning = [[_random(1, 77, 768, seed=1), {}]]
    guider = Guider(Model(network))
    guider.set_conds(text, text)
    guider.set_cfg(CFG)
    sigmas = torch.stack([levels.sigma_max, levels.sigmas[900]])
    return lambda: _discard(
        guider.sample(_random(*SHAPE, seed=2), torch.zeros(SHAPE), sampler_named("euler"), sigmas, seed=0)
    )


def plain(tensors: dict[str, Tensor], dtype: torch.dtype) -> Step:
    """One step of the loop that diffusers' own pipeline runs."""
    unet: Any = hollow(_empty)
    assign(unet, {name: t.to(dtype) for name, t in tensors.items()}, "The U-Net")
    text = torch.cat([_random(1, 77, 768, seed=1)] * 2).to(dtype)

    @torch.no_grad()
    def step() -> None:
        scheduler = EulerDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
        scheduler.set_timesteps(10)
        x = _random(*SHAPE, seed=2).to(dtype) * scheduler.init_noise_sigma
        time = scheduler.timesteps[0]
        shown = scheduler.scale_model_input(torch.cat([x, x]), time)
        without, towards = unet(shown, time, encoder_hidden_states=text, return_dict=False)[0].chunk(2)
        scheduler.step(without + CFG * (towards - without), time, x, return_dict=False)

    return step


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _discard(value: Tensor) -> None:
    if not value.isfinite().all():
        raise SystemExit("the picture has values that are no numbers")


def timed(steps: dict[str, Step], times: int) -> dict[str, float]:
    """The best seconds of each, taken in turns after one that warms up."""
    best = dict.fromkeys(steps, float("inf"))
    for turn in range(times + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def missed(best: dict[str, float], auto: torch.dtype) -> list[str]:
    """The goals that were not met, as sentences."""
    pairs = [("fp32", "diffusers fp32")]
    pairs += [("auto", "diffusers bf16")] if auto == torch.bfloat16 else [("auto", "diffusers fp32")]
    slow = [f"{a} is slower than {b}" for a, b in pairs if best[a] > best[b] * TOLERANCE]
    if torch.cpu._is_amx_tile_supported() and best["fp32"] < GAIN * best["auto"]:
        slow.append(f"auto is not {GAIN:.0f} times faster than fp32")
    return slow


def main(times: int) -> int:
    """Print the table; gives the exit code."""
    tensors, cpu = weights(), torch.device("cpu")
    auto = choose_device("auto").dtype
    best = timed(
        {"auto": ours(tensors, Device(cpu, auto)), "diffusers bf16": plain(tensors, torch.bfloat16)}, times
    )
    # Both take the very same tensors, so that memory holds them once.
    tensors = {name: t.float() for name, t in tensors.items()}
    whole = ours(tensors, Device(cpu, torch.float32))
    best |= timed({"fp32": whole, "diffusers fp32": plain(tensors, torch.float32)}, times)
    print(f"auto is {auto}, {torch.get_num_threads()} threads, best of {times} steps")
    for name, seconds in best.items():
        print(f"{name:<16} {seconds:8.2f} s a step {best['fp32'] / seconds:8.2f} times as fast as fp32")
    problems = missed(best, auto)
    print("\n".join(problems) or "all goals are met")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2))
