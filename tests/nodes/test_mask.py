"""Masks are combined, grown and faded as their definitions say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nodes.mask import (
    crop_mask,
    feather_mask,
    grow_mask,
    image_color_to_mask,
    image_to_mask,
    invert_mask,
    mask_composite,
    mask_preview,
    mask_to_image,
    solid_mask,
    threshold_mask,
)
from tests.nodes.contexts import context_in
from tests.nodes.pixels import mask, picture


def test_masks_become_grey_pictures_and_channels_masks() -> None:
    grey = mask_to_image(mask(count=2))
    assert grey.shape == (2, 7, 9, 3)
    for channel in ("red", "green", "blue"):
        assert torch.equal(image_to_mask(grey, channel), mask(count=2))
    assert mask_to_image(mask()[0]).shape == (1, 7, 9, 3)
    assert torch.equal(image_to_mask(picture(channels=4), "alpha"), picture(channels=4)[..., 3])


def test_a_channel_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="3 channels and no alpha"):
        image_to_mask(picture(), "alpha")


def test_a_colour_becomes_a_mask_where_it_is_exact() -> None:
    image = torch.zeros(1, 2, 2, 3)
    image[0, 1, 0] = torch.tensor([0x12, 0x34, 0xFE]) / 255
    assert torch.equal(image_color_to_mask(image, 0x1234FE)[0], torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    assert image_color_to_mask(image, 0).sum() == 3


def test_solid_inverted_and_threshold_masks_are_what_they_say() -> None:
    assert torch.equal(solid_mask(0.25, 3, 2), torch.full((1, 2, 3), 0.25))
    assert torch.equal(invert_mask(mask()), 1 - mask())
    assert torch.equal(threshold_mask(mask(), 0.5), (mask() > 0.5).float())


def test_a_crop_of_a_mask_begins_inside_it() -> None:
    assert torch.equal(crop_mask(mask(), 2, 1, 100, 3), mask()[:, 1:4, 2:])
    with pytest.raises(ValueError, match="outside the mask of 9×7"):
        crop_mask(mask(), 9, 0, 1, 1)


@pytest.mark.parametrize("operation", ["multiply", "add", "subtract", "and", "or", "xor"])
def test_masks_are_combined_where_they_lie_on_each_other(operation: str) -> None:
    below, above = mask(8, 8, 2), mask(5, 4, seed=5)
    made = mask_composite(below, above, 6, 2, operation=operation)  # pyright: ignore[reportArgumentType]
    expected = below.numpy().copy()
    first, second = expected[:, 2:7, 6:], above.numpy()[:, :, :2]
    bits = first.round().astype(bool), second.round().astype(bool)
    formulas = {
        "multiply": first * second,
        "add": np.clip(first + second, 0, 1),
        "subtract": np.clip(first - second, 0, 1),
        "and": bits[0] & bits[1],
        "or": bits[0] | bits[1],
        "xor": bits[0] ^ bits[1],
    }
    expected[:, 2:7, 6:] = formulas[operation]
    assert np.allclose(made, expected)


def test_a_mask_laid_outside_changes_nothing() -> None:
    below = mask()
    assert torch.equal(mask_composite(below, mask(), 500, 500, operation="add"), below)


def test_feathering_fades_as_the_field_does() -> None:
    """Columns from the right and rows from the bottom are counted as -0, -1, ...: the first is column 0."""
    made = feather_mask(torch.ones(2, 6, 8), 4, 2, 3, 50)
    expected = np.ones((6, 8))
    for step in range(4):
        expected[:, step] *= (step + 1) / 4
    for step in range(3):
        expected[:, -step] *= (step + 1) / 3
    for step in range(2):
        expected[step] *= (step + 1) / 2
    for step in range(6):
        expected[-step] *= (step + 1) / 6
    assert np.allclose(made, np.stack((expected, expected)))
    assert torch.equal(feather_mask(mask()), mask())


def slowly_grown(values: np.ndarray, steps: int, corners: bool) -> np.ndarray:
    for _ in range(steps):
        padded = np.pad(values, 1, constant_values=-np.inf)
        height, width = values.shape
        parts = [
            padded[r : r + height, c : c + width] for r, c in np.ndindex(3, 3) if corners or r == 1 or c == 1
        ]
        values = np.max(parts, 0)
    return values


@pytest.mark.parametrize("tapered", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 3, -2, 9999, -16384])
def test_growing_takes_the_greatest_neighbour_step_by_step(steps: int, tapered: bool) -> None:
    values = mask(9, 11, 2)
    made = grow_mask(values, steps, tapered)
    sign = -1 if steps < 0 else 1
    for plane, found in zip(values.numpy(), made, strict=True):
        expected = sign * slowly_grown(sign * plane, min(abs(steps), 20), not tapered)
        assert np.array_equal(found, expected)


def test_a_mask_is_previewed_as_a_grey_picture(tmp_path: Path) -> None:
    (shown,) = mask_preview(mask(), context_in(tmp_path)).ui["images"]
    assert shown["type"] == "temp" and (tmp_path / "temp" / shown["filename"]).is_file()


def test_one_point_is_a_mask_too() -> None:
    dot = torch.ones(1, 1, 1)
    assert torch.equal(grow_mask(dot, 5), dot) and torch.equal(grow_mask(dot, -5, False), dot)
    assert feather_mask(dot, 9, 9, 9, 9).shape == (1, 1, 1)
