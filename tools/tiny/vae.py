"""First stage: the autoencoder learns to rebuild scenes; its latents are scaled to the published factor."""

from random import Random
from typing import Final

import numpy as np
import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor

from tools.scenes import PICTURE, Scene, draw_scene, render
from tools.tiny.networks import Vae, new_vae
from tools.tiny.run import Clock, Run, optimise, rate

SCALE: Final = 0.18215
# 64 throughout: the published layout normalises in 32 groups, and groups of one channel lose flat colours.
LEVELS: Final = (64, 64, 64, 64)
_TRUNK: Final = ("coder.conv_in", "samplers.0.conv", "sampler.conv", "quant_conv")
# From which share of the budget on, how large and how many the training crops are.
CROPS: Final = ((0.0, 32, 12), (0.5, 64, 4), (0.8, PICTURE, 2))


def build_vae() -> Vae:
    """An untrained autoencoder of one million values: 128×128 RGB in -1..1 to 16×16×4."""
    vae = new_vae(
        block_out_channels=LEVELS,
        down_block_types=("DownEncoderBlock2D",) * len(LEVELS),
        up_block_types=("UpDecoderBlock2D",) * len(LEVELS),
        layers_per_block=1,
        latent_channels=4,
        sample_size=PICTURE,
        scaling_factor=SCALE,
    )
    with torch.no_grad():
        _start_simple(vae)
    return vae


def _start_simple(vae: Vae) -> None:
    """Makes the untrained network nearly linear, so that it rebuilds flat colours within the first minute.

    Every second channel starts as a constant, which gives each normalised pair of channels a level to compare
    with; without one, normalising removes just what a flat colour is. Res blocks start as nothing, posteriors
    narrow: noise as strong as the untrained means would hide them for hundreds of steps.
    """
    for name, module in vae.named_modules():
        kind = type(module)
        if kind is ResnetBlock2D:
            module.conv2.weight.zero_()
            module.conv2.bias.zero_()
        if kind is torch.nn.Conv2d and name.endswith(_TRUNK):
            module.weight *= 1.73
        if kind is torch.nn.Conv2d and name.endswith(_TRUNK[:3]):
            module.bias[1::2] += 2
        if kind is torch.nn.GroupNorm:
            module.bias[0::2], module.bias[1::2] = 1, -1
        if name.endswith("norm_out"):
            module.weight.fill_(2)
    vae.encoder.conv_out.weight *= 3
    vae.quant_conv.weight[4:] = 0
    vae.quant_conv.bias[4:] = -8


def train_vae(run: Run) -> Vae:
    """The trained autoencoder; training goes on where it stopped until the stage's minutes are spent."""
    vae, clock, random = build_vae(), Clock(run.minutes["vae"] * 60), Random()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3, weight_decay=0.0, betas=(0.9, 0.98))
    step = 0
    if state := run.load("vae"):
        vae.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        clock.used, step = state["used"], state["step"]
    running = 0.0
    for done in clock.ticks():
        x = _batch(random, done)
        loss, error = vae_loss(vae, x)
        optimise(loss, vae, optimizer, rate(6e-4, done))
        step += 1
        running = error if step == 1 else 0.9 * running + 0.1 * error
        if step % 20 == 0:
            run.log("vae", step=step, done=round(done, 3), l1=round(running, 4), loss=round(loss.item(), 4))
        if step % 200 == 0 or clock.used + 2 > clock.budget:
            run.save(
                "vae",
                {
                    "model": vae.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "used": clock.used,
                    "step": step,
                },
            )
    return vae.eval()


def vae_loss(vae: Vae, x: Tensor) -> tuple[Tensor, float]:
    """What is minimised for pictures x (L1, edges, a little KL), and the mean absolute error alone."""
    posterior = vae.encode(x).latent_dist
    y = vae.decode(posterior.sample()).sample
    # Colours are the smaller part of a picture and the larger part of what must be right in it.
    weight = 1 + 2 * (x.amax(1, keepdim=True) - x.amin(1, keepdim=True))
    l1 = (y - x).abs()
    edges = sum(((y.diff(dim=d) - x.diff(dim=d)).abs().mean() for d in (2, 3)), torch.tensor(0.0))
    loss = (weight * (l1 + (y - x).square())).mean() + edges + 1e-5 * posterior.kl().mean() / x.shape[-1]
    return loss, l1.mean().item()


def _batch(random: Random, done: float) -> Tensor:
    _, size, count = [row for row in CROPS if row[0] <= done][-1]
    return as_tensor([_crop(draw_scene(random), size, random) for _ in range(count)])


def _crop(scene: Scene, size: int, random: Random) -> np.ndarray:
    """A square of a scene's picture around one of its items."""
    item = random.choice(scene.items)
    x, y = (round(at - size / 2 + random.uniform(-24, 24)) for at in (item.x, item.y))
    x, y = (min(max(at, 0), PICTURE - size) for at in (x, y))
    return render(scene)[y : y + size, x : x + size]


def as_tensor(pictures: list[np.ndarray]) -> Tensor:
    """Pictures as a (B, 3, H, W) tensor in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def fold_scale(vae: Vae, mean: Tensor, deviation: Tensor, factor: float) -> None:
    """Shifts and scales an autoencoder's latents in place, through its two moment convolutions: latents of
    the given mean and deviation (4,) then come out centred, with deviation 1/factor, and decode as before."""
    scale = 1 / (factor * deviation)
    with torch.no_grad():
        before, after = vae.quant_conv, vae.post_quant_conv
        before.bias[:4] = (before.bias[:4] - mean) * scale
        before.weight[:4] *= scale[:, None, None, None]
        before.bias[4:] += 2 * scale.log()
        after.bias += after.weight[:, :, 0, 0] @ mean
        after.weight /= scale[None, :, None, None]
