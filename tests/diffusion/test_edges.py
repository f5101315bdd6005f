"""Canny edges: thin lines at steep changes, found by their two thresholds."""

import pytest
import torch

from diffusion.edges import canny
from diffusion.errors import DiffusionError


def step(height: float, size: int = 16) -> torch.Tensor:
    picture = torch.zeros(1, size, size, 3)
    # Rising over a pixel, for a step between two has two columns of one steepness, of which none is largest.
    picture[:, :, size // 2] = 0.6 * height
    picture[:, :, size // 2 + 1 :] = height
    return picture


def test_a_step_in_brightness_is_one_thin_line() -> None:
    found = canny(step(1.0), 0.4, 0.8)
    assert found.shape == (1, 16, 16, 3)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert found[0, :, :, 0].sum(0).nonzero().flatten().tolist() == [8]


def test_a_faint_step_counts_only_where_it_touches_a_steep_one() -> None:
    faint = step(0.25)
    assert canny(faint, 0.4, 0.9).sum() == 0
    fading = step(1.0, 32) * torch.linspace(1.0, 0.25, 32)[None, :, None, None]
    assert canny(fading, 0.4, 0.9)[0, 28, :, 0].nonzero().flatten().tolist() == [16]


def test_a_flat_picture_has_no_edges() -> None:
    assert canny(torch.full((2, 8, 8, 3), 0.5), 0.01, 0.02).sum() == 0


def test_thresholds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(DiffusionError, match=r"the low threshold 0\.8 is above the high threshold 0\.4"):
        canny(step(1.0), 0.8, 0.4)
