"""Picture files of every kind are read right or refused with a sentence; names never leave their folder."""

import struct
import threading
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nodes import pictures
from nodes.pictures import (
    PictureError,
    counted_names,
    expand_prefix,
    place,
    read_channel,
    read_picture,
    save_png,
)


def saved(folder: Path, picture: Image.Image, name: str = "a.png", **options: Any) -> Path:
    path = folder / name
    picture.save(path, **options)
    return path


def levels(values: np.ndarray) -> list[int]:
    return (values * 255).round().astype(int).flatten().tolist()


def test_colours_are_read_as_they_are(tmp_path: Path) -> None:
    pixels, mask = read_picture(saved(tmp_path, Image.new("RGB", (3, 2), (10, 20, 30))))
    assert pixels.shape == (1, 2, 3, 3) and pixels.dtype == np.float32
    assert levels(pixels[0, 0, 0]) == [10, 20, 30]
    assert mask.shape == (1, 64, 64) and not mask.any()


def test_transparency_becomes_an_inverted_mask(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (0, 255, 0, 51))
    pixels, mask = read_picture(saved(tmp_path, picture))
    assert mask.shape == (1, 1, 2)
    assert levels(mask) == [0, 204]
    assert levels(pixels[0, 0, 1]) == [0, 255, 0]


@pytest.mark.parametrize("mode", ["L", "LA", "1", "CMYK", "YCbCr"])
def test_every_mode_becomes_three_colours(tmp_path: Path, mode: str) -> None:
    name = "a.jpg" if mode in ("CMYK", "YCbCr") else "a.png"
    pixels, _ = read_picture(saved(tmp_path, Image.new(mode, (4, 4)), name))
    assert pixels.shape == (1, 4, 4, 3)


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    values = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    pixels, _ = read_picture(saved(tmp_path, Image.fromarray(values)))
    assert np.allclose(pixels[0, 0, :, 0], values / 65535, atol=1e-7)


def test_a_palette_with_transparency_is_understood(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    pixels, mask = read_picture(saved(tmp_path, picture, transparency=1))
    assert levels(mask) == [0, 255]
    assert levels(pixels[0, 0, 0]) == [255, 0, 0]


def test_the_turn_a_camera_recorded_is_applied(tmp_path: Path) -> None:
    picture = Image.new("RGB", (2, 1), (255, 0, 0))
    picture.putpixel((1, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels, _ = read_picture(saved(tmp_path, picture, exif=exif))
    assert pixels.shape == (1, 2, 1, 3)
    assert levels(pixels[0, :, 0]) == [255, 0, 0, 0, 0, 255]


def test_the_frames_of_an_animation_are_a_batch(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    pixels, mask = read_picture(path)
    assert pixels.shape == (3, 4, 4, 3) and mask.shape[0] == 3
    assert levels(pixels[2, 0, 0]) == [0, 0, 255]


def test_a_long_thin_picture_is_read(tmp_path: Path) -> None:
    assert read_picture(saved(tmp_path, Image.new("L", (100_000, 1))))[0].shape == (1, 1, 100_000, 3)


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (2, 2), "red"), "a.webp", format="PNG")
    assert levels(read_picture(path)[0][0, 0, 0]) == [255, 0, 0]


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def whole(folder: Path) -> bytes:
    return saved(folder, Image.effect_noise((64, 64), 50), "whole.png").read_bytes()


def test_a_folder_in_place_of_a_picture_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PictureError, match=r"^a\.png is a folder, not a picture\.$"):
        read_picture(tmp_path / "a.png")


def test_an_animation_of_too_many_pixels_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 2**20)
    frames = [Image.new("1", (500, 500), number % 2) for number in range(5)]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(PictureError, match=r"a\.gif holds more than 1 million pixels"):
        read_picture(path)


@pytest.mark.parametrize("kind", ["words", "empty", "cut short", "bomb", "large bomb", "damaged"])
def test_a_file_that_is_no_picture_is_a_sentence(tmp_path: Path, kind: str) -> None:
    data = whole(tmp_path)
    path = tmp_path / "bad.png"
    path.write_bytes(
        {
            "words": b"no picture",
            "empty": b"",
            "cut short": data[: len(data) // 2],
            "bomb": bomb(17_000, 17_000),
            "large bomb": bomb(100_000, 100_000),
            "damaged": data[:60] + b"\xff" * 40 + data[100:],
        }[kind]
    )
    with pytest.raises(PictureError, match=r"bad\.png .+\."):
        read_picture(path)


@pytest.mark.parametrize(
    ("channel", "expected"), [("red", 10), ("green", 20), ("blue", 30), ("alpha", 255 - 40)]
)
def test_a_channel_is_read_on_its_own(tmp_path: Path, channel: str, expected: int) -> None:
    path = saved(tmp_path, Image.new("RGBA", (1, 1), (10, 20, 30, 40)))
    assert levels(read_channel(path, channel)) == [expected]


NOW = datetime(2026, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("plain", "plain"),
        ("%width%x%height%", "640x480"),
        ("%year%-%month%-%day% %hour%.%minute%.%second%", "2026-03-04 05.06.07"),
        ("%date:yyyy-MM-dd%", "2026-03-04"),
        ("%date:yy_hhmmss%", "26_050607"),
        ("100% %unknown% %", "100% %unknown% %"),
    ],
)
def test_macros_in_a_prefix_are_filled_in(prefix: str, expected: str) -> None:
    assert expand_prefix(prefix, 640, 480, NOW) == expected


@pytest.mark.parametrize(
    "prefix",
    ["../out", "/etc/x", "a/../../b", "..", "a\0b", "sub/../../../x", "..\\out", "x" * 300],
)
def test_a_prefix_never_leaves_its_folder(tmp_path: Path, prefix: str) -> None:
    folder = tmp_path / "output"
    folder.mkdir()
    with pytest.raises(PictureError):
        place(folder, prefix)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_prefix_may_name_a_subfolder(tmp_path: Path) -> None:
    assert place(tmp_path, "trips/sea") == (tmp_path / "trips", "sea")
    assert place(tmp_path, "trips/") == (tmp_path / "trips", "picture")
    assert (tmp_path / "trips").is_dir()


def test_counting_goes_on_from_the_highest(tmp_path: Path) -> None:
    for name in ("a_00001_.png", "a_00007_.png", "a_b_00090_.png", "A_00003_.webp", "a_x.png"):
        (tmp_path / name).touch()
    assert next(counted_names(tmp_path, "a")).name == "a_00008_.png"
    assert next(counted_names(tmp_path, "b.c")).name == "b.c_00001_.png"


PIXELS = np.full((2, 3, 3), 7, np.uint8)


def test_a_saved_picture_holds_its_texts(tmp_path: Path) -> None:
    path = save_png(PIXELS, counted_names(tmp_path, "a"), {"workflow": '{"é": "→"}', "prompt": "{}"})
    with Image.open(path) as picture:
        assert picture.info["workflow"] == '{"é": "→"}' and picture.info["prompt"] == "{}"
        assert np.array_equal(np.asarray(picture), PIXELS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a_00001_.png"]


def test_many_at_once_never_share_a_name(tmp_path: Path) -> None:
    def save() -> None:
        save_png(PIXELS, counted_names(tmp_path, "a"), {})

    threads = [threading.Thread(target=save) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f"a_{n:05}_.png" for n in range(1, 9)]


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    names = iter([tmp_path / "gone" / "a.png"])
    with pytest.raises(PictureError, match=f"could not be saved in {tmp_path}/gone: "):
        save_png(PIXELS, names, {})
