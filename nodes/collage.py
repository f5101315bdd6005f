# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""Many pictures on one sheet, with labels."""

import math
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from nodes.pictures import MAX_PIXELS
from nodes.tensors import from_pillow

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def grid(
    pictures: Sequence[Tensor],
    labels: Sequence[str],
    columns: int = 0,
    padding: int = 8,
    label_size: int = 16,
    background: int = 0xFFFFFF,
) -> Tensor:
    """Pictures (H, W, 3) of any sizes on one sheet (1, H', W', 3), each with its label below.

    Cells are as large as the largest picture; columns 0 makes as many columns as rows. Lengths are in pixels.

    Raises:
        ValueError: without pictures, or for a sheet that memory may not hold.
    """
    if not pictures:
        raise ValueError("A grid needs at least one picture, and none came.")
    across = min(columns or math.ceil(math.sqrt(len(pictures))), len(pictures))
    down = -(-len(pictures) // across)
    tall, wide = (max(one.shape[axis] for one in pictures) for axis in (0, 1))
    foot = round(label_size * 1.5) if any(label.strip() for label in labels) else 0
    step_x, step_y = wide + padding, tall + foot + padding
    width, height = across * step_x + padding, down * step_y + padding
    if width * height > MAX_PIXELS:
        raise ValueError(f"A grid of {width}×{height} pixels is too large. Scale the pictures down first.")
    colour = _channels(background)
    sheet = (torch.tensor(colour) / 255).expand(height, width, 3).clone()
    for number, picture in enumerate(pictures):
        left, top = padding + number % across * step_x, padding + number // across * step_y
        y, x = top + (tall - picture.shape[0]) // 2, left + (wide - picture.shape[1]) // 2
        sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
        if foot and number < len(labels) and labels[number].strip():
            strip = label_strip(labels[number].strip(), wide, foot, label_size, colour)
            sheet[top + tall : top + tall + foot, left : left + wide] = strip
    return sheet[None]


def label_strip(text: str, width: int, height: int, size: int, background: tuple[int, ...]) -> Tensor:
    """(height, width, 3): one line of text in the middle, cut to the width, black or white."""
    font = ImageFont.load_default(size)
    picture = Image.new("RGB", (width, height), background)
    ink = "black" if sum(background) > 382 else "white"
    middle = (width / 2, height / 2)
    ImageDraw.Draw(picture).text(middle, _cut(text, width, font), ink, font, anchor="mm")
    return from_pillow(picture)


def _cut(text: str, width: int, font: Font) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _channels(colour: int) -> tuple[int, int, int]:
    return colour >> 16 & 0xFF, colour >> 8 & 0xFF, colour & 0xFF
