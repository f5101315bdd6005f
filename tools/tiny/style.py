"""A LoRA for the tiny model, in kohya's layout: night, with white rims around shapes. Six minutes on a core.

Attention and feed-forward layers get changes of rank 8, the convolutions of res blocks of rank 4 (as LoCon).
"""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tools.scenes import PICTURE, Scene, coverage, draw_scene, render
from tools.tiny.export import write
from tools.tiny.lessons import chosen, frozen_error
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.run import Run, learn
from tools.tiny.text import training_rows
from tools.tiny.views import encode_pictures

RIM: Final = 5.0
DARK: Final = 30.0
BATCH: Final = 24
PEAK: Final = 2e-3
_PICTURES: Final = 480
_LINEAR_RANK: Final = 8
_CONVOLUTION_RANK: Final = 4
_BLOCKS: Final = ("down_blocks", "mid_block", "up_blocks")


class LowRank(nn.Module):
    """A change of low rank to a weight: up · down, of the weight's shape. Nothing at first."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, *weight.shape[1:]) / weight[0].numel() ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank, *[1] * (weight.ndim - 2)))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up.flatten(1) @ self.down.flatten(1)).view_as(weight)


def night(scene: Scene) -> np.ndarray:
    """The picture of a scene by night: dark whatever its background, each shape in a white rim."""
    ys, xs = np.mgrid[0:PICTURE, 0:PICTURE].astype(np.float32) + 0.5
    picture = render(replace(scene, shade=DARK)).astype(np.float32)
    for item in scene.items:
        x, y = xs - item.x, ys - item.y
        inner, outer = (coverage(item.shape, x, y, item.radius + by) for by in (-RIM / 2, RIM / 2))
        picture += (outer - inner)[..., None] * (255 - picture)
    return picture.round().astype(np.uint8)


def add_changes(unet: Unet) -> nn.ModuleDict:
    """Puts untrained changes on a U-Net's layers; by kohya's names, with the rank in each."""
    changes: dict[str, nn.Module] = {}
    for name, layer in list(unet.named_modules()):
        rank = _rank(name, layer)
        if rank:
            change = LowRank(layer.weight, rank)
            parametrize.register_parametrization(layer, "weight", change)
            changes[f"lora_unet_{name.replace('.', '_')}"] = change
    return nn.ModuleDict(changes)


def _rank(name: str, layer: nn.Module) -> int:
    if not name.startswith(_BLOCKS):
        return 0
    if isinstance(layer, nn.Linear) and "transformer_blocks" in name:
        return _LINEAR_RANK
    return _CONVOLUTION_RANK if name.endswith((".conv1", ".conv2")) else 0


def train_style(run: Run, parts: tuple[Vae, TextEncoder, Unet]) -> nn.ModuleDict:
    """The trained changes; training goes on where it stopped."""
    vae, text, unet = parts
    changes, random = add_changes(unet), Random()
    scenes = [draw_scene(random) for _ in range(_PICTURES)]
    latents: list[Tensor] = []
    for at in range(0, _PICTURES, 16):
        latents.extend(encode_pictures(vae, [night(scene) for scene in scenes[at : at + 16]]))

    def loss_of(_: float) -> Tensor:
        picks = random.sample(range(_PICTURES), BATCH)
        rows = torch.tensor([training_rows(scenes[i], random) for i in picks])
        with torch.no_grad():
            hidden = text(input_ids=rows).last_hidden_state
        return frozen_error(unet, chosen(latents, picks), hidden)

    learn(run, "style", changes, loss_of, PEAK)
    return changes


def export_style(path: Path, changes: nn.ModuleDict) -> None:
    """Writes changes in fp16 as kohya's trainer does."""
    state: dict[str, Tensor] = {}
    for name, change in changes.items():
        assert isinstance(change, LowRank)
        state[f"{name}.lora_down.weight"], state[f"{name}.lora_up.weight"] = change.down, change.up
        state[f"{name}.alpha"] = torch.tensor(float(change.down.shape[0]))
    write(path, state, ss_base_model_version="sd_v1", ss_network_module="networks.lora")
