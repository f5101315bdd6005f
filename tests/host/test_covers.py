"""The picture of a model: the likeliest beside it, else the one inside; never one behind a link elsewhere."""

import base64
import json
import struct
from io import BytesIO
from pathlib import Path

from PIL import Image

from host.covers import beside, cover_of


def picture(color: str, side: int = 8) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side // 2), color).save(file, "png")
    return file.getvalue()


def model(folder: Path, *covers: bytes) -> Path:
    texts = {"ssmd_cover_images": json.dumps([base64.b64encode(cover).decode() for cover in covers])}
    header = json.dumps({"__metadata__": texts}).encode()
    path = folder / "fox.v1.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def shown(path: Path) -> tuple[tuple[int, int], tuple[int, ...]] | None:
    """The size and the colour of a cover."""
    data = cover_of(path)
    if data is None:
        return None
    opened = Image.open(BytesIO(data))
    pixel = opened.convert("RGB").getpixel((0, 0))
    assert opened.format == "WEBP" and isinstance(pixel, tuple)
    return opened.size, tuple(round(value / 255) for value in pixel)


def test_the_picture_beside_a_model_comes_before_the_one_inside(tmp_path: Path) -> None:
    path = model(tmp_path, b"broken", picture("blue"))
    assert shown(path) == ((8, 4), (0, 0, 1)), "the first that can be read"
    (tmp_path / "fox.v1.png").write_bytes(picture("red", 3000))
    assert shown(path) == ((1024, 512), (1, 0, 0))
    (tmp_path / "fox.v1.preview.png").write_bytes(b"broken")
    assert shown(path) == ((1024, 512), (1, 0, 0))
    assert beside("fox.v1.safetensors")[0] == "fox.v1.preview.png"


def test_a_model_without_a_picture_has_no_cover(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "fox.ckpt"
    path.write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(picture("red"))
    (home / "fox.png").symlink_to(tmp_path / "secret.png")
    assert shown(path) is None, "a link that leads out of the folder is not followed"
