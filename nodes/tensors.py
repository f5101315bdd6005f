# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""Arithmetic on pictures, masks and latents as tensors: scaling, cropping, converting. Knows no nodes."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

PARALLEL: Final = 1 - 1e-5
"""Cosine above which two directions count as one, where the spherical formula loses its precision."""


def from_array(values: np.ndarray) -> Tensor:
    """The tensor that shares an array's memory."""
    return torch.from_numpy(values)


def channels_first(images: Tensor) -> Tensor:
    """A picture batch (B, H, W, C) as (B, C, H, W)."""
    return images.movedim(-1, 1)


def channels_last(images: Tensor) -> Tensor:
    """A batch (B, C, H, W) as a picture batch (B, H, W, C)."""
    return images.movedim(1, -1)


def to_bytes(image: Tensor) -> np.ndarray:
    """One picture (H, W, C) of values 0..1 as bytes; fractions of a step are cut off, as the field does."""
    return np.clip(255.0 * image.detach().cpu().float().numpy(), 0, 255).astype(np.uint8)


def from_pillow(picture: Image.Image) -> Tensor:
    """A Pillow picture of 8-bit channels as (H, W, C), values 0..1."""
    return torch.from_numpy(np.array(picture).astype(np.float32) / 255.0)


def to_pillow(image: Tensor) -> Image.Image:
    """One picture (H, W, C) with 1, 3 or 4 channels as a Pillow picture."""
    pixels = to_bytes(image)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def center_crop(samples: Tensor, width: int, height: int) -> Tensor:
    """The largest middle part of (B, C, H, W) that has the aspect ratio of width × height."""
    old_width, old_height = samples.shape[-1], samples.shape[-2]
    old, new = old_width / old_height, width / height
    x = round((old_width - old_width * (new / old)) / 2) if old > new else 0
    y = round((old_height - old_height * (old / new)) / 2) if old < new else 0
    return samples[..., y : old_height - y, x : old_width - x]


def resize(samples: Tensor, width: int, height: int, method: str, crop: str = "disabled") -> Tensor:
    """Scale (B, C, H, W) to width × height.

    method: nearest-exact, bilinear, area, bicubic, lanczos (through 8-bit pictures) or bislerp (for latents).
    crop: "center" cuts to the new aspect ratio first.
    """
    if crop == "center":
        samples = center_crop(samples, width, height)
    special: dict[str, Callable[[Tensor, int, int], Tensor]] = {"lanczos": lanczos, "bislerp": bislerp}
    if method in special:
        return special[method](samples, width, height)
    return interpolate(samples, size=(height, width), mode=method)


def lanczos(samples: Tensor, width: int, height: int) -> Tensor:
    """Scale (B, C, H, W) with Pillow's Lanczos filter."""
    pictures = [
        to_pillow(image).resize((width, height), Image.Resampling.LANCZOS) for image in channels_last(samples)
    ]
    scaled = torch.stack([from_pillow(picture).reshape(height, width, -1) for picture in pictures])
    return channels_first(scaled).to(samples)


def slerp(first: Tensor, second: Tensor, ratio: Tensor) -> Tensor:
    """Turn from one vector to another along the arc between them: (N, C), (N, C), ratio (N, 1)."""
    first_length = first.norm(dim=-1, keepdim=True)
    second_length = second.norm(dim=-1, keepdim=True)
    first_way = torch.where(first_length > 0, first / first_length, 0.0)
    second_way = torch.where(second_length > 0, second / second_length, 0.0)
    cosine = (first_way * second_way).sum(dim=-1, keepdim=True)
    angle = torch.acos(cosine)
    arc = torch.sin((1 - ratio) * angle) * first_way + torch.sin(ratio * angle) * second_way
    turned = arc / torch.sin(angle) * torch.lerp(first_length, second_length, ratio)
    turned = torch.where(cosine > PARALLEL, first, turned)
    return torch.where(cosine < -PARALLEL, first * (1 - ratio) + second * ratio, turned)


def _slerp_last_axis(samples: Tensor, size: int) -> Tensor:
    """Scale the last axis of (B, C, H, W) to `size`, turning the channel vectors of neighbours."""
    batch, channels, height, old = samples.shape
    line = torch.arange(old, dtype=torch.float32, device=samples.device).reshape(1, 1, 1, -1)
    at = interpolate(line, size=(1, size), mode="bilinear").flatten()
    left = at.floor().long()
    right = (left + 1).clamp(max=old - 1)
    rows = samples.movedim(1, -1)
    ratio = (at - left).reshape(1, 1, -1, 1).expand(batch, height, size, 1)
    turned = slerp(
        rows[:, :, left].reshape(-1, channels),
        rows[:, :, right].reshape(-1, channels),
        ratio.reshape(-1, 1),
    )
    return turned.reshape(batch, height, size, channels).movedim(-1, 1)


def bislerp(samples: Tensor, width: int, height: int) -> Tensor:
    """Scale (B, C, H, W) with spherical interpolation between neighbours, first along rows, then columns."""
    wide = _slerp_last_axis(samples.float(), width)
    tall = _slerp_last_axis(wide.transpose(-1, -2), height).transpose(-1, -2)
    return tall.to(samples.dtype)


def same_channels(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two picture batches (B, H, W, C) with as many channels as the larger has; what is added is opaque."""
    wanted = max(first.shape[-1], second.shape[-1])
    return _with_channels(first, wanted), _with_channels(second, wanted)


def like_channels(image: Tensor, model: Tensor) -> Tensor:
    """A picture batch with the channels of another: what is too much is cut off, what is added is opaque."""
    return _with_channels(image[..., : model.shape[-1]], model.shape[-1])


def _with_channels(image: Tensor, wanted: int) -> Tensor:
    return pad(image, (0, wanted - image.shape[-1]), value=1.0)


def split(batch: Tensor, length: int) -> tuple[Tensor, ...]:
    """A batch in parts of a length; the last may be shorter."""
    return batch.split(length)


def quarters(rotation: str) -> int:
    """How many quarter turns "90 degrees" and its like are; "none" is 0."""
    return 0 if rotation == "none" else int(rotation.split()[0]) // 90


def same_count(*batches: Tensor) -> list[Tensor]:
    """Batches repeated to the length of the longest."""
    count = max(batch.shape[0] for batch in batches)
    return [repeat_to(batch, count) for batch in batches]


def resized_mask(mask: Tensor, width: int, height: int) -> Tensor:
    """A mask (B, H, W) or (H, W) scaled bilinearly, as (B, height, width)."""
    planes = mask.reshape(-1, 1, mask.shape[-2], mask.shape[-1])
    return interpolate(planes, size=(height, width), mode="bilinear")[:, 0]


def composite(
    destination: Tensor, source: Tensor, x: int, y: int, mask: Tensor | None = None, resize: bool = False
) -> Tensor:
    """`source` laid over `destination` at (x, y), both (B, C, H, W), where `mask` (B, H, W) is 1.

    The mask is scaled to the source; without one all of the source counts. resize: the source is first scaled
    to the destination. What would lie outside is cut off; a shorter batch of sources is repeated.
    """
    if resize:
        source = interpolate(source, size=destination.shape[-2:], mode="bilinear")
    source = repeat_to(source, destination.shape[0])
    height, width = source.shape[-2:]
    if 0 in (height, width):
        return destination.clone()
    planes = torch.ones(1, height, width) if mask is None else resized_mask(mask, width, height)
    wide, tall = max(0, destination.shape[-1] - x), max(0, destination.shape[-2] - y)
    share = repeat_to(planes, destination.shape[0])[:, None, :tall, :wide].to(source)
    result = destination.clone()
    below = result[..., y : y + height, x : x + width]
    result[..., y : y + height, x : x + width] = share * source[..., :tall, :wide] + (1.0 - share) * below
    return result


def repeat_to(samples: Tensor, count: int) -> Tensor:
    """A batch repeated and cut to `count` items."""
    if samples.shape[0] == count:
        return samples
    times = -(-count // samples.shape[0])
    return samples.repeat(times, *[1] * (samples.ndim - 1))[:count]
