"""Third stage: the decoder alone goes on learning, from latents that no longer change, for sharper shapes."""

from random import Random
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.scenes import render
from tools.tiny.networks import Vae
from tools.tiny.pool import Pool
from tools.tiny.run import Clock, Run, optimise, rate
from tools.tiny.vae import SCALE, as_tensor

BATCH: Final = 2
# What sampling leaves in latents of deviation 1, and more: the decoder must not mind it.
_NOISE: Final = 0.04


def train_decoder(run: Run, pool: Pool) -> Vae:
    """The pool's autoencoder with its decoder trained further; goes on where it stopped."""
    vae, clock, random = pool.vae, Clock(run.minutes["decoder"] * 60), Random()
    half = nn.ModuleList([vae.decoder, vae.post_quant_conv]).requires_grad_(True)
    optimizer = torch.optim.AdamW(half.parameters(), weight_decay=0.0, betas=(0.9, 0.98))
    step = 0
    if state := run.load("decoder"):
        half.load_state_dict(state["half"])
        optimizer.load_state_dict(state["optimizer"])
        clock.used, step = state["used"], state["step"]
    running = 0.05
    for done in clock.ticks():
        picks = [random.randrange(len(pool.scenes)) for _ in range(BATCH)]
        z = torch.stack([pool.latents[i] for i in picks])
        x = as_tensor([render(pool.scenes[i]) for i in picks])
        loss, error = _loss(vae, z + _NOISE * torch.randn_like(z), x)
        optimise(loss, half, optimizer, rate(4e-4, done))
        step += 1
        running = 0.95 * running + 0.05 * error
        if step % 20 == 0:
            run.log("decoder", step=step, done=round(done, 3), l1=round(running, 4))
        if step % 100 == 0 or clock.used + 3 > clock.budget:
            states = {"half": half.state_dict(), "optimizer": optimizer.state_dict()}
            run.save("decoder", {**states, "used": clock.used, "step": step})
    return vae.eval()


def _loss(vae: Vae, z: Tensor, x: Tensor) -> tuple[Tensor, float]:
    """What is minimised for latents z of pictures x (L1 and edges, more around shapes), and the plain L1."""
    y = vae.decode(z / SCALE).sample
    colour = x.amax(1, keepdim=True) - x.amin(1, keepdim=True)
    weight = 1 + 4 * F.max_pool2d(colour, 9, stride=1, padding=4)
    l1 = (y - x).abs()
    edges = sum(((y.diff(dim=d) - x.diff(dim=d)).abs().mean() for d in (2, 3)), torch.tensor(0.0))
    return (weight * (l1 + (y - x).square())).mean() + 2 * edges, l1.mean().item()
