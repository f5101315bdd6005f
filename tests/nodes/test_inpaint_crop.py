"""Inpaint crop and stitch: the masked part goes out and comes back to its place, nothing else changes."""

import pytest
import torch

from nodes.inpaint_crop import Box, bounds, grown, inpaint_crop, inpaint_stitch
from tests.nodes.pixels import picture


def hole(height: int, width: int, box: Box, count: int = 1) -> torch.Tensor:
    mask = torch.zeros(count, height, width)
    mask[:, box.top : box.bottom, box.left : box.right] = 1
    return mask


BOX = Box(30, 20, 50, 36)


def test_the_bounds_are_the_smallest_box() -> None:
    assert bounds(hole(60, 90, BOX)) == BOX
    assert bounds(torch.zeros(1, 4, 6)) == Box(0, 0, 6, 4)


@pytest.mark.parametrize("by", [0, 5, 16, 500])
@pytest.mark.parametrize("box", [BOX, Box(0, 0, 1, 1), Box(89, 59, 90, 60), Box(0, 0, 90, 60)])
def test_a_grown_box_stays_inside_in_steps_of_eight(box: Box, by: int) -> None:
    made = grown(box, by, 90, 60)
    assert 0 <= made.left <= max(0, box.left - by) or made.left <= box.left
    assert made.left <= box.left and made.right >= box.right and made.right <= 90
    assert made.top <= box.top and made.bottom >= box.bottom and made.bottom <= 60
    assert (made.right - made.left) % 8 == 0 or made.right - made.left == 90
    assert (made.bottom - made.top) % 8 == 0 or made.bottom - made.top == 60


def test_an_untouched_cut_out_comes_back_as_it_was() -> None:
    image = picture(60, 90, 2)
    stitch, part, mask = inpaint_crop(image, hole(60, 90, BOX), 8, 0, 4)
    assert part.shape[0] == 2 and part.shape[1] % 8 == 0 and part.shape[2] % 8 == 0
    assert mask.shape == part.shape[:3]
    assert torch.allclose(inpaint_stitch(stitch, part), image, atol=1e-5)


@pytest.mark.parametrize("target", [0, 64, 256])
def test_only_the_mask_and_its_seam_change(target: int) -> None:
    image = picture(60, 90)
    stitch, part, _ = inpaint_crop(image, hole(60, 90, BOX), 16, target, 4)
    if target:
        assert max(part.shape[1:3]) == target
    made = inpaint_stitch(stitch, torch.ones_like(part))
    assert torch.allclose(made[0, 20:36, 30:50], torch.ones(()), atol=1e-5)
    reach = hole(60, 90, Box(30 - 8, 20 - 8, 50 + 8, 36 + 8))[0] == 0
    assert torch.equal(made[0][reach], image[0][reach])


def test_a_mask_of_another_size_is_scaled_to_the_picture() -> None:
    image = picture(64, 64)
    stitch, _, _ = inpaint_crop(image, hole(8, 8, Box(0, 0, 1, 1)), 0, 0, 0)
    assert (stitch["x"], stitch["y"]) == (0, 0) and stitch["mask"].shape[-1] <= 16


def test_an_empty_mask_takes_the_whole_picture() -> None:
    image = picture(16, 24)
    stitch, part, _ = inpaint_crop(image, torch.zeros(1, 16, 24), 8, 0, 2)
    assert part.shape == image.shape
    assert torch.equal(inpaint_stitch(stitch, torch.ones_like(part)), image)


def test_several_paintings_of_one_picture_are_a_batch() -> None:
    image = picture(32, 32)
    stitch, part, _ = inpaint_crop(image, hole(32, 32, Box(8, 8, 16, 16)), 8, 0, 0)
    made = inpaint_stitch(stitch, torch.cat((part, torch.zeros_like(part), torch.ones_like(part))))
    assert made.shape == (3, 32, 32, 3)
    assert made[1, 8:16, 8:16].sum() == 0 and made[2, 8:16, 8:16].mean() == 1


def test_one_pixel_is_painted_too() -> None:
    dot = picture(1, 1)
    stitch, part, _ = inpaint_crop(dot, torch.ones(1, 1, 1), 0, 64, 8)
    assert part.shape == (1, 64, 64, 3)
    assert torch.allclose(inpaint_stitch(stitch, torch.ones_like(part)), torch.ones(1, 1, 1, 3))
