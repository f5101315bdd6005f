"""A new word for the tiny model by textual inversion (Gal et al. 2023): a tree. Three minutes on one core.

Two vectors stand for a large green triangle above a small red square; nothing else is trained.
"""

from pathlib import Path
from random import Random
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.tokenizer import CHUNK, tokenize
from tools.scenes import BACKGROUNDS, COLOURS, PLACES, RADII, Item, Scene, render
from tools.tiny.export import write
from tools.tiny.lessons import chosen, frozen_error
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.run import Run, learn
from tools.tiny.text import rows_of, used_tokens
from tools.tiny.views import encode_pictures

VECTORS: Final = 2
PARTS: Final = (("triangle", "green", "large", "top"), ("square", "red", "small", "bottom"))
BATCH: Final = 16
PEAK: Final = 2e-2
_PICTURES: Final = 96
_PATTERNS: Final = (
    "{}",
    "{} on a BACK background",
    "a {} on a BACK background",
    "a picture of {}",
    "{}, BACK background",
)


class WithWord(nn.Module):
    """A table of tokens with rows of its own after those that are known."""

    def __init__(self, known: Tensor, start: Tensor) -> None:
        super().__init__()
        self.known, self.vectors = known, nn.Parameter(start.clone())

    def forward(self, rows: Tensor) -> Tensor:
        return F.embedding(rows, torch.cat([self.known, self.vectors]))


def tree(random: Random) -> Scene:
    """One picture of what the word means, on any background."""
    background = random.choice(list(BACKGROUNDS))
    items = tuple(_item(part, random) for part in PARTS)
    return Scene(items, background, BACKGROUNDS[background] + random.uniform(-8, 8))


def _item(part: tuple[str, str, str, str], random: Random) -> Item:
    shape, colour, size, place = part
    x, y = (at + random.uniform(-2, 2) for at in PLACES[place])
    red, green, blue = COLOURS[colour]
    return Item(shape, colour, size, place, x, y, RADII[size] + random.uniform(-1, 1), (red, green, blue))


def rows_with_word(scene: Scene, random: Random) -> list[int]:
    """Rows of a short prompt with the word in it; its rows follow those of the small table."""
    words = random.choice(_PATTERNS).replace("BACK", scene.background)
    before, after = words.split("{}")
    new = range(len(used_tokens()) + 1, len(used_tokens()) + 1 + VECTORS)
    start = rows_of(before)[: len(tokenize(before)) + 1]
    return [*start, *new, *rows_of(after)[1:]][:CHUNK]


def train_word(run: Run, parts: tuple[Vae, TextEncoder, Unet]) -> Tensor:
    """The vectors (2, 64); training goes on where it stopped."""
    vae, text, unet = parts
    random = Random()
    table = _embeddings(text).token_embedding.weight.detach()
    word = WithWord(table, table[[rows_of("triangle")[1], rows_of("square")[1]]])
    _embeddings(text).token_embedding = word
    scenes = [tree(random) for _ in range(_PICTURES)]
    latents: list[Tensor] = []
    for at in range(0, _PICTURES, 16):
        latents.extend(encode_pictures(vae, [render(scene) for scene in scenes[at : at + 16]]))

    def loss_of(_: float) -> Tensor:
        picks = random.sample(range(_PICTURES), BATCH)
        rows = torch.tensor([rows_with_word(scenes[i], random) for i in picks])
        return frozen_error(unet, chosen(latents, picks), text(input_ids=rows).last_hidden_state)

    learn(run, "word", word, loss_of, PEAK)
    return word.vectors.detach()


def _embeddings(text: TextEncoder) -> Any:
    return text.text_model.embeddings if hasattr(text, "text_model") else text.embeddings


def export_word(path: Path, vectors: Tensor) -> None:
    """Writes vectors (N, W) in fp16 as trainers of SD1 do."""
    write(path, {"emb_params": vectors})
