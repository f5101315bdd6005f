"""Scaling and cropping equal their definitions."""

import math

import pytest
import torch

from nodes.tensors import bislerp, center_crop, repeat_to, resize, slerp, to_bytes


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos", "bislerp"])
def test_every_method_keeps_one_colour_and_gives_the_size(method: str) -> None:
    samples = torch.full((2, 3, 6, 8), 0.4)
    scaled = resize(samples, 20, 10, method)
    assert scaled.shape == (2, 3, 10, 20)
    assert torch.allclose(scaled, torch.tensor(0.4), atol=1 / 255)


def test_the_middle_is_kept_when_cropping() -> None:
    samples = torch.arange(8.0).expand(1, 1, 4, 8)
    assert center_crop(samples, 1, 1)[0, 0, 0].tolist() == [2, 3, 4, 5]
    assert center_crop(samples.transpose(2, 3), 10, 10)[0, 0, :, 0].tolist() == [2, 3, 4, 5]
    assert center_crop(samples, 16, 8).shape == (1, 1, 4, 8)


def test_half_of_the_way_between_two_directions_is_in_the_middle_of_the_arc() -> None:
    turned = slerp(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]]), torch.tensor([[0.5]]))
    assert torch.allclose(turned, torch.full((1, 2), 3 / math.sqrt(2)))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([1.0, 0], [1.0, 0], [1.0, 0]), ([1.0, 0], [-1.0, 0], [0.5, 0]), ([0.0, 0], [0.0, 0], [0.0, 0])],
)
def test_directions_that_have_no_arc_are_no_trouble(
    first: list[float], second: list[float], expected: list[float]
) -> None:
    turned = slerp(torch.tensor([first]), torch.tensor([second]), torch.tensor([[0.25]]))
    assert torch.allclose(turned, torch.tensor([expected]))


def test_bislerp_keeps_the_length_of_vectors() -> None:
    vectors = torch.randn(1, 4, 5, 7, generator=torch.Generator().manual_seed(1))
    samples = vectors / vectors.norm(dim=1, keepdim=True)
    lengths = bislerp(samples, 13, 9).norm(dim=1)
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-5)


def test_bislerp_to_the_same_size_changes_nothing() -> None:
    samples = torch.randn(1, 4, 5, 7, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(bislerp(samples, 7, 5), samples, atol=1e-6)


def test_fractions_of_a_step_are_cut_off_and_all_bytes_survive() -> None:
    every = torch.arange(256) / 255
    assert to_bytes(every.reshape(16, 16, 1)).flatten().tolist() == list(range(256))
    assert to_bytes(torch.tensor([[[-1.0, 0.9999 / 255, 2.0]]])).tolist() == [[[0, 0, 255]]]


def test_a_batch_is_repeated_and_cut() -> None:
    assert repeat_to(torch.tensor([[1], [2]]), 5).flatten().tolist() == [1, 2, 1, 2, 1]
    assert repeat_to(torch.tensor([[1], [2]]), 1).flatten().tolist() == [1]
