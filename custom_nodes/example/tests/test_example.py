"""A node is a function and so is a sampler: tests call them."""

from types import SimpleNamespace
from typing import Any

import torch

from custom_nodes.example._sampling import cosine, sample_midpoint
from custom_nodes.example.nodes import tint


def test_a_tint_leans_pictures_towards_a_colour_and_shows_each() -> None:
    shown = list[Any]()
    context: Any = SimpleNamespace(progress=lambda done, total, preview: shown.append((done, preview.size)))
    picture = torch.full((2, 4, 6, 3), 0.5)
    red = tint(context, picture, 1.0, [1.0, 0.0, 0.0])
    assert torch.equal(red[0, 0, 0], torch.tensor([0.5, 0.0, 0.0])) and shown == [(1, (6, 4)), (2, (6, 4))]
    assert torch.equal(tint(context, picture, 0.0), picture)


def test_the_midpoint_rule_is_exact_where_the_slope_is_constant() -> None:
    levels = cosine(4, SimpleNamespace(sigma_max=torch.tensor(8.0)))  # type: ignore[arg-type]
    assert levels[0] == 8.0 and levels[-1] == 0.0 and (levels.diff() < 0).all()
    clean = torch.full((1, 4, 2, 2), 3.0)
    start = clean + levels[0]
    made = sample_midpoint(lambda x, sigma, **extra: clean, start, levels)
    assert torch.allclose(made, clean, atol=1e-5)
