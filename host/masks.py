"""Pictures with a painted mask: their colours stay as they are, their transparency says where it is."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from host.pictures import opened

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

_COMPRESSION: Final = 4
_QUALITY: Final = 92


def masked(picture: Path, mask: bytes) -> bytes:
    """A PNG of a picture, transparent where a picture of its mask is white; the texts it carries stay.

    The turn that a camera recorded is applied, as it is when nodes read the picture. Raises SyntaxError,
    ValueError or OSError when either is no picture.
    """
    from PIL import ImageChops

    with opened(picture) as found, opened(BytesIO(mask)) as painted:
        return with_alpha(upright(found), ImageChops.invert(painted.convert("L")), texts_of(found))


def with_alpha(picture: "Image.Image", alpha: "Image.Image", texts: "PngInfo") -> bytes:
    """A PNG of a picture's colours and an alpha channel, scaled to it where it has another size."""
    whole, file = picture.convert("RGBA"), BytesIO()
    whole.putalpha(alpha if alpha.size == whole.size else alpha.resize(whole.size))
    whole.save(file, "png", compress_level=_COMPRESSION, pnginfo=texts)
    return file.getvalue()


def opaque(picture: Path) -> bytes:
    """A JPEG of a picture's colours, those under its transparent parts included. Raises as `masked` does."""
    file = BytesIO()
    with opened(picture) as found:
        upright(found).convert("RGBA").convert("RGB").save(file, "jpeg", quality=_QUALITY)
    return file.getvalue()


def upright(picture: "Image.Image") -> "Image.Image":
    """A picture with eight bits a channel, the turn that a camera recorded applied."""
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(picture)
    if turned.mode.startswith("I"):
        return turned.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return turned


def texts_of(picture: "Image.Image") -> "PngInfo":
    """The texts that a picture carries, such as its workflow."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    for key, text in cast("dict[str, str]", getattr(picture, "text", {})).items():
        texts.add_text(key, text)
    return texts
