"""The libraries' networks as training sees them. Their own annotations do not fit what they take and give."""

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

Vae = Any
Unet = Any
TextEncoder = Any
Control = Any


def new_vae(**config: Any) -> Vae:
    """An untrained AutoencoderKL."""
    return AutoencoderKL(**config)


def new_unet(**config: Any) -> Unet:
    """An untrained UNet2DConditionModel."""
    return UNet2DConditionModel(**config)


def new_control(**config: Any) -> Control:
    """An untrained ControlNetModel."""
    return ControlNetModel(**config)


def new_text_encoder(**config: Any) -> TextEncoder:
    """An untrained CLIPTextModel."""
    return CLIPTextModel(CLIPTextConfig(**config))
