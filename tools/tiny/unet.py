"""Last stage: the U-Net learns to predict the noise in latents of scenes, given captions' hidden states."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Final

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor

from tools.tiny.networks import TextEncoder, Unet, new_unet
from tools.tiny.pool import Pool
from tools.tiny.run import Clock, Run, State, follow, optimise, rate
from tools.tiny.text import WIDTH, training_rows

LATENT: Final = 16
WIDTHS: Final = (64, 96, 96)
STEPS: Final = 1000
BATCH: Final = 32
PEAK: Final = 8e-4
SAVE_EVERY: Final = 250
LOOK_EVERY: Final = 1000
Look = Callable[[Unet], None]
_WAY_DOWN: Final = ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
_WAY_UP: Final = ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")


def build_unet() -> Unet:
    """An untrained U-Net of 3.3 million values; text is read at 8×8 and in the middle, with 8 heads."""
    unet = new_unet(
        sample_size=LATENT,
        block_out_channels=WIDTHS,
        layers_per_block=1,
        down_block_types=_WAY_DOWN,
        up_block_types=_WAY_UP,
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
    )
    with torch.no_grad():
        for module in unet.modules():
            if isinstance(module, ResnetBlock2D):
                module.conv2.weight.zero_()
    return unet


def signal_shares() -> Tensor:
    """SD1's schedule: the share of signal power left at each of the 1000 steps (scaled-linear betas)."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64).square()
    return (1 - betas).cumprod(0).float()


def step_weights(shares: Tensor) -> Tensor:
    """The weight of each step's noise error.

    In terms of the clean latent it is the root of the signal-to-noise ratio, held at most at 5 as in min-SNR
    (Hang et al. 2023): very noisy steps, where the words decide what stands where, count for more.
    """
    ratio = shares / (1 - shares)
    return ratio.clamp(max=5).sqrt() / ratio


@dataclass(slots=True)
class Learner:
    """The U-Net with its moving average and everything a step of training needs."""

    unet: Unet
    average: Unet
    text: TextEncoder
    optimizer: torch.optim.Optimizer
    random: Random
    step: int = 0

    def state(self, used: float) -> State:
        parts = {"model": self.unet, "average": self.average, "optimizer": self.optimizer}
        return {**{name: part.state_dict() for name, part in parts.items()}, "used": used, "step": self.step}

    def restore(self, state: State) -> None:
        self.unet.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def new_learner(text: TextEncoder) -> Learner:
    """A learner at its start; the text encoder stays as it is."""
    unet = build_unet()
    average = deepcopy(unet).requires_grad_(False).eval()
    optimizer = torch.optim.AdamW(unet.parameters(), weight_decay=0.01, betas=(0.9, 0.98))
    return Learner(unet, average, text.requires_grad_(False), optimizer, Random())


def train_unet(run: Run, text: TextEncoder, pool: Pool, look: Look) -> Unet:
    """The moving average of the U-Net, shown to look now and then; training goes on where it stopped until
    the stage's minutes are spent."""
    learner, clock = new_learner(text), Clock(run.minutes["unet"] * 60)
    if state := run.load("unet"):
        learner.restore(state)
        clock.used = state["used"]
    shares = signal_shares()
    weights, running = step_weights(shares), 0.0
    for done in clock.ticks():
        loss = unet_loss(learner, pool, shares, weights)
        optimise(loss, learner.unet, learner.optimizer, rate(PEAK, done))
        follow(learner.average, learner.unet, learner.step)
        pool.grow(learner.random)
        learner.step += 1
        running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
        if learner.step % 50 == 0:
            run.log(
                "unet",
                step=learner.step,
                done=round(done, 3),
                loss=round(running, 5),
                scenes=len(pool.scenes),
            )
        if learner.step % SAVE_EVERY == 0:
            run.save("unet", learner.state(clock.used))
        if learner.step % LOOK_EVERY == 0:
            look(learner.average)
    run.save("unet", learner.state(clock.used))
    return learner.average


def unet_loss(learner: Learner, pool: Pool, shares: Tensor, weights: Tensor) -> Tensor:
    """The weighted noise error of one batch, with steps spread evenly over the schedule."""
    picks = [learner.random.randrange(len(pool.scenes)) for _ in range(BATCH)]
    rows = torch.tensor([training_rows(pool.scenes[i], learner.random) for i in picks])
    with torch.no_grad():
        hidden = learner.text(input_ids=rows).last_hidden_state
    clean = torch.stack([pool.latents[i] for i in picks])
    steps = ((torch.arange(BATCH) + torch.rand(BATCH)) * (STEPS / BATCH)).long().clamp(max=STEPS - 1)
    noise = torch.randn_like(clean)
    share = shares[steps].view(-1, 1, 1, 1)
    noisy = share.sqrt() * clean + (1 - share).sqrt() * noise
    error = (learner.unet(noisy, steps, hidden).sample - noise).square().mean(dim=(1, 2, 3))
    return (weights[steps] * error).mean()
