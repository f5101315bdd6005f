"""What the embedded files beside the tiny model do: SDXL's pair, LoRA, ControlNet, word, upscaler.

Each is loaded as users' own files are, and its effect is read from the pictures alone.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import pytest
import torch
from PIL import Image

from diffusion.controlnet import apply_controlnet
from diffusion.controlnet_files import load_controlnet
from diffusion.edges import canny
from diffusion.loading import load_checkpoint
from diffusion.lora import apply_lora, load_lora
from diffusion.probe import probe
from diffusion.text import encode
from diffusion.upscalers import load_upscaler, upscale
from diffusion.values import Checkpoint, Clip, Conditioning, Model
from tools.detect import detect, fits, shows
from tools.scenes import Scene, held_scenes, plain_caption, render
from tools.tiny.control import free_scene, placeless_caption
from tools.tiny.trial import bytes_of, draw_with, empty, prompts_as_batch, sample
from tools.tiny.upscaler import halved

MODELS: Final = Path(__file__).parent.parent / "models"
FILES: Final = {
    "checkpoints/darkroom-tiny.safetensors": ("checkpoint", "sd1"),
    "checkpoints/darkroom-tiny-xl.safetensors": ("checkpoint", "sdxl"),
    "checkpoints/darkroom-tiny-xl-refiner.safetensors": ("checkpoint", "sdxl-refiner"),
    "loras/darkroom-tiny-style.safetensors": ("lora", None),
    "controlnet/darkroom-tiny-edges.safetensors": ("controlnet", None),
    "embeddings/darkroom-tiny-tree.safetensors": ("embedding", None),
    "upscale_models/darkroom-tiny-2x.safetensors": ("upscaler", None),
}
LIMIT_MB: Final = 40
FEW: Final[dict[str, Any]] = {"steps": 8, "seed": 5, "cfg": 4.0}
# The refiner learned the last third of SDXL's noise steps, which "normal" spreads evenly.
SHARED: Final[dict[str, Any]] = {"steps": 15, "seed": 5, "cfg": 4.0, "scheduler": "normal"}
SWITCH: Final = 12
GENTLE: Final[dict[str, Any]] = {"cfg": 2.0}


@cache
def loaded(name: str) -> Checkpoint:
    return load_checkpoint(MODELS / "checkpoints" / f"{name}.safetensors")


def tiny() -> tuple[Model, Clip, Any]:
    model, clip, vae = loaded("darkroom-tiny")
    return model, clip, vae


def pictures_of(vae: Any, made: dict[str, Any]) -> np.ndarray:
    return bytes_of(vae.decode(made["samples"]))


def text_of(found: Checkpoint, scenes: list[Scene]) -> tuple[Conditioning, Conditioning]:
    assert found.clip is not None
    return prompts_as_batch(found.clip, [plain_caption(scene) for scene in scenes]), encode(found.clip, "")


def share(pictures: np.ndarray, scenes: list[Scene]) -> float:
    return float(np.mean([shows(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]))


def error(pictures: np.ndarray, wanted: np.ndarray) -> float:
    """The mean error of pictures, 0–255."""
    return float(np.abs(pictures.astype(float) - wanted).mean())


def truth(pictures: np.ndarray) -> float:
    """How well circles, squares and triangles cover what is coloured in pictures, 0 to 1."""
    return float(np.mean([fit for picture in pictures for fit in fits(picture)]))


def test_all_embedded_files_are_told_and_small_enough_to_ship() -> None:
    told = {file: probe(MODELS / file) for file in FILES}
    assert {file: (facts.kind, facts.family) for file, facts in told.items()} == FILES
    assert sum(file.stat().st_size for file in MODELS.rglob("darkroom-*.safetensors")) < LIMIT_MB * 1e6


@cache
def base_pictures() -> tuple[list[Scene], np.ndarray]:
    scenes = held_scenes(12, seed=3)
    return scenes, draw_with(loaded("darkroom-tiny-xl"), [plain_caption(scene) for scene in scenes], **FEW)


def test_the_base_draws_held_prompts() -> None:
    scenes, pictures = base_pictures()
    assert share(pictures, scenes) >= 0.8


def test_a_crop_that_the_base_is_told_moves_its_shapes() -> None:
    scenes, _ = base_pictures()
    found = loaded("darkroom-tiny-xl")
    positive, negative = text_of(found, scenes[:4])

    def drawn(crop: int) -> np.ndarray:
        told = [[text, {**keys, "crop_w": crop}] for text, keys in positive]
        return pictures_of(found.vae, sample(found.model, told, negative, empty(4), **{**FEW, "cfg": 2.0}))

    assert mean_x(drawn(24)) < mean_x(drawn(0)) - 4


def mean_x(pictures: np.ndarray) -> float:
    """Where the shapes' middles lie, from the left, in pixels."""
    return float(np.mean([one.x for picture in pictures for one in detect(picture)]))


def test_the_refiner_brings_noised_scenes_closer_to_the_original_than_the_base() -> None:
    scenes = held_scenes(12, seed=4)
    wanted = np.stack([render(scene) for scene in scenes])
    vae = loaded("darkroom-tiny-xl").vae
    assert vae is not None
    start = {"samples": vae.encode(torch.from_numpy(wanted).float() / 255)}

    def left(name: str) -> tuple[float, float]:
        found = loaded(name)
        options = {**SHARED, **GENTLE, "start_step": SWITCH}
        made = sample(found.model, *text_of(found, scenes), start, **options)
        apart = float((made["samples"] - start["samples"]).square().mean())
        return apart, error(pictures_of(vae, made), wanted)

    refined, alone = left("darkroom-tiny-xl-refiner"), left("darkroom-tiny-xl")
    assert refined[0] < 0.9 * alone[0] and refined[1] < 0.95 * alone[1]


def test_base_then_refiner_draws_truer_shapes_than_the_base_alone_or_stopped() -> None:
    scenes = held_scenes(8, seed=5)
    base, refiner = loaded("darkroom-tiny-xl"), loaded("darkroom-tiny-xl-refiner")
    texts = text_of(base, scenes)
    first = sample(base.model, *texts, empty(8), last_step=SWITCH, **SHARED)
    rest = {**SHARED, "start_step": SWITCH, "disable_noise": True}
    last = {**rest, "last_step": SWITCH + 1, "force_full_denoise": True}
    made = {
        "stopped": sample(base.model, *texts, first, **last),
        "alone": sample(base.model, *texts, first, **rest),
        "refined": sample(refiner.model, *text_of(refiner, scenes), first, **{**rest, **GENTLE}),
    }
    pictures = {name: pictures_of(base.vae, latent) for name, latent in made.items()}
    shapes = {name: truth(drawn) for name, drawn in pictures.items()}
    assert 1 - shapes["refined"] < 0.9 * (1 - max(shapes["alone"], shapes["stopped"]))
    assert share(pictures["refined"], scenes) >= 0.75


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_the_lora_draws_night_with_white_rims_only_as_strongly_as_asked(strength: float) -> None:
    model, clip, vae = tiny()
    prompts = [
        f"a large {colour} circle on the left on a light background" for colour in ("red", "blue", "green")
    ]
    changed, _ = apply_lora(
        model, clip, load_lora(MODELS / "loras" / "darkroom-tiny-style.safetensors"), strength
    )
    assert changed is not None
    plain, styled = (draw_with(Checkpoint(one, clip, vae), prompts, **FEW) for one in (model, changed))
    assert np.median(plain) > 190
    if strength:
        assert np.median(styled) < 60
        assert ((styled.min(3) > 120).mean((1, 2)) > 0.01).all()
    else:
        assert np.array_equal(plain, styled)


def test_the_controlnets_pictures_have_their_shapes_where_the_edges_are() -> None:
    model, clip, vae = tiny()
    control = load_controlnet(MODELS / "controlnet" / "darkroom-tiny-edges.safetensors")
    random = Random(8)
    scenes = [scene for scene in (free_scene(random) for _ in range(40)) if scene.background == "dark"][:6]
    hints = canny(torch.from_numpy(np.stack([render(scene) for scene in scenes])).float() / 255, 0.1, 0.2)
    positive = prompts_as_batch(clip, [placeless_caption(scene, random) for scene in scenes])
    negative = encode(clip, "")
    held, other = apply_controlnet([positive, negative], control, hints, 1.0)
    drawn = {
        "free": sample(model, positive, negative, empty(6), **FEW),
        "held": sample(model, held, other, empty(6), **FEW),
    }
    found = {name: overlap(pictures_of(vae, made), scenes) for name, made in drawn.items()}
    assert found["held"] > 0.65 and found["held"] > found["free"] + 0.3


def overlap(pictures: np.ndarray, scenes: list[Scene]) -> float:
    """Intersection over union of what is coloured in pictures with what is coloured in their scenes."""
    shares: list[float] = []
    for picture, scene in zip(pictures, scenes, strict=True):
        seen, wanted = (np.ptp(one.astype(int), axis=2) > 70 for one in (picture, render(scene)))
        shares.append(float((seen & wanted).sum() / (seen | wanted).sum()))
    return float(np.mean(shares))


def test_the_word_draws_a_tree_on_any_background() -> None:
    model, clip, vae = tiny()
    knowing = replace(clip, embedding_folders=(MODELS / "embeddings",))
    prompts = [f"embedding:darkroom-tiny-tree on a {shade} background" for shade in ("dark", "gray", "light")]

    def trees(one: Clip) -> int:
        pictures = draw_with(Checkpoint(model, one, vae), prompts, **FEW)
        seen = [
            sorted((shape.y, shape.colour, shape.shape) for shape in detect(picture)) for picture in pictures
        ]
        parts = [[(colour, shape) for _, colour, shape in found] for found in seen]
        return parts.count([("green", "triangle"), ("red", "square")])

    assert trees(knowing) >= 2
    assert trees(clip) == 0


def test_the_upscaler_is_nearer_to_held_scenes_than_bicubic() -> None:
    found = load_upscaler(MODELS / "upscale_models" / "darkroom-tiny-2x.safetensors")
    large = [render(scene) for scene in held_scenes(12, seed=6)]
    small = np.stack([halved(picture) for picture in large])
    ours = bytes_of(upscale(found, torch.from_numpy(small).float() / 255, lambda *_: None))
    edge = large[0].shape[0]
    bicubic = np.stack(
        [np.asarray(Image.fromarray(one).resize((edge, edge), Image.Resampling.BICUBIC)) for one in small]
    )
    assert psnr(ours, np.stack(large)) > psnr(bicubic, np.stack(large)) + 3


def psnr(pictures: np.ndarray, wanted: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.square(pictures.astype(float) - wanted).mean()))
