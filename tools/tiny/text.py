"""Second stage: the text encoder learns to say, by its hidden states alone, what stands where in a scene."""

from functools import lru_cache
from random import Random
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.tokenizer import CHUNK, END, START, tokenize
from tools.scenes import BACKGROUNDS, COLOURS, PLACES, RADII, SHAPES, Item, Scene, caption, draw_scene, words
from tools.tiny.networks import TextEncoder, new_text_encoder
from tools.tiny.run import Clock, Run, optimise, rate

WIDTH: Final = 64
LAYERS: Final = 5
SHORT: Final = 32
UNKNOWN: Final = 0
BATCH: Final = 128
# How many answers there are to: which shape, which colour, which size; nothing is one of them.
ANSWERS: Final = (len(SHAPES) + 1, len(COLOURS) + 1, len(RADII) + 1)
_EMPTY: Final = 0.1
_STRANGE: Final = 0.1


@lru_cache(maxsize=1)
def used_tokens() -> tuple[int, ...]:
    """Token numbers that captions use; their rows in the small table follow row 0, which is all others."""
    return tuple(sorted({token for word in words() for token in tokenize(word)} | {START, END}))


@lru_cache(maxsize=1)
def _rows() -> dict[int, int]:
    return {token: row for row, token in enumerate(used_tokens(), start=1)}


def rows_of(text: str) -> list[int]:
    """Rows of the small token table for a text, padded with the end token to the published length of 77."""
    rows = [_rows().get(token, UNKNOWN) for token in tokenize(text)][: CHUNK - 2]
    end = _rows()[END]
    return [_rows()[START], *rows, *[end] * (CHUNK - 1 - len(rows))]


def training_rows(scene: Scene, random: Random) -> list[int]:
    """Rows of a random caption of a scene: now and then empty (for cfg), or with unknown words around it."""
    if random.random() < _EMPTY:
        return rows_of("")
    rows = rows_of(caption(scene, random))
    if random.random() < _STRANGE:
        rows = _strange(rows, random)
    return rows


def _strange(rows: list[int], random: Random) -> list[int]:
    words_end = rows.index(_rows()[END])
    at = random.choice((1, words_end))
    extra = [
        random.choice((UNKNOWN, UNKNOWN, _rows()[tokenize(",")[0]])) for _ in range(random.randrange(1, 5))
    ]
    return [*rows[:at], *extra, *rows[at:]][:CHUNK]


def build_text(width: int = WIDTH, inner: int = 4, activation: str = "quick_gelu") -> TextEncoder:
    """An untrained CLIP-layout text encoder over the small token table; its MLPs are inner × width wide."""
    text = new_text_encoder(
        vocab_size=len(used_tokens()) + 1,
        hidden_size=width,
        intermediate_size=inner * width,
        num_hidden_layers=LAYERS,
        num_attention_heads=1,
        max_position_embeddings=CHUNK,
        hidden_act=activation,
        bos_token_id=_rows()[START],
        eos_token_id=_rows()[END],
    )
    embeddings = text.text_model.embeddings if hasattr(text, "text_model") else text.embeddings
    nn.init.normal_(embeddings.token_embedding.weight, std=0.5)
    nn.init.normal_(embeddings.position_embedding.weight, std=0.2)
    return text


class PlaceReader(nn.Module):
    """Reads what stands at each place out of hidden states, with one cross-attention; not kept."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.places = nn.Parameter(0.5 * torch.randn(len(PLACES) + 1, WIDTH))
        self.attention = nn.MultiheadAttention(WIDTH, 8, kdim=width, vdim=width, batch_first=True)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, sum(ANSWERS))

    def forward(self, hidden: Tensor) -> Tensor:
        queries = self.places.expand(len(hidden), -1, -1)
        read, _ = self.attention(queries, hidden, hidden, need_weights=False)
        return self.head(self.norm(queries + read))


def answers(scene: Scene) -> list[list[int]]:
    """What the reader must say: (shape, colour, size) of each place, the last number of each kind for an
    empty one; in a last row the background in the size's stead."""
    found = {item.place: item for item in scene.items}
    none = [count - 1 for count in ANSWERS]
    rows = [_answer(found[place]) if place in found else none for place in PLACES]
    return [*rows, [*none[:2], list(BACKGROUNDS).index(scene.background)]]


def _answer(item: Item) -> list[int]:
    return [SHAPES.index(item.shape), list(COLOURS).index(item.colour), list(RADII).index(item.size)]


def train_text(run: Run) -> TextEncoder:
    """The trained text encoder; training goes on where it stopped until the stage's minutes are spent."""
    text, reader, clock, random = build_text(), PlaceReader(), Clock(run.minutes["text"] * 60), Random()
    both = nn.ModuleList([text, reader])
    optimizer = torch.optim.AdamW(both.parameters(), weight_decay=0.01, betas=(0.9, 0.98))
    step, running = 0, 0.0
    if state := run.load("text"):
        both.load_state_dict(state["both"])
        optimizer.load_state_dict(state["optimizer"])
        clock.used, step = state["used"], state["step"]
    for done in clock.ticks():
        length = SHORT if done < 0.85 else CHUNK
        loss, right = _text_loss(text, reader, random, length)
        optimise(loss, both, optimizer, rate(1.5e-3, done))
        step += 1
        running = 0.95 * running + 0.05 * right
        if step % 50 == 0:
            run.log(
                "text", step=step, done=round(done, 3), loss=round(loss.item(), 4), right=round(running, 3)
            )
        if step % 500 == 0 or clock.used + 2 > clock.budget:
            run.save(
                "text",
                {
                    "model": text.state_dict(),
                    "both": both.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "used": clock.used,
                    "step": step,
                },
            )
    return text.eval()


def _text_loss(text: TextEncoder, reader: PlaceReader, random: Random, length: int) -> tuple[Tensor, float]:
    """Cross-entropy of the reader's answers on new scenes, and the share of places that are all right."""
    scenes = [draw_scene(random) for _ in range(BATCH)]
    rows = torch.tensor([training_rows(scene, random)[:length] for scene in scenes])
    wanted = torch.tensor([answers(scene) for scene in scenes]).unbind(-1)
    said = reader(text(input_ids=rows).last_hidden_state).split(ANSWERS, dim=-1)
    loss = torch.stack(
        [F.cross_entropy(s.flatten(0, 1), w.flatten()) for s, w in zip(said, wanted, strict=True)]
    )
    right = torch.stack([s.argmax(-1) == w for s, w in zip(said, wanted, strict=True)]).all(0)
    return loss.sum(), right.all(1).float().mean().item()
