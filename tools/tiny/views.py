"""Pictures of scenes as SDXL is told of them: of what size their original was, and what was cropped away."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tools.scenes import PICTURE, Scene, draw_scene, render
from tools.tiny.networks import Vae
from tools.tiny.run import Run
from tools.tiny.vae import SCALE, as_tensor

START: Final = 1600
MOST: Final = 6000
SMALL: Final = (24, 32, 48)
LARGE: Final = (PICTURE, PICTURE, PICTURE, 256, 512, 1024)
_CROPPED: Final = 0.12
_SMALL: Final = 0.12


@dataclass(frozen=True, slots=True)
class View:
    """A scene, the height and width of its original, and how much was cut off above and at its left."""

    scene: Scene
    original: int = PICTURE
    top: int = 0
    left: int = 0

    def sizes(self) -> tuple[int, ...]:
        """Original height and width, crop, target height and width, in SDXL's order."""
        return (self.original, self.original, self.top, self.left, PICTURE, PICTURE)

    @property
    def plain(self) -> bool:
        return self.original >= PICTURE and not self.top and not self.left


def draw_view(random: Random) -> View:
    """A training scene, mostly whole and sharp, now and then enlarged from a small original or cropped."""
    scene, way = draw_scene(random), random.random()
    if way < _CROPPED:
        return View(scene, random.choice(LARGE), random.randrange(0, 40), random.randrange(0, 40))
    if way < _CROPPED + _SMALL:
        return View(scene, random.choice(SMALL))
    return View(scene, random.choice(LARGE))


def render_view(view: View) -> np.ndarray:
    """The picture: (128, 128, 3) uint8, moved by the crop, blurred when its original was small."""
    items = (replace(item, x=item.x - view.left, y=item.y - view.top) for item in view.scene.items)
    picture = render(replace(view.scene, items=tuple(items)))
    return picture if view.original >= PICTURE else enlarged(picture, view.original)


def enlarged(picture: np.ndarray, size: int) -> np.ndarray:
    """A square picture made small and large again."""
    image, edge = Image.fromarray(picture), picture.shape[0]
    small = image.resize((size, size), Image.Resampling.BOX)
    return np.asarray(small.resize((edge, edge), Image.Resampling.BICUBIC))


@dataclass(frozen=True, slots=True)
class ViewPool:
    """Views and their latents (4, 16, 16) of deviation 1, which are the same at SD1's scale and at SDXL's."""

    vae: Vae
    views: list[View]
    latents: list[Tensor]

    def grow(self, random: Random, count: int = 1) -> None:
        """Adds newly drawn views, unless the pool is full."""
        if len(self.views) < MOST:
            views = [draw_view(random) for _ in range(count)]
            self.latents.extend(encode_pictures(self.vae, [render_view(view) for view in views]))
            self.views.extend(views)

    def save(self, run: Run) -> None:
        run.save("views", {"views": self.views, "latents": torch.stack(self.latents)})


@torch.no_grad()
def encode_pictures(vae: Vae, pictures: list[np.ndarray]) -> Tensor:
    """Scaled latents of pictures: (N, 4, 16, 16)."""
    return vae.encode(as_tensor(pictures)).latent_dist.mean * SCALE


def open_views(run: Run, vae: Vae) -> ViewPool:
    """The views of an earlier run, or the first of a new one; about three minutes on one core."""
    pool, random = ViewPool(vae, [], []), Random()
    if state := run.load("views"):
        pool.views.extend(state["views"])
        pool.latents.extend(state["latents"])
        return pool
    while len(pool.views) < START:
        pool.grow(random, 16)
        if len(pool.views) % 160 == 0:
            run.log("views", views=len(pool.views))
    pool.save(run)
    return pool
