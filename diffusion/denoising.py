"""One call of a network: a noisy latent with what conditions it in, the clean image out.

Each step is a method of Network, so that a patch may put its own in the place of one.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from diffusion.unet import run_unet
from diffusion.values import Network
from diffusion.wrappers import wrapped

Options = dict[str, Any]


def clean_image(
    network: Network,
    x: Tensor,
    sigma: Tensor,
    c_concat: Tensor | None = None,
    c_crossattn: Tensor | None = None,
    control: Any = None,
    transformer_options: Options | None = None,
    **more: Any,
) -> Tensor:
    """The network's clean image for x (B, C, H, W) at sigma (B,); conditions have the field's names."""
    sampling, device, dtype = network.model_sampling, network.compute.device, network.compute.dtype
    scaled = sampling.calculate_input(sigma, x)
    if c_concat is not None:
        scaled = torch.cat([scaled, c_concat.to(scaled)], dim=1)
    moved = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in more.items()}
    output = network.output(
        scaled.to(device, dtype),
        sampling.timestep(sigma).float().to(device),
        None if c_crossattn is None else c_crossattn.to(device, dtype),
        control=control,
        transformer_options={} if transformer_options is None else transformer_options,
        **moved,
    )
    return sampling.calculate_denoised(sigma, output.to(x.device, torch.float32), x)


def unet_output(
    network: Network,
    x: Tensor,
    timesteps: Tensor,
    context: Tensor,
    control: Any = None,
    transformer_options: Options | None = None,
    y: Tensor | None = None,
    **_: Any,
) -> Tensor:
    """What the U-Net puts out for a scaled latent, through the functions that patches put around it."""
    unet, options = network.diffusion_model, transformer_options or {}
    run = wrapped(partial(run_unet, unet), "diffusion_model", options, unet)
    return run(x, timesteps, context, y, control, options)
