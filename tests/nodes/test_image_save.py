"""Saved pictures of every format load back, carry the workflow, and never leave their folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, features

from graph.embedded import embedded_texts
from nodes.encoders import exif, texts_that_fit
from nodes.image_save import (
    image_compare,
    preview_image,
    save_animated_png,
    save_animated_webp,
    save_image,
    save_image_advanced,
)
from nodes.pictures import PictureError, read_picture
from tests.nodes.contexts import ToyContext, context_in
from tests.nodes.pixels import picture

WORKFLOW = json.dumps({"words": "blå → 写真 🙂"}, ensure_ascii=False)
TEXTS = {"workflow": WORKFLOW, "prompt": '{"1": {}}'}


def rounded(count: int = 1, channels: int = 3, side: int = 16) -> torch.Tensor:
    return (picture(side, side, count, channels) * 255).floor() / 255


def only_file(context: ToyContext, outcome: Any) -> Path:
    (shown,) = outcome.ui["images"]
    return context.job.files.folder(shown["type"]) / shown["subfolder"] / shown["filename"]


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif"])
def test_every_format_carries_the_workflow_and_loads_back(tmp_path: Path, format: str) -> None:
    if format == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    context = context_in(tmp_path, **TEXTS)
    smooth = torch.linspace(0, 1, 48).expand(32, 48)[None, ..., None].repeat(1, 1, 1, 3)
    path = only_file(context, save_image_advanced(smooth, context, "x/a", format, 95))  # pyright: ignore[reportArgumentType]
    assert embedded_texts(path.read_bytes()) == TEXTS
    loaded, _ = read_picture(path)
    assert loaded.shape == (1, 32, 48, 3)
    assert abs(torch.from_numpy(loaded) - smooth).max() < 0.05


def test_a_picture_may_be_saved_without_its_workflow(tmp_path: Path) -> None:
    context = context_in(tmp_path, **TEXTS)
    path = only_file(context, save_image_advanced(rounded(), context, "a", "webp", 80, True, False))
    assert embedded_texts(path.read_bytes()) == {}


def test_lossless_webp_keeps_every_pixel_and_its_transparency(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    image = rounded(channels=4).clamp(min=1 / 255)
    path = only_file(context, save_image_advanced(image, context, "a", "webp", 80, True))
    loaded, hidden = read_picture(path)
    assert torch.allclose(torch.from_numpy(loaded), image[..., :3], atol=1 / 254)
    assert torch.allclose(torch.from_numpy(hidden), 1 - image[..., 3], atol=1 / 254)


def test_quality_makes_a_file_larger(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    for format in ("jpeg", "webp"):
        sizes = [
            only_file(context, save_image_advanced(rounded(side=64), context, "a", format, quality))
            .stat()
            .st_size  # pyright: ignore[reportArgumentType]
            for quality in (5, 95)
        ]
        assert sizes[0] < sizes[1]


def test_what_is_transparent_is_white_in_a_jpeg(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    path = only_file(context, save_image_advanced(torch.zeros(1, 16, 16, 4), context, "a", "jpeg", 100))
    assert read_picture(path)[0].min() > 0.98


def test_a_workflow_too_large_for_a_jpeg_is_told(tmp_path: Path) -> None:
    texts = {"prompt": "p" * 40_000, "workflow": "w" * 40_000}
    assert texts_that_fit(texts, "jpeg") == {"workflow": texts["workflow"]}
    assert texts_that_fit(texts, "webp") == texts
    assert texts_that_fit({"workflow": "w" * 70_000}, "jpeg") == {}
    with pytest.raises(AssertionError, match=r"The prompt did not fit into a JPEG file \(64 KB\)"):
        save_image_advanced(rounded(), context_in(tmp_path, **texts), "a", "jpeg")


def test_exif_without_texts_is_still_read_by_pillow() -> None:
    read = Image.Exif()
    read.load(exif({"workflow": "{}", "extra": "1"}))
    assert read[0x010F] == "workflow:{}" and read[0x010E] == "extra:1"


@pytest.mark.parametrize("ending", [".webp", ".png"])
def test_an_animation_has_its_frames_its_time_and_its_workflow(tmp_path: Path, ending: str) -> None:
    context = context_in(tmp_path, **TEXTS)
    frames = rounded(3)
    if ending == ".webp":
        outcome = save_animated_webp(frames, context, "anim", 4.0, method="fastest")
    else:
        outcome = save_animated_png(frames, context, "anim", 4.0)
    assert outcome.ui["animated"] == [True]
    path = only_file(context, outcome)
    assert path.name == f"anim_00001_{ending}"
    with Image.open(path) as read:
        assert read.n_frames == 3  # pyright: ignore[reportAttributeAccessIssue]
        read.seek(1)
        read.load()
        assert read.info["duration"] == 250
    assert embedded_texts(path.read_bytes()) == TEXTS
    assert torch.allclose(torch.from_numpy(read_picture(path)[0]), frames, atol=1 / 254)


def test_two_pictures_are_shown_against_each_other(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    shown = image_compare(rounded(), rounded(2), context).ui
    assert [len(shown[name]) for name in ("a_images", "b_images")] == [1, 2]
    files = [tmp_path / "temp" / one["filename"] for name in shown for one in shown[name]]
    assert len(set(files)) == 3 and all(path.is_file() for path in files)


HOSTILE = [
    "../out", "..\\..\\out", "/etc/out", "\\\\server\\share", "C:\\Windows\\out", "c:out",
    "a/../../out", "nul",
    "sub/CON", "aux.png", "com1/x", "a\0b", "x" * 300, "..", ".", "sub/..",
]  # fmt: skip


@pytest.mark.parametrize("prefix", HOSTILE)
def test_no_prefix_leads_out_of_the_output_folder(tmp_path: Path, prefix: str) -> None:
    context = context_in(tmp_path)
    for save in (save_image, save_image_advanced, save_animated_webp, save_animated_png):
        options: dict[str, Any] = {"method": "default"} if save is save_animated_webp else {}
        try:
            outcome = save(rounded(), context, prefix, **options)
        except PictureError as error:
            assert str(error).endswith((".", '":".'))
        else:
            assert only_file(context, outcome).resolve().is_relative_to(tmp_path / "output")
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and "output" not in path.parts]
    assert outside == []


def test_a_link_inside_the_output_folder_is_not_followed_out(tmp_path: Path) -> None:
    context, outside = context_in(tmp_path), tmp_path / "outside"
    outside.mkdir()
    (context.job.files.folder("output") / "door").symlink_to(outside, target_is_directory=True)
    with pytest.raises(PictureError, match="leads out of the folder"):
        save_image(rounded(), context, "door/a")
    assert list(outside.iterdir()) == []


def test_a_file_where_a_folder_is_wanted_is_a_sentence(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    (context.job.files.folder("output") / "taken").write_text("")
    with pytest.raises(PictureError, match=r"The folder .+taken cannot be made: .+\."):
        save_image(rounded(), context, "taken/a")


def test_previews_of_one_run_do_not_share_names(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    assert len({only_file(context, preview_image(rounded(), context)) for _ in range(5)}) == 5


def test_the_previews_of_a_batch_are_numbered(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    shown = preview_image(rounded(3), context).ui["images"]
    assert [item["filename"][-10:] for item in shown] == ["00001_.png", "00002_.png", "00003_.png"]
