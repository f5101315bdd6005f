import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from graph import embedded
from graph.embedded import embedded_texts

START = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(body) if length is None else length)
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
    )


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, kind, **options)
    return file.getvalue()


def test_every_kind_of_png_text_is_read() -> None:
    info = PngInfo()
    info.add_text("workflow", '{"a": 1}')
    info.add_text("prompt", "packed " * 100, zip=True)
    info.add_itxt("other", "naïve 猫", zip=True)
    info.add_itxt("plain", "猫")
    assert embedded_texts(saved("PNG", pnginfo=info)) == {
        "workflow": '{"a": 1}',
        "prompt": "packed " * 100,
        "other": "naïve 猫",
        "plain": "猫",
    }


def test_a_text_that_should_be_latin_1_may_be_utf_8() -> None:
    data = START + chunk(b"tEXt", b"a\0" + "猫".encode()) + chunk(b"tEXt", b"b\0caf\xe9")
    assert embedded_texts(data) == {"a": "猫", "b": "café"}


def test_the_private_chunk_of_animations_is_read() -> None:
    assert embedded_texts(START + chunk(b"comf", b"workflow\0{}")) == {"workflow": "{}"}


@pytest.mark.parametrize("kind", ["WEBP", "JPEG"])
def test_exif_of_other_pictures_is_read(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = 'prompt:{"1": 2}', "workflow:{}"
    assert embedded_texts(saved(kind, exif=exif)) == {"prompt": '{"1": 2}', "workflow": "{}"}


@pytest.mark.parametrize("kind", ["WEBP", "JPEG", "PNG"])
def test_a_picture_without_texts_has_none(kind: str) -> None:
    assert embedded_texts(saved(kind)) == {}


@pytest.mark.parametrize("data", [b"", b"{}", b"GIF89a", saved("BMP")])
def test_other_data_is_no_picture(data: bytes) -> None:
    assert embedded_texts(data) is None


def test_what_is_damaged_is_left_out_and_the_rest_read() -> None:
    good = chunk(b"tEXt", b"a\0b")
    damaged = [
        chunk(b"zTXt", b"x\0\0junk"),
        chunk(b"iTXt", b"y\0\1"),
        chunk(b"iTXt", b"z\0\1\0en"),
        chunk(b"tEXt", b"none"),
    ]
    assert embedded_texts(START + b"".join(damaged) + good) == {"a": "b"}


def test_a_length_that_lies_ends_the_reading() -> None:
    lying = chunk(b"tEXt", b"c\0d", length=2**31)
    assert embedded_texts(START + chunk(b"tEXt", b"a\0b") + lying) == {"a": "b"}


def test_a_decompression_bomb_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAXIMUM_TEXT", 1000)
    bomb, fine = (
        chunk(b"zTXt", name + b"\0\0" + zlib.compress(b"x" * size))
        for name, size in ((b"a", 1001), (b"b", 1000))
    )
    assert embedded_texts(START + bomb + fine) == {"b": "x" * 1000}


@settings(max_examples=25, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([START, b"RIFF\0\0\0\0WEBPEXIF", b"\xff\xd8\xff\xe1\0\x40Exif\0\0II*\0\x08\0\0\0"]),
)
def test_no_bytes_make_it_fail(rest: bytes, start: bytes) -> None:
    assert isinstance(embedded_texts(start + rest), dict)
