"""Text → conditioning: chunks of 75 tokens, weights, one or two CLIP text encoders."""

import logging
import re
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.embeddings import find_embedding, load_embedding, misfit
from diffusion.errors import DiffusionError
from diffusion.families import TextTower
from diffusion.prompts import BREAK, a1111_parts, weighted_parts
from diffusion.tokenizer import CHUNK, END, START, tokenize
from diffusion.values import Clip, Conditioning, TextEncoder
from diffusion.weights import applied, ready

Token = tuple[Any, ...]
"""(token number or embedding vector, weight), and the word's number when asked for."""

Tokens = dict[str, list[list[Token]]]

_MARK: Final = "embedding:"
NEW_CHUNK: Final = -1
"""In place of a token: the chunk ends here."""

_EMBEDDING: Final = re.compile(rf"[ \n](?={_MARK})")
_BRACKETED: Final = re.compile(r"<([^<>\s:|]+)>")
# A group of words at least this long may be cut at the end of a chunk; a shorter one moves to the next
# chunk whole.
LONG_GROUP: Final = 8


Warn = Callable[[str], None]
"""Takes a sentence about what was left out."""
_warn: Final[Warn] = logging.getLogger("darkroom").warning


def encode(clip: Clip, text: str, warn: Warn = _warn, **keys: Any) -> Conditioning:
    """The conditioning of a prompt: [[(1, T, W) vectors, {"pooled_output": (1, W), **keys}]], T a multiple of
    77."""
    cond, pooled = encode_tokens(clip, tokenize_weighted(clip, text, warn=warn))
    return [[cond, {"pooled_output": pooled, **keys}]]


def encode_pair(clip: Clip, text_g: str, text_l: str, warn: Warn = _warn, **keys: Any) -> Conditioning:
    """The conditioning of SDXL's two encoders with a prompt for each; the shorter is filled up with empty
    chunks."""
    tokens = tokenize_weighted(clip, text_g, warn=warn)
    if "l" in tokens and "g" in tokens:
        tokens["l"] = tokenize_weighted(clip, text_l, warn=warn)["l"]
        empty = tokenize_weighted(clip, "")
        length = max(len(tokens["l"]), len(tokens["g"]))
        for name in ("l", "g"):
            tokens[name] = tokens[name] + empty[name] * (length - len(tokens[name]))
    cond, pooled = encode_tokens(clip, tokens)
    return [[cond, {"pooled_output": pooled, **keys}]]


def tokenize_weighted(clip: Clip, text: str, word_ids: bool = False, warn: Warn = _warn) -> Tokens:
    """Token dict of a prompt: encoder name → chunks of 77 (token, weight) pairs."""
    return {
        encoder.tower.name: _chunks(_groups(clip, encoder, text, warn), encoder.tower, word_ids)
        for encoder in clip.encoders
    }


def _groups(clip: Clip, encoder: TextEncoder, text: str, warn: Warn) -> list[list[tuple[Any, float]]]:
    """Tokens that belong together, with their weights: what lies between brackets, and each embedding's
    vectors."""
    groups: list[list[Any]] = []
    plain = clip.weighting == "comfy"
    for words, weight in weighted_parts(text) if plain else a1111_parts(text):
        if words == BREAK and not plain:
            groups.append([(NEW_CHUNK, 1.0)])
            continue
        for piece in _EMBEDDING.split(_with_marks(clip, words)):
            vectors, rest = _embedding(clip, encoder, piece, warn)
            groups += [[(token, weight) for token in part] for part in (vectors, tokenize(rest))]
    return [group for group in groups if group]


def _with_marks(clip: Clip, words: str) -> str:
    """<name> read as embedding:name, where there is an embedding of that name."""

    def marked(found: re.Match[str]) -> str:
        known = find_embedding(clip.embedding_folders, found[1])
        return found[0] if known is None else f" {_MARK}{found[1]} "

    return _BRACKETED.sub(marked, words)


def _embedding(clip: Clip, encoder: TextEncoder, piece: str, warn: Warn) -> tuple[list[Tensor], str]:
    """The vectors of the embedding that a piece begins with and the words after it; without such a file no
    vectors, and its name is left out."""
    if not piece.startswith(_MARK):
        return [], piece
    name, rest = "", ""
    if words := piece.removeprefix(_MARK).split(maxsplit=1):
        name, rest = words[0], " ".join(words[1:])
    for candidate in dict.fromkeys((name, name.strip(","))):
        path = find_embedding(clip.embedding_folders, candidate)
        if path is not None:
            vectors = load_embedding(path, encoder.tower)
            if trouble := misfit(path, vectors, encoder):
                warn(trouble)
                vectors = vectors[:0]
            return list(vectors), f"{name[len(candidate) :]} {rest}".strip()
    warn(f'There is no embedding "{name.strip(",")}": its name is left out of the prompt.')
    return [], f"{name[len(name.strip(',')) :]} {rest}".strip()


def _chunks(groups: list[list[tuple[Any, float]]], tower: TextTower, word_ids: bool) -> list[list[Token]]:
    """Groups packed into chunks: start, up to 75 tokens, end, padding."""
    chunks: list[list[Token]] = []
    chunk: list[Token] = [_token(START, 1.0, 0, word_ids)]
    for word, group in enumerate(groups, 1):
        rest, long = group, len(group) >= LONG_GROUP
        if isinstance(group[0][0], int) and group[0][0] == NEW_CHUNK:
            chunks.append(_closed(chunk, tower, word_ids))
            chunk, rest = [_token(START, 1.0, 0, word_ids)], []
        while rest:
            room = CHUNK - 1 - len(chunk)
            if len(rest) > room:
                taken = room if long else 0
                chunk += [_token(t, w, word, word_ids) for t, w in rest[:taken]]
                rest = rest[taken:]
                chunks.append(_closed(chunk, tower, word_ids))
                chunk = [_token(START, 1.0, 0, word_ids)]
                # A short group longer than a chunk cannot be: LONG_GROUP is far below 75.
            else:
                chunk += [_token(t, w, word, word_ids) for t, w in rest]
                rest = []
    return [*chunks, _closed(chunk, tower, word_ids)]


def _token(token: Any, weight: float, word: int, word_ids: bool) -> Token:
    return (token, weight, word) if word_ids else (token, weight)


def _closed(chunk: list[Token], tower: TextTower, word_ids: bool) -> list[Token]:
    pad = END if tower.pad is None else tower.pad
    filled = [*chunk, _token(END, 1.0, 0, word_ids)]
    return filled + [_token(pad, 1.0, 0, word_ids)] * (CHUNK - len(filled))


@torch.no_grad()
def encode_tokens(clip: Clip, tokens: Tokens) -> tuple[Tensor, Tensor]:
    """Vectors (1, T, W) and pooled vector (1, W') of a token dict; encoders' vectors lie side by side."""
    parts = [_encode_weighted(clip, encoder, _own_chunks(encoder, tokens)) for encoder in clip.encoders]
    length = min(cond.shape[1] for cond, _ in parts)
    cond = torch.cat([cond[:, :length] for cond, _ in parts], dim=-1)
    return cond, parts[-1][1]


def _own_chunks(encoder: TextEncoder, tokens: Tokens) -> list[list[Token]]:
    name = encoder.tower.name
    if name not in tokens:
        raise DiffusionError(f"these tokens are for {', '.join(tokens)}; this text encoder is '{name}'.")
    return tokens[name]


def _encode_weighted(clip: Clip, encoder: TextEncoder, chunks: list[list[Token]]) -> tuple[Tensor, Tensor]:
    """Weighted vectors (1, N·77, W) and the first chunk's pooled vector (1, W')."""
    weights = torch.tensor([[token[1] for token in chunk] for chunk in chunks])
    weighted = bool((weights != 1.0).any())
    plain = clip.weighting == "comfy"
    empty = [_closed([(START, 1.0)], encoder.tower, False)] if (weighted and plain) or not chunks else []
    ready(encoder.module, encoder.device.device, encoder.device.text_dtype)
    with applied(encoder.module, clip.patches_of(encoder), encoder.device.text_dtype):
        vectors, pooled = run_encoder(encoder, [*chunks, *empty], clip.layer_idx)
    if not chunks:
        return vectors, pooled
    found = vectors[: len(chunks)]
    if weighted:
        scale = weights[:, :, None].to(vectors)
        found = _from_empty(found, scale, vectors[-1]) if plain else _same_mean(found, scale)
    return found.flatten(0, 1)[None], pooled[:1]


def _from_empty(vectors: Tensor, scale: Tensor, empty: Tensor) -> Tensor:
    """Each token's vector moved away from, or towards, the empty prompt's at its place."""
    return torch.where(scale == 1.0, vectors, (vectors - empty) * scale + empty)


def _same_mean(vectors: Tensor, scale: Tensor) -> Tensor:
    """Each token's vector scaled, then each chunk brought back to its mean (AUTOMATIC1111's way)."""
    scaled = vectors * scale
    return scaled * (vectors.mean((1, 2), keepdim=True) / scaled.mean((1, 2), keepdim=True))


def run_encoder(
    encoder: TextEncoder, chunks: list[list[Token]], layer_idx: int | None = None
) -> tuple[Tensor, Tensor]:
    """Vectors (N, 77, W) of a layer and pooled vectors (N, W') of N chunks of tokens."""
    module: Any = encoder.module
    device, dtype = encoder.device.device, encoder.device.text_dtype
    ids = [[token[0] for token in chunk] for chunk in chunks]
    h = _embed(module, ids).to(device, dtype)
    count = len(module.encoder.layers)
    layer = encoder.tower.layer if layer_idx is None else layer_idx
    wanted, kept = max(0, min(count, count + 1 + layer)), h
    mask = torch.full((h.shape[1], h.shape[1]), float("-inf"), device=device, dtype=dtype).triu(1)[None, None]
    for number, block in enumerate(module.encoder.layers, 1):
        h = block(h, attention_mask=mask)
        kept = h if number == wanted else kept
    final = module.final_layer_norm(h)
    if encoder.tower.normed:
        kept = final if wanted == count else module.final_layer_norm(kept)
    return kept.float().cpu(), _pooled(encoder, final, ids).float().cpu()


def _embed(module: Any, ids: list[list[Any]]) -> Tensor:
    table, places = module.embeddings.token_embedding.weight, module.embeddings.position_embedding.weight
    numbers = torch.tensor([[t if isinstance(t, int) else 0 for t in chunk] for chunk in ids])
    found = table[numbers.to(table.device)].float()
    for i, chunk in enumerate(ids):
        for j, token in enumerate(chunk):
            if isinstance(token, Tensor):
                found[i, j] = token.to(found)
    return found + places[: numbers.shape[1]].float()


def _pooled(encoder: TextEncoder, final: Tensor, ids: list[list[Any]]) -> Tensor:
    """The final vector at each chunk's first end token, projected."""
    ends = [next(i for i, t in enumerate(chunk) if isinstance(t, int) and t == END) for chunk in ids]
    pooled = final[torch.arange(len(ids)), torch.tensor(ends)]
    if encoder.projection is None:
        return pooled
    return pooled @ encoder.projection.to(pooled).t()
