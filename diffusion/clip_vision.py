"""CLIP's picture encoders (Radford et al. 2021): ViT-L, -H and -bigG in both published key layouts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.devices import Device, choose_device
from diffusion.errors import DiffusionError
from diffusion.headers import read_header
from diffusion.loading import open_tensors
from diffusion.modules import vision_classes
from diffusion.probe import strip
from diffusion.text_layout import rename_text
from diffusion.weights import assign, hollow

Tensors = Mapping[str, Tensor]

UNCLIP: Final = "embedder.model."
"""Where unCLIP checkpoints keep their picture encoder."""
_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
_SPREAD: Final = (0.26862954, 0.26130258, 0.27577711)
_HEADS: Final = 16
_WIDTH_L: Final = 1024
_OPEN_CLIP: Final = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}
_PROJECTION: Final = "visual_projection.weight"


@dataclass(frozen=True)
class ClipVisionOutput:
    """CLIP_VISION_OUTPUT: what the encoder makes of B pictures of N patches.

    image_embeds: (B, P), in the space that CLIP shares with text. last_hidden_state and
    penultimate_hidden_states: (B, N + 1, W), after the last layer and before it.
    """

    image_embeds: Tensor
    last_hidden_state: Tensor
    penultimate_hidden_states: Tensor

    def __getitem__(self, name: str) -> Tensor:
        return getattr(self, name)


@dataclass(frozen=True)
class ClipVision:
    """CLIP_VISION: transformers' picture encoder and the size in pixels that it sees."""

    model: nn.Module
    size: int
    compute: Device
    path: Path | None = None

    @torch.no_grad()
    def encode_image(self, image: Tensor, crop: bool = True) -> ClipVisionOutput:
        """What the encoder makes of pictures (B, H, W, 3) in 0..1; without crop they are squeezed square."""
        module: Any = nn.Module.to(self.model, self.compute.device, self.compute.text_dtype)
        pixels = seen(image, self.size, crop).to(self.compute.device, self.compute.text_dtype)
        found = module(pixels, output_hidden_states=True)
        parts = (found.image_embeds, found.last_hidden_state, found.hidden_states[-2])
        return ClipVisionOutput(*(part.float().cpu() for part in parts))


def seen(image: Tensor, size: int, crop: bool = True) -> Tensor:
    """Pictures (B, H, W, 3) as the encoder sees them: (B, 3, size, size), in bytes' steps, normalised.

    crop: the middle square of the picture is taken; else it is squeezed.
    """
    pixels = image[..., :3].movedim(-1, 1).float()
    height, width = pixels.shape[-2:]
    if (height, width) != (size, size):
        scale = size / min(height, width)
        wanted = (round(scale * height), round(scale * width)) if crop else (size, size)
        pixels = F.interpolate(pixels, size=wanted, mode="bicubic", antialias=True)
        top, left = (pixels.shape[2] - size) // 2, (pixels.shape[3] - size) // 2
        pixels = pixels[:, :, top : top + size, left : left + size]
    pixels = (255.0 * pixels).clamp(0, 255).round() / 255.0
    mean, spread = (torch.tensor(values)[:, None, None] for values in (_MEAN, _SPREAD))
    return (pixels - mean) / spread


def load_clip_vision(path: Path | str, *, device: Device | None = None) -> ClipVision:
    """The picture encoder in a single file, alone, in a whole CLIP or in an unCLIP checkpoint.

    Raises:
        DiffusionError: when the file holds none, or one that is not complete.
    """
    path = Path(path)
    read_header(path)
    tensors = open_tensors(path)
    found = _named(strip(tensors, UNCLIP) or tensors)
    if _PROJECTION not in found:
        raise DiffusionError(
            f"{path.name} holds no CLIP vision model with a projection: nothing under 'vision_model.' or "
            "'visual.'. Choose a file of models/clip_vision."
        )
    try:
        config, size = _config({name: tuple(t.shape) for name, t in found.items()})
    except (KeyError, StopIteration) as error:
        raise DiffusionError(
            f"the CLIP vision model in {path.name} is not complete. Download it again."
        ) from error
    configured, model = vision_classes()
    module = hollow(lambda: model(configured(**config)))
    for name, buffer in module.named_buffers():
        # Positions are counted, not learned, and no file has them.
        owner, _, leaf = name.rpartition(".")
        module.get_submodule(owner).register_buffer(
            leaf, torch.arange(buffer.shape[-1])[None], persistent=False
        )
    assign(module, found, f"The CLIP vision model in {path.name}")
    return ClipVision(module, size, device or choose_device(), path)


def _named(tensors: Tensors) -> dict[str, Tensor]:
    """The encoder's tensors by transformers' names, from either layout."""
    if not any(name.startswith("visual.") for name in tensors):
        starts = ("vision_model.", "visual_projection.")
        return {n: t for n, t in tensors.items() if n.startswith(starts) and not n.endswith("position_ids")}
    plain = strip(tensors, "visual.")
    found: dict[str, Tensor] = {}
    if (projection := plain.pop("proj", None)) is not None:
        found[_PROJECTION] = projection.t()
    for name, tensor in plain.items():
        if name in _OPEN_CLIP:
            found[f"vision_model.{_OPEN_CLIP[name]}"] = tensor
            continue
        [names] = rename_text({name: tuple(tensor.shape)}, "open_clip").values()
        parts = zip(names, tensor.chunk(len(names)), strict=True)
        found |= {f"vision_model.{new}": part for new, part in parts}
    return found


def _config(shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Any], int]:
    """The arguments of transformers' CLIPVisionConfig, and the size of the picture in pixels."""
    root = "vision_model.encoder.layers."
    width, _, patch, _ = shapes["vision_model.embeddings.patch_embedding.weight"]
    places = shapes["vision_model.embeddings.position_embedding.weight"][0]
    layers = next(n for n in range(len(shapes)) if f"{root}{n}.layer_norm1.weight" not in shapes)
    size = math.isqrt(places - 1) * patch
    config = {
        "hidden_size": width,
        "intermediate_size": shapes[f"{root}0.mlp.fc1.weight"][0],
        "num_hidden_layers": layers,
        "num_attention_heads": _HEADS if width >= _WIDTH_L else max(1, width // 64),
        "image_size": size,
        "patch_size": patch,
        "projection_dim": shapes[_PROJECTION][0],
        # OpenAI's networks were trained with a cheaper function than OpenCLIP's.
        "hidden_act": "quick_gelu" if width <= _WIDTH_L else "gelu",
    }
    return config, size
