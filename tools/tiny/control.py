"""A ControlNet for the tiny model that follows edges, white lines on black: fourteen minutes on one core.

Half of what it sees has its shapes anywhere, and captions that never say where: only the edges tell.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from torch import Tensor

from diffusion.edges import canny
from tools.scenes import PICTURE, Item, Scene, draw_scene, render
from tools.tiny.export import SD1, swap_prefix, under, unet_table, write
from tools.tiny.lessons import chosen, noised, spread_steps, weighted_error
from tools.tiny.networks import Control, TextEncoder, Unet, new_control
from tools.tiny.run import Run, learn
from tools.tiny.shipped import copy_shared
from tools.tiny.text import WIDTH, rows_of, training_rows
from tools.tiny.unet import WIDTHS
from tools.tiny.views import ViewPool, encode_pictures

BATCH: Final = 24
PEAK: Final = 8e-4
FREE_START: Final = 480
FREE_MOST: Final = 2400
_HINT_WIDTHS: Final = (16, 32, 32, 64)
_EMPTY: Final = 0.1
_MARGIN: Final = 8.0
_THRESHOLDS: Final = ((0.08, 0.2), (0.08, 0.2), (0.4, 0.8))


def build_control() -> Control:
    """An untrained ControlNet of SD1's kind for the tiny U-Net."""
    return new_control(
        conditioning_channels=3,
        conditioning_embedding_out_channels=_HINT_WIDTHS,
        in_channels=4,
        block_out_channels=WIDTHS,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
    )


def free_scene(random: Random) -> Scene:
    """A scene whose shapes stand anywhere, apart from each other and from the picture's edge."""
    while True:
        scene = draw_scene(random)
        items = tuple(_moved(item, random) for item in scene.items)
        if len(items) == 1 or _apart(*items):
            return replace(scene, items=items)


def _moved(item: Item, random: Random) -> Item:
    least = item.radius + 3
    x, y = (random.uniform(least, PICTURE - least) for _ in range(2))
    return replace(item, x=x, y=y)


def _apart(one: Item, other: Item) -> bool:
    return float(np.hypot(one.x - other.x, one.y - other.y)) > one.radius + other.radius + _MARGIN


def placeless_caption(scene: Scene, random: Random) -> str:
    """What a scene shows without a word of where."""
    items = random.sample(scene.items, len(scene.items))
    said = " and ".join(f"a {_size(item)}{item.colour} {item.shape}" for item in items)
    return f"{said} on a {scene.background} background"


def _size(item: Item) -> str:
    return "" if item.size == "medium" else f"{item.size} "


def edges(scene: Scene, random: Random) -> Tensor:
    """What the Canny node makes of a scene's picture at low or usual thresholds: (128, 128) of 0 and 1."""
    picture = torch.from_numpy(render(scene)).float()[None] / 255
    return canny(picture, *random.choice(_THRESHOLDS))[0, :, :, 0]


def hints_of(lines: list[Tensor], random: Random) -> Tensor:
    """Edges as the network takes them (B, 3, 128, 128), some of them with gaps or a pixel off."""
    moved = [line.roll((random.randrange(-1, 2), random.randrange(-1, 2)), (0, 1)) for line in lines]
    gaps = [torch.rand_like(line) > (0.15 if random.random() < 0.3 else 0.0) for line in moved]
    stacked = torch.stack([line * kept for line, kept in zip(moved, gaps, strict=True)])
    return stacked[:, None].expand(-1, 3, -1, -1)


@dataclass(frozen=True, slots=True)
class FreePool:
    """Free scenes, their latents and edges."""

    scenes: list[Scene]
    latents: list[Tensor]
    lines: list[Tensor]

    def grow(self, pool: ViewPool, random: Random, most: int, count: int) -> None:
        """Adds newly drawn scenes, up to so many, as the pool's autoencoder sees them."""
        if len(self.scenes) < most:
            scenes = [free_scene(random) for _ in range(count)]
            self.latents.extend(encode_pictures(pool.vae, [render(scene) for scene in scenes]))
            self.lines.extend(edges(scene, random) for scene in scenes)
            self.scenes.extend(scenes)


def train_control(run: Run, unet: Unet, text: TextEncoder, pool: ViewPool) -> Control:
    """The moving average of the ControlNet; training goes on where it stopped."""
    control = build_control()
    left = copy_shared(control, unet.state_dict())
    assert all(name.startswith("controlnet_") for name in left), left
    average = deepcopy(control).requires_grad_(False).eval()
    random, free = Random(), FreePool([], [], [])
    plain = [i for i, view in enumerate(pool.views) if view.plain]
    lines = {i: edges(pool.views[i].scene, random) for i in plain}
    while len(free.scenes) < FREE_START:
        free.grow(pool, random, FREE_START, 16)
    run.log("control", plain=len(plain), free=len(free.scenes))

    def loss_of(_: float) -> Tensor:
        free.grow(pool, random, FREE_MOST, 1)
        ours = [random.choice(plain) for _ in range(BATCH // 2)]
        others = [random.randrange(len(free.scenes)) for _ in range(BATCH // 2)]
        clean = torch.cat([chosen(pool.latents, ours), chosen(free.latents, others)])
        hints = hints_of([lines[i] for i in ours] + [free.lines[i] for i in others], random)
        rows = [training_rows(pool.views[i].scene, random) for i in ours]
        rows += [_placeless_rows(free.scenes[i], random) for i in others]
        with torch.no_grad():
            hidden = text(input_ids=torch.tensor(rows)).last_hidden_state
        steps = spread_steps(BATCH)
        noisy, noise = noised(clean, steps)
        down, middle = control(noisy, steps, hidden, hints, return_dict=False)
        added = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
        return weighted_error(unet(noisy, steps, hidden, **added).sample, noise, steps)

    learn(run, "control", control, loss_of, PEAK, average)
    return average


def _placeless_rows(scene: Scene, random: Random) -> list[int]:
    return rows_of("" if random.random() < _EMPTY else placeless_caption(scene, random))


def export_control(path: Path, control: Control) -> None:
    """Writes a ControlNet in fp16 and the published key layout."""
    table = unet_table(SD1) | {"controlnet_mid_block": "middle_block_out.0"}
    table |= {
        f"controlnet_down_blocks.{n}": f"zero_convs.{n}.0" for n in range(len(control.controlnet_down_blocks))
    }
    hint = "controlnet_cond_embedding."
    table |= {f"{hint}conv_in": "input_hint_block.0", f"{hint}conv_out": "input_hint_block.14"}
    table |= {f"{hint}blocks.{n}": f"input_hint_block.{2 * n + 2}" for n in range(6)}
    write(path, under("control_model.", {swap_prefix(n, table): v for n, v in control.state_dict().items()}))
