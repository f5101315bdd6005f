"""A 2× upscaler for scenes: SRVGGNetCompact, the plain network that came with Real-ESRGAN (Wang et al. 2021).

Convolutions at the small picture's size, with a learned slope a channel between them; the last gives four
values a colour, which are put side by side and added to the picture enlarged by its nearest pixels. It took
six minutes on one core.
"""

from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from tools.scenes import PICTURE, draw_scene, render
from tools.tiny.export import write
from tools.tiny.run import Run, learn

SCALE: Final = 2
FEATURES: Final = 24
LAYERS: Final = 8
BATCH: Final = 8
CROP: Final = 64
PEAK: Final = 2e-3
_WAYS: Final = (Image.Resampling.BOX, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


class Upscaler(nn.Module):
    """The network; its weights bear their published names: body.0, body.1, …"""

    def __init__(self) -> None:
        super().__init__()
        inner = [_convolution(FEATURES, FEATURES) for _ in range(LAYERS)]
        layers: list[nn.Module] = [_convolution(3, FEATURES), nn.PReLU(FEATURES)]
        for layer in inner:
            layers += [layer, nn.PReLU(FEATURES)]
        self.body = nn.ModuleList([*layers, _convolution(FEATURES, 3 * SCALE * SCALE)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in 0..1 at twice the height and width."""
        h = x
        for layer in self.body:
            h = layer(h)
        return F.pixel_shuffle(h, SCALE) + F.interpolate(x, scale_factor=SCALE, mode="nearest")


def _convolution(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)


def pair(random: Random) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a scene, and the same at half the size: (64, 64, 3) and (32, 32, 3) uint8."""
    scene = draw_scene(random)
    item = random.choice(scene.items)
    x, y = (round(at - CROP / 2 + random.uniform(-20, 20)) for at in (item.x, item.y))
    x, y = (min(max(at, 0), PICTURE - CROP) // SCALE * SCALE for at in (x, y))
    large = render(scene)[y : y + CROP, x : x + CROP]
    return large, halved(large, random.choice(_WAYS))


def halved(picture: np.ndarray, way: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    """A square picture at half its size."""
    edge = picture.shape[0] // SCALE
    return np.asarray(Image.fromarray(picture).resize((edge, edge), way))


def train_upscaler(run: Run) -> Upscaler:
    """The moving average of the upscaler; training goes on where it stopped."""
    network, random = Upscaler(), Random()
    average = deepcopy(network).requires_grad_(False).eval()

    def loss_of(_: float) -> Tensor:
        large, small = zip(*(pair(random) for _ in range(BATCH)), strict=True)
        error = network(_unit(small)) - _unit(large)
        return error.abs().mean() + 4 * error.square().mean()

    learn(run, "upscaler", network, loss_of, PEAK, average)
    return average


def _unit(pictures: tuple[np.ndarray, ...]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def export_upscaler(path: Path, network: Upscaler) -> None:
    """Writes an upscaler in fp16."""
    write(path, network.state_dict())
