"""Picture files beyond plain PNG: JPEG, WebP, AVIF and animations, each with texts inside."""

import struct
from collections.abc import Mapping, Sequence
from typing import IO, Final, Literal

from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from nodes.pictures import PictureError

Format = Literal["png", "jpeg", "webp", "avif"]
ENDINGS: Final[Mapping[str, str]] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
LONGEST_SEGMENT: Final = 65533
"""The most bytes that EXIF may take in a JPEG file."""
PROMPT_TAG: Final = 0x0110
FIRST_TAG: Final = 0x010F
ASCII: Final = 2


def exif(texts: Mapping[str, str]) -> bytes:
    """EXIF whose first directory holds each text as "key:text", tagged as the field tags them.

    The prompt is the model's tag (0x0110), the others count down from the maker's (0x010F).
    """
    others = [key for key in texts if key != "prompt"]
    tags = {FIRST_TAG - number: key for number, key in enumerate(others)}
    tags |= {PROMPT_TAG: "prompt"} if "prompt" in texts else {}
    at = 8 + 2 + 12 * len(tags) + 4
    entries, bodies = b"", b""
    for tag in sorted(tags):
        body = f"{tags[tag]}:{texts[tags[tag]]}".encode() + b"\0"
        entries += struct.pack("<HHII", tag, ASCII, len(body), at + len(bodies))
        bodies += body + b"\0" * (len(body) % 2)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0" + bodies


def texts_that_fit(texts: Mapping[str, str], format: Format) -> dict[str, str]:
    """The texts that a file of this format can hold: a JPEG's may take 64 KB, so its workflow goes first."""
    if format != "jpeg":
        return dict(texts)
    kept = dict[str, str]()
    for key in sorted(texts, key=lambda key: key != "workflow"):
        if len(exif({**kept, key: texts[key]})) <= LONGEST_SEGMENT:
            kept[key] = texts[key]
    return kept


def write(
    file: IO[bytes],
    picture: Image.Image,
    format: Format,
    quality: int,
    lossless: bool,
    texts: Mapping[str, str],
) -> None:
    """Write one picture with its texts; JPEG, which knows no transparency, gets a white background.

    Raises:
        PictureError: when this Pillow cannot write AVIF.
    """
    match format:
        case "png":
            picture.save(file, "PNG", pnginfo=png_texts(texts), compress_level=4)
        case "jpeg":
            subsampling = 0 if quality > 90 else 2
            flat = _on_white(picture)
            flat.save(file, "JPEG", quality=quality, subsampling=subsampling, exif=exif(texts))
        case "webp":
            picture.save(file, "WEBP", quality=quality, lossless=lossless, exif=exif(texts))
        case "avif":
            if not features.check("avif"):
                raise PictureError(
                    "This Pillow cannot write AVIF. Choose webp, or install Pillow 11.3 or newer."
                )
            sharp = {"quality": 100, "subsampling": "4:4:4"} if lossless else {"quality": quality}
            picture.save(file, "AVIF", exif=exif(texts), **sharp)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def png_texts(texts: Mapping[str, str]) -> PngInfo:
    """Texts as PNG chunks."""
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return info


def _animation_texts(texts: Mapping[str, str]) -> PngInfo:
    """Texts as the field writes them into animations: in chunks of its own after the first frame."""
    info = PngInfo()
    for key, text in texts.items():
        info.add(b"comf", key.encode("latin-1", "replace") + b"\0" + text.encode(), after_idat=True)
    return info


def write_apng(
    file: IO[bytes],
    frames: Sequence[Image.Image],
    duration: int,
    compress_level: int,
    texts: Mapping[str, str],
) -> None:
    """Write an animated PNG; duration: milliseconds a frame."""
    frames[0].save(
        file,
        "PNG",
        save_all=True,
        append_images=frames[1:],
        duration=duration,
        compress_level=compress_level,
        pnginfo=_animation_texts(texts),
    )


def write_animated_webp(
    file: IO[bytes],
    frames: Sequence[Image.Image],
    duration: int,
    lossless: bool,
    quality: int,
    method: int,
    texts: Mapping[str, str],
) -> None:
    """Write an animated WebP; duration: milliseconds a frame; method: 0 is fastest, 6 smallest."""
    frames[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=duration,
        lossless=lossless,
        quality=quality,
        method=method,
        exif=exif(texts),
    )
