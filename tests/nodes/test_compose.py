"""Blending, pasting and transparency equal their definitions, point by point."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from nodes.blending import OPERATORS
from nodes.compose import (
    image_blend,
    image_composite_masked,
    image_grid,
    join_image_with_alpha,
    porter_duff_image_composite,
    split_image_with_alpha,
)
from nodes.tensors import from_pillow
from tests.nodes.pixels import mask, picture


def soft(a: float, b: float) -> float:
    if b <= 0.5:
        return a - (1 - 2 * b) * a * (1 - a)
    bright = ((16 * a - 12) * a + 4) * a if a <= 0.25 else math.sqrt(a)
    return a + (2 * b - 1) * (bright - a)


BLENDS: dict[str, Callable[[float, float], float]] = {
    "normal": lambda a, b: b,
    "multiply": lambda a, b: a * b,
    "screen": lambda a, b: a + b - a * b,
    "overlay": lambda a, b: 2 * a * b if a <= 0.5 else 1 - 2 * (1 - a) * (1 - b),
    "soft_light": soft,
    "difference": lambda a, b: a - b,
}


@pytest.mark.parametrize("mode", BLENDS)
@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_a_blend_is_its_formula_at_every_point(mode: str, factor: float) -> None:
    first, second = picture(seed=1), picture(seed=2)
    made = image_blend(first, second, factor, blend_mode=mode)  # pyright: ignore[reportArgumentType]
    pairs = zip(first.flatten().tolist(), second.flatten().tolist(), strict=True)
    expected = [min(1, max(0, a * (1 - factor) + BLENDS[mode](a, b) * factor)) for a, b in pairs]
    assert np.allclose(made.flatten(), expected, atol=1e-5)


def test_unlike_sizes_channels_and_batches_blend() -> None:
    made = image_blend(picture(6, 8, 3), picture(20, 10, 2, channels=4), 0.5, blend_mode="normal")
    assert made.shape == (3, 6, 8, 3)
    made = image_blend(picture(6, 8, 1, channels=4), picture(6, 8, 2), 1.0, blend_mode="normal")
    assert made.shape == (2, 6, 8, 4) and (made[..., 3] == 1).all()


def test_pasting_equals_pillow_s() -> None:
    below = Image.effect_noise((12, 9), 80).convert("RGB")
    above, shape = Image.effect_noise((6, 5), 60).convert("RGB"), Image.effect_noise((6, 5), 90)
    made = image_composite_masked(
        from_pillow(below)[None], from_pillow(above)[None], 8, 6, False, from_pillow(shape)[None]
    )
    below.paste(above, (8, 6), shape)
    assert torch.allclose(made[0], from_pillow(below), atol=1.01 / 255)


def test_without_a_mask_all_is_pasted_and_nothing_else_changes() -> None:
    below, above = picture(8, 8, 2), picture(3, 3, seed=4)
    made = image_composite_masked(below, above, 6, 1)
    expected = below.clone()
    expected[:, 1:4, 6:] = above[:, :, :2]
    assert torch.equal(made, expected)
    assert torch.equal(image_composite_masked(below, above, 100, 100), below)


def test_a_source_can_be_scaled_to_the_destination() -> None:
    made = image_composite_masked(picture(8, 8), torch.ones(1, 2, 2, 3), 0, 0, True)
    assert (made == 1).all()


def simple(mode: str, s: float, sa: float, d: float, da: float) -> tuple[float, float]:
    """Colour (with its alpha in it) and alpha by Porter and Duff's table of factors."""
    factors = {
        "CLEAR": (0, 0), "SRC": (1, 0), "DST": (0, 1), "SRC_OVER": (1, 1 - sa), "DST_OVER": (1 - da, 1),
        "SRC_IN": (da, 0), "DST_IN": (0, sa), "SRC_OUT": (1 - da, 0), "DST_OUT": (0, 1 - sa),
        "SRC_ATOP": (da, 1 - sa), "DST_ATOP": (1 - da, sa), "XOR": (1 - da, 1 - sa),
    }  # fmt: skip
    union = sa + da - sa * da
    match mode:
        case "ADD":
            return min(1, s + d), min(1, sa + da)
        case "DARKEN":
            return (1 - da) * s + (1 - sa) * d + min(s, d), union
        case "LIGHTEN":
            return (1 - da) * s + (1 - sa) * d + max(s, d), union
        case "MULTIPLY":
            return s * d, sa * da
        case "SCREEN":
            return s + d - s * d, union
        case "OVERLAY":
            return (2 * s * d if 2 * d < da else sa * da - 2 * (da - s) * (sa - d)), union
        case _:
            first, second = factors[mode]
            return s * first + d * second, sa * first + da * second


@pytest.mark.parametrize("mode", sorted(OPERATORS))
def test_porter_duff_is_its_table_at_every_point(mode: str) -> None:
    source, target = picture(5, 6, 2, seed=1), picture(5, 6, 2, seed=2)
    veils = mask(5, 6, 2, seed=3), mask(5, 6, 2, seed=4)
    made, hidden = porter_duff_image_composite(source, veils[0], target, veils[1], mode)  # pyright: ignore[reportArgumentType]
    for place in np.ndindex(2, 5, 6):
        sa, da = (1 - float(veil[place]) for veil in veils)
        for channel in range(3):
            s, d = float(source[*place, channel]) * sa, float(target[*place, channel]) * da
            colour, alpha = simple(mode, s, sa, d, da)
            plain = min(1.0, max(0.0, colour / alpha)) if alpha > 1e-5 else 0.0
            assert abs(float(made[*place, channel]) - plain) < 1e-4
            assert abs(1 - float(hidden[place]) - alpha) < 1e-5


def test_laying_over_equals_pillow_s() -> None:
    below = Image.merge("RGBA", [Image.effect_noise((9, 7), 90) for _ in range(4)])
    above = Image.merge("RGBA", [Image.effect_noise((9, 7), 90) for _ in range(4)])
    parts = [split_image_with_alpha(from_pillow(one)[None]) for one in (above, below)]
    colours, hidden = porter_duff_image_composite(*parts[0], *parts[1], "SRC_OVER")
    expected = from_pillow(Image.alpha_composite(below, above))
    assert torch.allclose(1 - hidden[0], expected[..., 3], atol=1.01 / 255)
    assert torch.allclose(colours[0], expected[..., :3], atol=2.5 / 255)


def test_unlike_sizes_are_brought_to_the_destination() -> None:
    made, hidden = porter_duff_image_composite(
        picture(20, 10, 3), mask(4, 4, 3), picture(6, 8, 2), mask(6, 8, 5), "SRC_OVER"
    )
    assert made.shape == (2, 6, 8, 3) and hidden.shape == (2, 6, 8)


def test_alpha_comes_apart_and_together_again() -> None:
    image = picture(channels=4, count=2)
    colours, hidden = split_image_with_alpha(image)
    assert torch.equal(colours, image[..., :3])
    assert torch.allclose(hidden, 1 - image[..., 3])
    assert torch.allclose(join_image_with_alpha(colours, hidden), image)
    assert (split_image_with_alpha(picture())[1] == 0).all()
    assert join_image_with_alpha(picture(), mask(3, 4, 1)).shape == (1, 7, 9, 4)
    assert join_image_with_alpha(picture()[:1], mask(3, 4, 2)).shape == (1, 7, 9, 4)


def test_a_grid_has_a_cell_for_each_picture() -> None:
    ones = [torch.full((1, 4, 6, 3), level) for level in (0.1, 0.2, 0.3)]
    sheet = image_grid([torch.cat(ones[:2]), ones[2]], 2, "", 1, 16, 0)
    assert sheet.shape == (1, 2 * 5 + 1, 2 * 7 + 1, 3)
    assert torch.allclose(sheet[0, 1:5, 1:7], ones[0][0])
    assert torch.allclose(sheet[0, 1:5, 8:14], ones[1][0])
    assert torch.allclose(sheet[0, 6:10, 1:7], ones[2][0])
    assert (sheet[0, 6:, 8:] == 0).all()


def test_a_smaller_picture_stands_in_the_middle_of_its_cell() -> None:
    sheet = image_grid([torch.ones(1, 5, 5, 3), torch.ones(1, 1, 1, 3)], 2, "", 0, 16, 0)
    assert sheet.shape == (1, 5, 10, 3)
    assert sheet[0, 2, 7].sum() == 3 and sheet[0, :, 5:].sum() == 3


def test_labels_are_written_below_and_cut_to_the_cell() -> None:
    white = torch.ones(1, 30, 60, 3)
    plain = image_grid([white, white], 2, "", 4, 12)
    sheet = image_grid([white, white], 2, "cfg 7\n" + "long " * 50, 4, 12)
    assert sheet.shape[1] == plain.shape[1] + 18
    foot = sheet[0, 34:52]
    assert (foot[:, 4:64] < 0.5).any() and (foot[:, 68:128] < 0.5).any()
    assert (foot[:, :4] == 1).all() and (foot[:, 64:68] == 1).all() and (foot[:, 128:] == 1).all()


def test_a_grid_without_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        image_grid([torch.zeros(0, 4, 4, 3)])
