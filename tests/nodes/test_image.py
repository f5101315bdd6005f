"""Nodes that load, save and change pictures."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from graph.facts import Known, infer_facts
from nodes import registry
from nodes.image import (
    empty_image,
    get_image_size,
    image_batch,
    image_invert,
    image_scale,
    image_scale_by,
    image_scale_to_max_dimension,
    image_scale_to_total_pixels,
    load_image,
    load_image_mask,
    load_image_output,
)
from nodes.image_save import preview_image, save_image
from tests.nodes.contexts import context_in


def noise(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(1))


def test_a_saved_picture_loads_back(tmp_path: Path) -> None:
    context = context_in(tmp_path, workflow="{}")
    images = (noise(4, 5, 2) * 255).round() / 255
    outcome = save_image(images, context, "deep/name %width%")
    assert outcome.ui["images"] == [
        {"filename": f"name 5_0000{n}_.png", "subfolder": "deep", "type": "output"} for n in (1, 2)
    ]
    (tmp_path / "output" / "deep" / "name 5_00002_.png").rename(tmp_path / "input.png")
    context.job.files.folder("input")
    (tmp_path / "input.png").rename(tmp_path / "input" / "a.png")
    loaded, mask = load_image("a.png", context)
    assert torch.equal(loaded[0], images[1])
    assert mask.shape == (1, 64, 64)


def test_a_saved_picture_carries_the_workflow(tmp_path: Path) -> None:
    save_image(noise(2, 2), context_in(tmp_path, workflow='{"a": 1}', prompt="{}"))
    with Image.open(tmp_path / "output" / "ComfyUI_00001_.png") as picture:
        assert json.loads(picture.info["workflow"]) == {"a": 1}


def test_the_number_in_a_batch_can_be_in_the_name(tmp_path: Path) -> None:
    outcome = save_image(noise(2, 2, 2), context_in(tmp_path), "n%batch_num%")
    assert [image["filename"] for image in outcome.ui["images"]] == ["n0_00001_.png", "n1_00001_.png"]
    assert outcome.ui["images"][0]["subfolder"] == ""


def test_a_preview_goes_to_the_temporary_folder(tmp_path: Path) -> None:
    (shown,) = preview_image(noise(2, 2), context_in(tmp_path)).ui["images"]
    assert shown["type"] == "temp" and (tmp_path / "temp" / shown["filename"]).is_file()


def test_a_missing_picture_names_the_nearest(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    Image.new("RGB", (1, 1)).save(context.job.files.folder("input") / "cat.png")
    with pytest.raises(FileNotFoundError, match=r"cat\.png\?"):
        load_image("cats.png", context)


def test_a_channel_of_a_picture_is_a_mask(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    Image.new("RGB", (3, 2), (0, 255, 0)).save(context.job.files.folder("input") / "a.png")
    assert load_image_mask("a.png", "green", context).shape == (1, 2, 3)
    assert bool((load_image_mask("a.png", "green", context) == 1).all())
    assert torch.equal(load_image_mask("a.png", "alpha", context), torch.zeros(1, 2, 3))


def test_an_empty_image_has_the_colour_asked_for() -> None:
    image = empty_image(3, 2, 4, 0x336699)
    assert image.shape == (4, 2, 3, 3)
    assert (image[3, 1, 2] * 255).round().tolist() == [0x33, 0x66, 0x99]


@pytest.mark.parametrize(
    ("width", "height", "size"), [(4, 10, (10, 4)), (4, 0, (2, 4)), (0, 1, (1, 2)), (0, 0, (4, 8))]
)
def test_a_side_of_zero_follows_from_the_other(width: int, height: int, size: tuple[int, int]) -> None:
    scaled = image_scale(noise(4, 8), "area", width=width, height=height, crop="disabled")
    assert tuple(scaled.shape[1:3]) == size


def test_scaling_to_a_hair_leaves_one_pixel() -> None:
    assert image_scale_by(noise(4, 4), "bilinear", 0.01).shape == (1, 1, 1, 3)
    assert image_scale_by(noise(4, 6), "lanczos", 1.5).shape == (1, 6, 9, 3)


def test_scaling_does_not_change_its_input() -> None:
    image = noise(4, 8)
    before = image.clone()
    image_scale(image, "lanczos", width=3, height=3, crop="center")
    image_invert(image)
    image_batch(image, noise(2, 2))
    assert torch.equal(image, before)


def test_inverting_twice_gives_the_picture_back() -> None:
    assert torch.allclose(image_invert(image_invert(noise(2, 2))), noise(2, 2))


def test_a_batch_takes_the_size_of_the_first() -> None:
    joined = image_batch(noise(4, 8), noise(2, 2, 3))
    assert get_image_size(joined) == (8, 4, 4)
    assert torch.equal(joined[:1], noise(4, 8))


def test_scaling_keeps_the_aspect_ratio_and_the_number_of_pixels() -> None:
    assert image_scale_to_total_pixels(noise(10, 40), "area", 0.01).shape == (1, 51, 205, 3)
    assert image_scale_to_max_dimension(noise(10, 40), "area", 20).shape == (1, 5, 20, 3)
    assert image_scale_to_max_dimension(noise(40, 10), "bicubic", 100).shape == (1, 100, 25, 3)
    assert image_scale_to_max_dimension(noise(400, 1), "area", 20).shape == (1, 20, 1, 3)
    assert image_scale_to_max_dimension(noise(4, 5), "area", 0).shape == (1, 4, 5, 3)


def test_pictures_of_unlike_channels_make_a_batch() -> None:
    both = image_batch(noise(4, 4), torch.zeros(2, 8, 8, 4))
    assert both.shape == (3, 4, 4, 4) and both[0, 0, 0, 3] == 1 and both[1, 0, 0, 3] == 0


def test_a_picture_of_the_output_folder_is_loaded(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    images = (noise(4, 5) * 255).round() / 255
    save_image(images, context, "a")
    assert torch.equal(load_image_output("a_00001_.png", context)[0], images)


def test_the_size_of_a_file_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(context.job.files.folder("input") / "a.jpg", exif=exif)
    spec = registry().get("LoadImage")
    assert spec is not None
    told = infer_facts(spec, Known({"image": "a.jpg"}, {}, context.job.files)).outputs
    assert told["IMAGE"] == {"width": 20, "height": 30, "batch": 1}
    assert load_image("a.jpg", context)[0].shape == (1, 30, 20, 3)


def test_a_picture_of_8192_points_a_side_is_read_and_made_small(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    Image.new("1", (8192, 8192), 1).save(context.job.files.folder("input") / "a.png")
    loaded, _ = load_image("a.png", context)
    assert loaded.shape == (1, 8192, 8192, 3)
    assert (image_scale(loaded, "nearest-exact", width=8, height=8, crop="disabled") == 1).all()
