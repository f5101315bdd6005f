"""Encoded training scenes: a pool that grows while the U-Net learns, since encoding is costly."""

from dataclasses import dataclass
from random import Random
from typing import Final

import torch
from torch import Tensor

from tools.scenes import Scene, draw_scene, render
from tools.tiny.networks import Vae
from tools.tiny.run import Run
from tools.tiny.vae import SCALE, as_tensor, fold_scale

START: Final = 1600
STEP: Final = 1
MOST: Final = 40000


@dataclass(frozen=True, slots=True)
class Pool:
    """Scenes, their latents (4, 16, 16) at the published scale, and the autoencoder that made them."""

    vae: Vae
    scenes: list[Scene]
    latents: list[Tensor]

    def grow(self, random: Random, count: int = STEP) -> None:
        """Adds newly drawn scenes, unless the pool is full."""
        if len(self.scenes) < MOST:
            scenes = [draw_scene(random) for _ in range(count)]
            self.latents.extend(encode(self.vae, scenes))
            self.scenes.extend(scenes)


@torch.no_grad()
def encode(vae: Vae, scenes: list[Scene]) -> Tensor:
    """Scaled latents of scenes: (N, 4, 16, 16)."""
    return vae.encode(as_tensor([render(scene) for scene in scenes])).latent_dist.mean * SCALE


def open_pool(run: Run, vae: Vae) -> Pool:
    """The pool of an earlier run, or a new one with the autoencoder first brought to the published scale."""
    pool = Pool(vae, [], [])
    if state := run.load("pool"):
        vae.load_state_dict(state["vae"])
        pool.scenes.extend(state["scenes"])
        pool.latents.extend(state["latents"])
        return pool
    random = Random()
    sample = encode(vae, [draw_scene(random) for _ in range(96)]) / SCALE
    fold_scale(vae, sample.mean((0, 2, 3)), sample.std((0, 2, 3)), SCALE)
    while len(pool.scenes) < START:
        pool.grow(random, 16)
        if len(pool.scenes) % 160 == 0:
            run.log("pool", scenes=len(pool.scenes))
    run.save("pool", {"vae": vae.state_dict(), "scenes": pool.scenes, "latents": torch.stack(pool.latents)})
    return pool
