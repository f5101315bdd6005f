"""Blur, sharpening, morphology, YUV and few colours equal their definitions."""

import numpy as np
import pytest
import torch
from PIL import Image

from nodes.filters import (
    image_blur,
    image_quantize,
    image_rgb_to_yuv,
    image_sharpen,
    image_yuv_to_rgb,
    morphology,
)
from nodes.neighbours import bayer, softened
from nodes.tensors import from_pillow, to_pillow
from tests.nodes.pixels import picture


def kernel_of(radius: int, sigma: float) -> np.ndarray:
    line = np.linspace(-1, 1, 2 * radius + 1)
    bell = np.exp(-(line[:, None] ** 2 + line[None] ** 2) / (2 * sigma**2))
    return bell / bell.sum()


def slowly(image: torch.Tensor, kernel: np.ndarray) -> np.ndarray:
    """Every point as the weighted sum of its neighbours, borders mirrored."""
    values, radius = image[0].numpy().astype(np.float64), kernel.shape[0] // 2
    padded = np.pad(values, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    height, width = values.shape[:2]
    return sum(  # pyright: ignore[reportReturnType]
        kernel[r, c] * padded[r : r + height, c : c + width] for r, c in np.ndindex(*kernel.shape)
    )


@pytest.mark.parametrize(("radius", "sigma"), [(1, 1.0), (3, 0.4), (6, 10.0), (20, 2.0)])
def test_a_blur_is_the_weighted_mean_of_the_neighbours(radius: int, sigma: float) -> None:
    image = picture(8, 11)
    assert np.allclose(
        image_blur(image, radius, sigma)[0], slowly(image, kernel_of(radius, sigma)), atol=1e-5
    )


@pytest.mark.parametrize("alpha", [0.0, 0.5, 5.0])
def test_sharpening_takes_the_blur_away(alpha: float) -> None:
    image = picture(9, 8)
    kernel = -10 * alpha * kernel_of(2, 0.7)
    kernel[2, 2] += 1 - kernel.sum()
    expected = np.clip(slowly(image, kernel), 0, 1)
    assert np.allclose(image_sharpen(image, 2, 0.7, alpha)[0], expected, atol=1e-4)


def test_a_kernel_larger_than_the_picture_is_no_trouble() -> None:
    dot = picture(1, 1)
    assert torch.allclose(image_blur(dot, 31, 10.0), dot)
    assert image_sharpen(picture(2, 3), 31, 1.0, 1.0).shape == (1, 2, 3, 3)


def windows(image: torch.Tensor, size: int, worst: float) -> np.ndarray:
    """(H, W, C, size * size): what lies in the square around every point."""
    before, after = size // 2, size - size // 2 - 1
    edges = ((before, after), (before, after), (0, 0))
    padded = np.pad(image[0].numpy(), edges, constant_values=worst)
    height, width = image.shape[1:3]
    parts = [padded[r : r + height, c : c + width] for r, c in np.ndindex(size, size)]
    return np.stack(parts, -1)


def shrunk(image: torch.Tensor, size: int) -> torch.Tensor:
    return torch.from_numpy(windows(image, size, np.inf).min(-1))[None]


def grown(image: torch.Tensor, size: int) -> torch.Tensor:
    return torch.from_numpy(windows(image, size, -np.inf).max(-1))[None]


@pytest.mark.parametrize("size", [3, 4, 7])
def test_morphology_is_least_and_greatest_of_squares(size: int) -> None:
    image = picture(9, 10)
    opened, closed = grown(shrunk(image, size), size), shrunk(grown(image, size), size)
    expected = {
        "erode": shrunk(image, size),
        "dilate": grown(image, size),
        "open": opened,
        "close": closed,
        "gradient": grown(image, size) - shrunk(image, size),
        "top_hat": image - opened,
        "bottom_hat": closed - image,
    }
    for operation, wanted in expected.items():
        made = morphology(image, operation, size)  # pyright: ignore[reportArgumentType]
        assert torch.equal(made, wanted), operation


def test_a_square_larger_than_the_picture_is_no_trouble() -> None:
    assert torch.equal(
        morphology(picture(3, 4), "dilate", 999), picture(3, 4).amax((1, 2), True).expand(1, 3, 4, 3)
    )


def test_yuv_is_bt601_and_comes_back() -> None:
    image = picture(6, 7, 2)
    parts = image_rgb_to_yuv(image)
    red, green, blue = image.numpy().transpose(3, 0, 1, 2)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    for part, wanted in zip(
        parts, (luma, (blue - luma) * 0.564 + 0.5, (red - luma) * 0.713 + 0.5), strict=True
    ):
        assert part.shape == image.shape
        assert np.allclose(part, wanted[..., None].repeat(3, -1), atol=1e-6)
    assert torch.allclose(image_yuv_to_rgb(*parts), image, atol=2e-3)
    white = torch.ones(1, 1, 1, 3)
    assert image_yuv_to_rgb(white, white, white).tolist() == [[[[1.0, pytest.approx(0.471), 1.0]]]]


def test_yuv_of_batches_of_unlike_length_is_repeated() -> None:
    Y, U, V = image_rgb_to_yuv(picture(count=3))
    assert image_yuv_to_rgb(Y, U[:1], V[:2]).shape == (3, 7, 9, 3)


@pytest.mark.parametrize("dither", ["none", "floyd-steinberg"])
def test_few_colours_are_pillow_s(dither: str) -> None:
    image = picture(16, 16, 2)
    made = image_quantize(image, 5, dither=dither)  # pyright: ignore[reportArgumentType]
    for one, few in zip(image, made, strict=True):
        source = to_pillow(one)
        way = Image.Dither.NONE if dither == "none" else Image.Dither.FLOYDSTEINBERG
        expected = source.quantize(palette=source.quantize(5), dither=way).convert("RGB")
        assert torch.equal(few, from_pillow(expected))


@pytest.mark.parametrize("order", [2, 4, 8, 16])
def test_a_pattern_dithers_a_ramp_in_few_colours(order: int) -> None:
    ramp = torch.linspace(0, 1, 64).expand(64, 64)[None, ..., None].expand(1, 64, 64, 3)
    made = image_quantize(ramp, 4, dither=f"bayer-{order}")  # pyright: ignore[reportArgumentType]
    assert len(torch.unique(made)) <= 4
    assert (made.mean((0, 1, 3)) - ramp.mean((0, 1, 3))).abs().mean() < 0.12


def test_bayer_s_matrix_holds_every_threshold_once() -> None:
    known = torch.tensor([[0.0, 2.0], [3.0, 1.0]])
    assert torch.allclose(bayer(2), (known - 1.5) / 4)
    assert len(torch.unique(bayer(16))) == 256
    assert abs(float(bayer(8).mean())) < 1e-6 and float(bayer(8).abs().max()) < 0.5


def test_a_softened_mask_keeps_its_inside_and_ends() -> None:
    hole = torch.zeros(1, 40, 40)
    hole[:, 15:25, 15:25] = 1
    soft = softened(hole, 5)
    assert (soft[hole == 1] > 1 - 1e-6).all()
    assert soft[:, :5].sum() == 0 and soft[:, :, :5].sum() == 0
    assert ((soft > 0) & (soft < 1)).any()
