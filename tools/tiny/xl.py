"""SDXL's layout in small: the base, which starts from the tiny U-Net, and what base and refiner share.

The base took 28 minutes on one core. It learns from views: what original size and crop mean.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Final

import torch
from torch import Tensor

from diffusion.families import FAMILIES
from diffusion.unet_layout import UnetLayout, unet_config
from tools.tiny.lessons import chosen, noised, spread_steps
from tools.tiny.networks import Unet, new_unet
from tools.tiny.run import Run, learn
from tools.tiny.shipped import copy_shared
from tools.tiny.text import training_rows
from tools.tiny.towers import CONTEXT, G_WIDTH, Pupils, Towers
from tools.tiny.unet import STEPS, WIDTHS, signal_shares, step_weights
from tools.tiny.views import View, ViewPool

SIZE_WAVES: Final = 256
BATCH: Final = 32
PEAK: Final = 7e-4
SCALE: Final = FAMILIES["sdxl"].latent_scale
BASE: Final = UnetLayout(
    channels=WIDTHS,
    depths=((0,), (1,), (0,)),
    up_depths=((0, 0), (1, 1), (0, 0)),
    middle=1,
    context=CONTEXT,
    in_channels=4,
    out_channels=4,
    adm=G_WIDTH + 6 * SIZE_WAVES,
    linear=True,
)


def build_xl(layout: UnetLayout) -> Unet:
    """An untrained U-Net as the loader builds it; sizes and the pooled text count for nothing at first."""
    unet = new_unet(**unet_config(layout, None, FAMILIES["sdxl"].head_width))
    with torch.no_grad():
        unet.add_embedding.linear_2.weight.zero_()
        unet.add_embedding.linear_2.bias.zero_()
    return unet


def start_base(tiny: Unet, pupils: Pupils) -> Unet:
    """The base before its training: the tiny U-Net, reading the two encoders through the map to its own."""
    unet, state = build_xl(BASE), dict(tiny.state_dict())
    weight, bias = pupils.map.weight, pupils.map.bias
    for name, value in list(state.items()):
        if ".attn2.to_k." in name or ".attn2.to_v." in name:
            state[name] = value @ weight
        if ".attn2.to_v." in name:
            out = name.replace("to_v.weight", "to_out.0")
            state[f"{out}.bias"] = state[f"{out}.bias"] + state[f"{out}.weight"] @ (value @ bias)
    left = copy_shared(unet, state)
    assert all(name.startswith("add_embedding") for name in left), left
    return unet


Sizes = Callable[[View, Random], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a U-Net of SDXL's kind is trained on. highest: the first noise step that it never sees."""

    towers: Towers
    sizes: Sizes
    refines: bool = False
    highest: int = STEPS
    random: Random = field(default_factory=Random)

    def text(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states and pooled vector of the encoders that this U-Net reads."""
        with torch.no_grad():
            return self.towers.read_g(rows) if self.refines else self.towers(rows)


def base_sizes(view: View, random: Random) -> tuple[float, ...]:
    """What the base is told of a view; a sharp picture may come from an original of any size."""
    return tuple(float(size) for size in view.sizes())


def lesson_loss(unet: Unet, lessons: Lessons, pool: ViewPool, weights: Tensor) -> Tensor:
    """The weighted noise error of one batch, with steps spread evenly over those that are learned."""
    random = lessons.random
    picks = [random.randrange(len(pool.views)) for _ in range(BATCH)]
    views = [pool.views[i] for i in picks]
    hidden, pooled = lessons.text(torch.tensor([training_rows(view.scene, random) for view in views]))
    told = torch.tensor([lessons.sizes(view, random) for view in views])
    steps = spread_steps(BATCH, lessons.highest)
    noisy, noise = noised(chosen(pool.latents, picks), steps)
    said = unet(noisy, steps, hidden, added_cond_kwargs={"text_embeds": pooled, "time_ids": told}).sample
    return (weights[steps] * (said - noise).square().mean(dim=(1, 2, 3))).mean()


def train_base(run: Run, tiny: Unet, pupils: Pupils, pool: ViewPool) -> Unet:
    """The moving average of the base; training goes on where it stopped."""
    unet = start_base(tiny, pupils)
    average = deepcopy(unet).requires_grad_(False).eval()
    lessons, weights = Lessons(pupils.towers, base_sizes), step_weights(signal_shares())

    def loss_of(_: float) -> Tensor:
        pool.grow(lessons.random)
        return lesson_loss(unet, lessons, pool, weights)

    learn(run, "xl", unet.requires_grad_(True), loss_of, PEAK, average)
    pool.save(run)
    return average
