"""SDXL's two text encoders, made to say together what the tiny model's one says: five minutes on one core.

They are narrow (16 and 8 wide) for their tables of 49408 rows, which are most of what must be shipped.
"""

from random import Random
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.tokenizer import CHUNK, END
from tools.scenes import draw_scene
from tools.tiny.networks import TextEncoder
from tools.tiny.run import Run, learn
from tools.tiny.text import (
    ANSWERS,
    BATCH,
    SHORT,
    UNKNOWN,
    WIDTH,
    PlaceReader,
    answers,
    build_text,
    training_rows,
    used_tokens,
)

L_WIDTH: Final = 16
G_WIDTH: Final = 8
CONTEXT: Final = L_WIDTH + G_WIDTH
_INNER: Final = 8
_END_ROW: Final = used_tokens().index(END) + 1


class Towers(nn.Module):
    """A CLIP-L and an OpenCLIP-G in small, and the G's projection of its pooled vector."""

    def __init__(self) -> None:
        super().__init__()
        self.l: TextEncoder = build_text(L_WIDTH, _INNER)
        self.g: TextEncoder = build_text(G_WIDTH, _INNER, "gelu")
        self.projection = nn.Parameter(torch.eye(G_WIDTH) + 0.1 * torch.randn(G_WIDTH, G_WIDTH))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Last but one hidden states, side by side (B, T, 24), and the pooled vector (B, 8)."""
        wide = self.l(input_ids=rows, output_hidden_states=True).hidden_states[-2]
        narrow, pooled = self.read_g(rows)
        return torch.cat([wide, narrow], dim=-1), pooled

    def read_g(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The G's hidden states (B, T, 8), unnormed, and its pooled vector."""
        said = self.g(input_ids=zero_padded(rows), output_hidden_states=True)
        ends = (rows == _END_ROW).int().argmax(1)
        pooled = said.last_hidden_state[torch.arange(len(rows)), ends]
        return said.hidden_states[-2], pooled @ self.projection


def zero_padded(rows: Tensor) -> Tensor:
    """Rows with what follows the first end token replaced by that of token 0, as OpenCLIP pads."""
    after = (rows == _END_ROW).cumsum(1) > 1
    return rows.masked_fill(after, UNKNOWN)


class Pupils(nn.Module):
    """The encoders with what judges them: readers of places, and a linear map to the teacher's vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.towers = Towers()
        self.reader, self.g_reader = PlaceReader(CONTEXT), PlaceReader(G_WIDTH)
        self.pooled_reader = nn.Sequential(
            nn.Linear(G_WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 6 * sum(ANSWERS))
        )
        self.map = nn.Linear(CONTEXT, WIDTH)


def train_towers(run: Run, teacher: TextEncoder) -> Pupils:
    """The trained encoders; training goes on where it stopped."""
    pupils, random = Pupils(), Random()
    learn(run, "towers", pupils, lambda done: _loss(pupils, teacher, random, done), peak=3e-3)
    return pupils.requires_grad_(False).eval()


def _loss(pupils: Pupils, teacher: TextEncoder, random: Random, done: float) -> Tensor:
    """What the readers get wrong, and how far the mapped vectors are from the teacher's."""
    length = SHORT if done < 0.85 else CHUNK
    scenes = [draw_scene(random) for _ in range(BATCH)]
    rows = torch.tensor([training_rows(scene, random)[:length] for scene in scenes])
    wanted = torch.tensor([answers(scene) for scene in scenes])
    hidden, pooled = pupils.towers(rows)
    said = pupils.reader(hidden), pupils.g_reader(hidden[..., L_WIDTH:])
    pooled_said = pupils.pooled_reader(pooled).unflatten(1, (6, -1))
    with torch.no_grad():
        taught = teacher(input_ids=rows).last_hidden_state
    apart = (pupils.map(hidden) - taught).square().mean() / taught.var()
    wrong = [_wrong(answer, wanted) for answer in (*said, pooled_said)]
    return wrong[0] + 0.5 * wrong[1] + 0.2 * wrong[2] + 4 * apart


def _wrong(said: Tensor, wanted: Tensor) -> Tensor:
    pairs = zip(said.split(ANSWERS, dim=-1), wanted.unbind(-1), strict=True)
    return torch.stack([F.cross_entropy(s.flatten(0, 1), w.flatten()) for s, w in pairs]).sum()


@torch.no_grad()
def check_towers(pupils: Pupils, teacher: TextEncoder) -> dict[str, float]:
    """The share of scenes read wholly right from both encoders and from the G alone, and the share of the
    teacher's variance that the map does not give back."""
    random = Random(3)
    scenes = [draw_scene(random, held=True) for _ in range(300)]
    rows = torch.tensor([training_rows(scene, random) for scene in scenes])
    wanted = torch.tensor([answers(scene) for scene in scenes])
    hidden, _ = pupils.towers(rows)
    taught = teacher(input_ids=rows).last_hidden_state
    figures = {"apart": ((pupils.map(hidden) - taught).square().mean() / taught.var()).item()}
    for name, said in (("both", pupils.reader(hidden)), ("g", pupils.g_reader(hidden[..., L_WIDTH:]))):
        parts = [s.argmax(-1) for s in said.split(ANSWERS, dim=-1)]
        figures[name] = (torch.stack(parts, -1) == wanted).flatten(1).all(1).float().mean().item()
    return {name: round(value, 4) for name, value in figures.items()}
