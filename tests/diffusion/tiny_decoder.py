"""A tiny decoder of latents like TAESD's, with random values and few channels."""

from typing import Any

import torch


def tiny() -> Any:
    """Diffusers' module: 4 channels of latents to 3 colours, eight times the size."""
    from diffusers.models.autoencoders.vae import DecoderTiny

    torch.manual_seed(0)
    return DecoderTiny(4, 3, (3, 3, 3, 1), (8, 8, 8, 8), 2, "relu", "nearest")
