"""The refiner: a small U-Net of the SDXL refiner's layout that sees the last third of the noise steps only.

It learns what is good from a score: pictures of a low one are now and then blurred. It took 14 minutes on one
core.
"""

from copy import deepcopy
from random import Random
from typing import Final

from torch import Tensor

from diffusion.unet_layout import UnetLayout
from tools.scenes import draw_scene, render
from tools.tiny.networks import Unet
from tools.tiny.run import Run, learn
from tools.tiny.towers import G_WIDTH, Towers
from tools.tiny.unet import signal_shares
from tools.tiny.views import View, ViewPool, encode_pictures, enlarged
from tools.tiny.xl import SIZE_WAVES, Lessons, build_xl, lesson_loss

HIGHEST: Final = 350
PEAK: Final = 2e-3
REFINER: Final = UnetLayout(
    channels=(32, 64),
    depths=((0, 0, 0), (1,)),
    up_depths=((1, 1), (0, 0, 0, 0)),
    middle=1,
    context=G_WIDTH,
    in_channels=4,
    out_channels=4,
    adm=G_WIDTH + 5 * SIZE_WAVES,
    linear=True,
)
_SPOILT: Final = 192
_GOOD: Final = (4.5, 8.0)
_POOR: Final = (1.0, 4.5)


def spoilt_size(random: Random) -> int:
    """The size from which a picture of a low score is enlarged."""
    return random.randrange(40, 90)


def rated_sizes(view: View, random: Random) -> tuple[float, ...]:
    """Original size, crop and score. Spoilt pictures have low scores; so has one sound picture in six, which
    keeps guidance from sharpening too much."""
    poor = view.original < 0 or random.random() < 1 / 6
    score = random.uniform(*(_POOR if poor else _GOOD))
    size = float(abs(view.original))
    return (size, size, float(view.top), float(view.left), score)


def refining_pool(run: Run, pool: ViewPool) -> ViewPool:
    """The whole, sharp views of a pool, and some spoilt ones, which bear a negative original size."""
    sound = [i for i, view in enumerate(pool.views) if view.plain]
    rated = ViewPool(pool.vae, [pool.views[i] for i in sound], [pool.latents[i] for i in sound])
    random = Random(4)
    for _ in range(_SPOILT // 16):
        scenes = [draw_scene(random) for _ in range(16)]
        pictures = [enlarged(render(scene), spoilt_size(random)) for scene in scenes]
        rated.latents.extend(encode_pictures(pool.vae, pictures))
        rated.views.extend(View(scene, -128) for scene in scenes)
    run.log("refiner", sound=len(sound), spoilt=_SPOILT)
    return rated


def refining_weights(shares: Tensor) -> Tensor:
    """Each step's weight: with it the error counts as in the clean latent, yet not more than threefold."""
    ratio = (1 - shares) / shares
    return (ratio / ratio[100]).clamp(max=3.0).sqrt()


def train_refiner(run: Run, towers: Towers, pool: ViewPool) -> Unet:
    """The moving average of the refiner; training goes on where it stopped."""
    unet = build_xl(REFINER)
    average = deepcopy(unet).requires_grad_(False).eval()
    rated, weights = refining_pool(run, pool), refining_weights(signal_shares())
    lessons = Lessons(towers, rated_sizes, refines=True, highest=HIGHEST)
    learn(run, "refiner", unet, lambda _: lesson_loss(unet, lessons, rated, weights), PEAK, average)
    return average
