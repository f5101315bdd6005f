"""Workflows are read from AVIF pictures, and damaged ones never make the reader fail."""

import io
import random

import pytest
from PIL import Image, features

from graph.embedded import embedded_texts
from graph.embedded_avif import is_avif
from nodes.encoders import exif

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
TEXTS = {"workflow": '{"words": "写真"}', "prompt": "{}"}


def saved(**options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "AVIF", **options)
    return file.getvalue()


def test_texts_are_read_from_the_exif_item() -> None:
    data = saved(exif=exif(TEXTS))
    assert is_avif(data) and embedded_texts(data) == TEXTS


def test_a_picture_without_exif_has_no_texts() -> None:
    assert embedded_texts(saved()) == {}


def test_damage_leaves_texts_out_and_nothing_worse() -> None:
    data, dice = saved(exif=exif(TEXTS)), random.Random(1)
    for end in range(12, len(data), 3):
        assert embedded_texts(data[:end]) is not None
    for _ in range(500):
        bent = bytearray(data)
        for _ in range(3):
            bent[dice.randrange(12, len(data))] = dice.randrange(256)
        assert embedded_texts(bytes(bent)) is not None
