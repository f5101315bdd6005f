"""Patches of self-attention over fewer tokens: tiles, merged tokens; and scaled attention weights."""

import math
from typing import Any

import torch
from torch import Tensor

from diffusion.values import Clip, Model

Options = dict[str, Any]


def tile_count(size: int, smallest: int, choices: int, generator: torch.Generator | None) -> int:
    """How many tiles to cut a side of `size` tokens in: one of the first `choices` that leave `smallest`
    tokens or more, the finest most often (the field never draws the coarsest)."""
    smallest = min(smallest, size)
    counts = [size // side for side in range(smallest, size + 1) if size % side == 0][:choices]
    if len(counts) == 1:
        return counts[0]
    return counts[int(torch.randint(0, len(counts) - 1, (1,), generator=generator))]


def cut(x: Tensor, down: int, across: int, rows: int, columns: int) -> Tensor:
    """(B, rows·columns, C) as tiles (B·down·across, T, C)."""
    tiles = x.reshape(-1, down, rows // down, across, columns // across, x.shape[-1])
    return tiles.transpose(2, 3).flatten(0, 2).flatten(1, 2)


def joined(x: Tensor, down: int, across: int, rows: int, columns: int) -> Tensor:
    """What `cut` cut, whole again."""
    tiles = x.reshape(-1, down, across, rows // down, columns // across, x.shape[-1])
    return tiles.transpose(2, 3).flatten(1, 4)


def hyper_tile(model: Model, tile_size: int, swap_size: int, max_depth: int, scale_depth: bool) -> Model:
    """Self-attention within tiles of a large picture (tfernd 2023, "HyperTile").

    tile_size: least side in pixels, at least 32; swap_size: how many tilings are drawn from; max_depth: how
    many levels are tiled beyond the first; scale_depth: deeper levels get larger tiles. As in the field, keys
    and values are cut into as many bands as there are tiles, in reading order.
    """
    smallest = max(32, tile_size) // 8
    tiling: list[tuple[int, int, int, int]] = []

    def into(q: Tensor, k: Tensor, v: Tensor, options: Options) -> tuple[Tensor, Tensor, Tensor]:
        height, width = options["original_shape"][-2:]
        sizes = [height / 2**depth * (width / 2**depth) for depth in range(max_depth + 1)]
        tiling.clear()
        if q.shape[1] not in sizes:
            return q, k, v
        least = smallest * (2 ** sizes.index(q.shape[1]) if scale_depth else 1)
        # The field takes the wider side for the rows; pictures that are not square depend on it.
        rows, columns = (round(math.sqrt(q.shape[1] * ratio)) for ratio in (width / height, height / width))
        counts = [tile_count(size, least, swap_size, options.get("generator")) for size in (rows, columns)]
        if rows * columns != q.shape[1] or math.prod(counts) == 1:
            return q, k, v
        tiling.append((counts[0], counts[1], rows, columns))
        tiles = cut(q, *tiling[0])
        bands = (tiles.shape[0], -1, q.shape[-1])
        return tiles, k.reshape(bands), v.reshape(bands)

    def out_of(out: Tensor, options: Options) -> Tensor:
        return joined(out, *tiling.pop()) if tiling else out

    patched = model.clone()
    patched.set_model_attn1_patch(into)
    patched.set_model_attn1_output_patch(out_of)
    return patched


class Merging:
    """Which tokens of (B, rows·columns, C) are merged into which: the `count` most alike ones into the
    nearest of those drawn, one in each 2 × 2."""

    def __init__(
        self, tokens: Tensor, rows: int, columns: int, count: int, generator: torch.Generator | None
    ) -> None:
        drawn = _drawn(rows, columns, generator).to(tokens.device)
        order = drawn.flatten().logical_not().to(torch.int8).argsort(stable=True)
        self.kept, self.others = order[: int(drawn.sum())], order[int(drawn.sum()) :]
        unit = tokens / tokens.norm(dim=-1, keepdim=True)
        likeness, nearest = (unit[:, self.others] @ unit[:, self.kept].transpose(1, 2)).max(-1)
        ranked = likeness.argsort(-1, descending=True)
        count = min(count, len(self.others))
        self.merged, self.alone = ranked[:, :count, None], ranked[:, count:, None]
        self.into = nearest.gather(1, ranked[:, :count])[..., None]

    def merge(self, x: Tensor) -> Tensor:
        """Those that stay alone, then those drawn, each averaged with what is merged into it."""
        width = x.shape[-1]
        others, kept = x[:, self.others], x[:, self.kept]
        merged = others.gather(1, self.merged.expand(-1, -1, width))
        kept = kept.scatter_reduce(1, self.into.expand(-1, -1, width), merged, "mean")
        return torch.cat([others.gather(1, self.alone.expand(-1, -1, width)), kept], dim=1)

    def unmerge(self, x: Tensor) -> Tensor:
        """Every token back at its place; those merged get what they were merged into."""
        count, width = self.alone.shape[1], x.shape[-1]
        alone, kept = x[:, :count], x[:, count:]
        others = x.new_zeros(x.shape[0], len(self.others), width)
        others.scatter_(1, self.alone.expand(-1, -1, width), alone)
        back = kept.gather(1, self.into.expand(-1, -1, width))
        others.scatter_(1, self.merged.expand(-1, -1, width), back)
        whole = x.new_zeros(x.shape[0], len(self.others) + len(self.kept), width)
        whole[:, self.others], whole[:, self.kept] = others, kept
        return whole


def _drawn(rows: int, columns: int, generator: torch.Generator | None) -> Tensor:
    """One place of each whole 2 × 2, drawn: (rows, columns) of booleans."""
    down, across = rows // 2, columns // 2
    places = torch.randint(4, (down, across, 1), generator=generator)
    squares = torch.zeros(down, across, 4, dtype=torch.bool).scatter_(2, places, True)
    drawn = torch.zeros(rows, columns, dtype=torch.bool)
    drawn[: down * 2, : across * 2] = (
        squares.reshape(down, across, 2, 2).transpose(1, 2).reshape(down * 2, across * 2)
    )
    return drawn


def merge_tokens(model: Model, ratio: float) -> Model:
    """Self-attention of the first level asked by fewer tokens: a part `ratio` of them is merged into those
    most alike (Bolya and Hoffman 2023, "Token merging for fast Stable Diffusion")."""
    merging: list[Merging] = []

    def into(q: Tensor, k: Tensor, v: Tensor, options: Options) -> tuple[Tensor, Tensor, Tensor]:
        height, width = options["original_shape"][-2:]
        count = int(q.shape[1] * ratio)
        merging.clear()
        if height * width != q.shape[1] or count <= 0 or 1 in (height, width):
            return q, k, v
        merging.append(Merging(q, height, width, count, options.get("generator")))
        return merging[0].merge(q), k, v

    def out_of(out: Tensor, options: Options) -> Tensor:
        return merging.pop().unmerge(out) if merging else out

    patched = model.clone()
    patched.set_model_attn1_patch(into)
    patched.set_model_attn1_output_patch(out_of)
    return patched


def multiply_attention(model: Model, attention: str, q: float, k: float, v: float, out: float) -> Model:
    """The projections of every attention of a kind ("attn1": self, "attn2": text) times factors."""
    factors = {f"{attention}.{n}": f for n, f in (("to_q", q), ("to_k", k), ("to_v", v), ("to_out.0", out))}
    patched = model.clone()
    for name in model.model.diffusion_model.state_dict():
        if (factor := factors.get(".".join(name.split(".")[-3:-1]))) is None:
            factor = factors.get(".".join(name.split(".")[-4:-1]))
        if factor is not None:
            patched.add_patches({name: torch.zeros_like}, 0.0, factor)
    return patched


def multiply_text_attention(clip: Clip, q: float, k: float, v: float, out: float) -> Clip:
    """The projections of every attention of the text encoders times factors."""
    factors = {"q_proj": q, "k_proj": k, "v_proj": v, "out_proj": out}
    patched = clip.clone()
    for encoder in clip.encoders:
        for name in encoder.module.state_dict():
            path, _, leaf = name.rpartition(".")[0].rpartition(".")
            if path.endswith("self_attn") and leaf in factors:
                patched.add_encoder_patches(encoder, {name: torch.zeros_like}, 0.0, factors[leaf])
    return patched
