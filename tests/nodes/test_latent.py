"""Nodes that make and change latents."""

from typing import Any

import pytest
import torch

from nodes.latent import (
    empty_latent_image,
    latent_from_batch,
    latent_upscale,
    latent_upscale_by,
    repeat_latent_batch,
    set_latent_noise_mask,
)


def batch(count: int = 3, **more: Any) -> dict[str, Any]:
    return {"samples": torch.arange(count * 4.0).reshape(count, 1, 2, 2).repeat(1, 4, 1, 1), **more}


def test_an_empty_latent_is_an_eighth_of_the_picture() -> None:
    assert empty_latent_image(64, 32, 2)["samples"].shape == (2, 4, 4, 8)


def test_a_noise_mask_gets_a_channel_and_the_rest_survives() -> None:
    start = batch(batch_index=[5, 6, 7])
    masked = set_latent_noise_mask(start, torch.ones(8, 8))
    assert masked["noise_mask"].shape == (1, 1, 8, 8)
    assert masked["batch_index"] == [5, 6, 7] and "noise_mask" not in start


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(128, 64, (8, 16)), (128, 0, (16, 16)), (0, 0, (2, 2)), (8, 8, (8, 8)), (100, 64, (8, 12))],
)
def test_a_latent_is_scaled_to_a_size_in_pixels(width: int, height: int, size: tuple[int, int]) -> None:
    scaled = latent_upscale(batch(), "nearest-exact", width=width, height=height, crop="disabled")
    assert tuple(scaled["samples"].shape[2:]) == size


def test_a_latent_is_scaled_by_a_factor() -> None:
    scaled = latent_upscale_by(batch(batch_index=[0, 1, 2]), "bislerp", 2.5)
    assert scaled["samples"].shape == (3, 4, 5, 5)
    assert scaled["batch_index"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("start", "length", "numbers"), [(0, 1, [0]), (1, 2, [1, 2]), (1, 64, [1, 2]), (63, 5, [2])]
)
def test_part_of_a_batch_remembers_its_numbers(start: int, length: int, numbers: list[int]) -> None:
    mask = torch.arange(3.0).reshape(3, 1, 1, 1)
    taken = latent_from_batch(batch(noise_mask=mask), start, length)
    assert taken["batch_index"] == numbers
    assert taken["samples"][:, 0, 0, 0].tolist() == [4.0 * number for number in numbers]
    assert taken["noise_mask"].flatten().tolist() == numbers


def test_one_mask_for_all_stays_one() -> None:
    taken = latent_from_batch(batch(noise_mask=torch.ones(1, 1, 2, 2)), 1, 2)
    assert taken["noise_mask"].shape == (1, 1, 2, 2)


def test_repeats_of_a_batch_get_numbers_of_their_own() -> None:
    repeated = repeat_latent_batch(batch(2, batch_index=[3, 5], noise_mask=torch.ones(2, 1, 2, 2)), 3)
    assert repeated["samples"].shape[0] == 6 and repeated["noise_mask"].shape[0] == 6
    assert repeated["batch_index"] == [3, 5, 6, 8, 9, 11]
    assert "batch_index" not in repeat_latent_batch(batch(2), 2)
