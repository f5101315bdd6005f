"""Cropping, padding, turning and stitching do to pixels what their definitions say."""

import numpy as np
import pytest
import torch
from PIL import Image

from graph.facts import Known, infer_facts
from nodes import registry
from nodes.image_edit import (
    image_add_noise,
    image_crop,
    image_flip,
    image_from_batch,
    image_pad_for_outpaint,
    image_rotate,
    image_stitch,
    rebatch_images,
    repeat_image_batch,
    resize_and_pad_image,
)
from nodes.tensors import channels_first, channels_last, from_pillow, resize, to_pillow
from tests.nodes.pixels import picture


def test_a_crop_is_a_slice_that_ends_with_the_picture() -> None:
    image = picture(10, 12, 2)
    assert torch.equal(image_crop(image, 4, 3, 2, 1), image[:, 1:4, 2:6])
    assert image_crop(image, 100, 100, 11, 9).shape == (2, 1, 1, 3)
    assert torch.equal(image_crop(image, 5, 5, 500, 500), image[:, -1:, -1:])


def slow_fade(size: tuple[int, int], borders: tuple[int, int, int, int], reach: int) -> np.ndarray:
    """The mask inside the picture, point by point."""
    height, width = size
    left, top, right, bottom = borders
    found = np.zeros(size)
    for y in range(height):
        for x in range(width):
            near = min(
                x if left else width, width - x if right else width, y if top else height,
                height - y if bottom else height,
            )  # fmt: skip
            found[y, x] = max(0.0, (reach - near) / reach) ** 2
    return found


@pytest.mark.parametrize("borders", [(8, 0, 0, 0), (0, 8, 16, 0), (8, 8, 8, 8), (0, 0, 0, 24), (0, 0, 0, 0)])
def test_the_mask_of_an_outpainting_fades_into_the_picture(borders: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = borders
    padded, mask = image_pad_for_outpaint(picture(21, 26, 2), *borders, feathering=9)
    assert padded.shape == (2, 21 + top + bottom, 26 + left + right, 3)
    assert mask.shape == (1, *padded.shape[1:3])
    inside = (slice(top, top + 21), slice(left, left + 26))
    assert torch.equal(padded[:, *inside], picture(21, 26, 2))
    assert np.allclose(mask[0][inside], slow_fade((21, 26), borders, 9), atol=1e-6)
    outside = torch.ones(padded.shape[1:3], dtype=torch.bool)
    outside[inside] = False
    assert (mask[0][outside] == 1).all() and (padded[:, outside] == 0.5).all()


def test_a_picture_too_small_to_fade_gets_a_hard_mask() -> None:
    _, mask = image_pad_for_outpaint(picture(8, 8), left=8, feathering=4)
    assert mask[0, :, 8:].sum() == 0


@pytest.mark.parametrize(("color", "value"), [("white", 1.0), ("black", 0.0)])
def test_a_padded_picture_stands_in_the_middle(color: str, value: float) -> None:
    image = picture(6, 12)
    made = resize_and_pad_image(image, 24, 20, padding_color=color, interpolation="bilinear")  # pyright: ignore[reportArgumentType]
    assert made.shape == (1, 20, 24, 3)
    scaled = channels_last(resize(channels_first(image), 24, 12, "bilinear"))
    assert torch.equal(made[:, 4:16], scaled)
    assert (made[:, :4] == value).all() and (made[:, 16:] == value).all()


@pytest.mark.parametrize(
    ("rotation", "way"),
    [
        ("90 degrees", Image.Transpose.ROTATE_270),
        ("180 degrees", Image.Transpose.ROTATE_180),
        ("270 degrees", Image.Transpose.ROTATE_90),
    ],
)
def test_turns_are_clockwise_as_pillow_turns(rotation: str, way: Image.Transpose) -> None:
    image = picture(3, 5).mul(255).floor().div(255)
    turned = image_rotate(image, rotation)  # pyright: ignore[reportArgumentType]
    assert torch.allclose(turned[0], from_pillow(to_pillow(image[0]).transpose(way)), atol=1 / 254)


def test_mirroring_is_along_the_named_axis() -> None:
    image = picture()
    assert torch.equal(image_flip(image, "x-axis: vertically"), image[:, torch.arange(6, -1, -1)])
    assert torch.equal(image_flip(image, "y-axis: horizontally"), image[:, :, torch.arange(8, -1, -1)])


def test_stitching_puts_the_second_where_it_is_told() -> None:
    first, second = picture(4, 4, seed=1), picture(4, 4, seed=2)
    places = {"right": (0, 1), "down": (0, 1), "left": (1, 0), "up": (1, 0)}
    for direction, order in places.items():
        axis = 2 if direction in ("right", "left") else 1
        made = image_stitch(first, direction, False, 0, "white", second)  # pyright: ignore[reportArgumentType]
        parts = (first, second)
        assert torch.equal(made, torch.cat([parts[place] for place in order], axis))


def test_the_gap_of_a_stitch_has_an_even_width_and_its_colour() -> None:
    made = image_stitch(picture(4, 4), "right", False, 3, "green", picture(4, 4))
    assert made.shape == (1, 4, 12, 3)
    assert torch.equal(made[0, 0, 4:8], torch.tensor([[0.0, 1.0, 0.0]]).expand(4, 3))


def test_stitched_pictures_of_unlike_sizes_are_scaled_or_padded() -> None:
    first, second = picture(8, 4), picture(4, 6, seed=2)
    assert image_stitch(first, "right", True, 0, "white", second).shape == (1, 8, 4 + 12, 3)
    padded = image_stitch(first, "right", False, 0, "white", second)
    assert padded.shape == (1, 8, 10, 3)
    assert torch.equal(padded[:, 2:6, 4:], second) and (padded[:, :2, 4:] == 1).all()
    down = image_stitch(first, "down", False, 0, "black", second)
    assert down.shape == (1, 12, 6, 3) and (down[:, :8, 0] == 0).all()


def test_stitched_batches_and_channels_are_filled_up() -> None:
    made = image_stitch(picture(4, 4, 3), "right", True, 0, "white", picture(4, 4, 1, channels=4))
    assert made.shape == (3, 4, 8, 4)
    assert (made[:, :, :4, 3] == 1).all()
    assert torch.equal(image_stitch(picture(4, 4)), picture(4, 4))


def test_batches_are_repeated_taken_and_cut_anew() -> None:
    image = picture(count=5)
    assert torch.equal(repeat_image_batch(image, 2), torch.cat((image, image)))
    assert torch.equal(image_from_batch(image, 3, 10), image[3:])
    assert torch.equal(image_from_batch(image, 99, 1), image[-1:])
    again = rebatch_images([image, image[:2]], 3)
    assert [part.shape[0] for part in again] == [3, 3, 1]
    assert torch.equal(torch.cat(again), torch.cat((image, image[:2])))


def test_pictures_of_unlike_sizes_do_not_make_a_batch() -> None:
    with pytest.raises(ValueError, match=r"9×7 .+ Scale them to one size"):
        rebatch_images([picture(), picture(4, 4)], 2)


def test_pictures_of_unlike_sizes_can_stand_in_batches_of_their_own() -> None:
    made = rebatch_images([picture(count=2), picture(4, 4)], 2)
    assert [tuple(part.shape) for part in made] == [(2, 7, 9, 3), (1, 4, 4, 3)]


def test_noise_is_the_seed_s_and_stays_in_range() -> None:
    image = picture(16, 16)
    noisy = image_add_noise(image, 7, 0.5)
    drawn = torch.randn(image.shape, generator=torch.Generator().manual_seed(7))
    assert torch.equal(noisy, (image + 0.5 * drawn).clamp(0, 1))
    assert torch.equal(image_add_noise(image, 7, 0.0), image)


def test_one_pixel_is_a_picture_too() -> None:
    dot = picture(1, 1)
    assert torch.equal(image_rotate(dot, "90 degrees"), dot)
    assert resize_and_pad_image(dot, 3, 5, padding_color="white", interpolation="area").shape == (1, 5, 3, 3)
    assert image_stitch(dot, "down", True, 0, "white", picture(9, 200)).shape[2] == 1
    assert image_pad_for_outpaint(dot, 8, 8, 8, 8)[0].shape == (1, 17, 17, 3)


def test_a_very_large_picture_is_cut_and_turned_without_a_copy() -> None:
    large = torch.zeros(1).expand(1, 8192, 8192, 3)
    assert image_crop(large, 8000, 8192, 500, 0).shape == (1, 8192, 7692, 3)
    narrow = torch.zeros(1, 8192, 8192, 1, dtype=torch.uint8)
    assert image_rotate(narrow, "90 degrees").shape == (1, 8192, 8192, 1)


CASES = [
    ("ImageCrop", {"width": 5, "height": 3, "x": 6, "y": 1}),
    ("ImagePadForOutpaint", {"left": 8, "top": 0, "right": 16, "bottom": 8, "feathering": 2}),
    ("ResizeAndPadImage", {"target_width": 30, "target_height": 20, "padding_color": "white",
                           "interpolation": "area"}),
    ("ImageRotate", {"rotation": "90 degrees"}),
    ("ImageFlip", {"flip_method": "x-axis: vertically"}),
    ("ImageScale", {"upscale_method": "area", "width": 0, "height": 21, "crop": "disabled"}),
    ("ImageScaleToTotalPixels", {"upscale_method": "area", "megapixels": 0.01}),
    ("ImageScaleToMaxDimension", {"upscale_method": "area", "largest_size": 30}),
    ("RepeatImageBatch", {"amount": 3}),
    ("ImageFromBatch", {"batch_index": 1, "length": 5}),
    ("ImageInvert", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values"), CASES, ids=[name for name, _ in CASES])
def test_the_size_told_before_running_is_the_size_made(name: str, values: dict[str, object]) -> None:
    image = picture(7, 9, 2)
    spec = registry().get(name)
    assert spec is not None
    source = {"width": 9, "height": 7, "batch": 2}
    told = infer_facts(spec, Known(values, {"image": source})).outputs["IMAGE"]
    made = spec.run(image=image, **values)[0]
    assert (told["batch"], told["height"], told["width"]) == tuple(made.shape[:3])


@pytest.mark.parametrize("direction", ["right", "up"])
@pytest.mark.parametrize("match", [True, False])
def test_the_size_of_a_stitch_is_known_before_running(direction: str, match: bool) -> None:
    values = {"direction": direction, "match_image_size": match, "spacing_width": 4, "spacing_color": "red"}
    spec = registry().get("ImageStitch")
    assert spec is not None
    known = Known(values, {"image1": {"width": 9, "height": 7}, "image2": {"width": 20, "height": 11}})
    told = infer_facts(spec, known).outputs["IMAGE"]
    made = spec.run(image1=picture(7, 9), image2=picture(11, 20), **values)[0]
    assert (told["height"], told["width"]) == tuple(made.shape[1:3])


def test_the_size_is_not_told_while_it_comes_by_link() -> None:
    spec = registry().get("ImageCrop")
    assert spec is not None
    known = Known({"height": 3, "x": 0, "y": 0}, {"image": {"width": 9, "height": 7}})
    assert "width" not in infer_facts(spec, known).outputs.get("IMAGE", {})
