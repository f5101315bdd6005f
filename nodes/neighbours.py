# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""What a point becomes from the points around it: blur, sharpening, morphology, dithering."""

import math
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, pad

LUMA: Final = (0.299, 0.587, 0.114)


def gaussian(radius: int, sigma: float) -> Tensor:
    """A kernel (2r + 1, 2r + 1) that sums to 1; sigma is in radii: the kernel reaches from -1 to 1."""
    return bell(2 * radius + 1, sigma)


def bell(size: int, sigma: float) -> Tensor:
    """The same of a number of points a side."""
    line = torch.linspace(-1, 1, size)
    squared = line[:, None] ** 2 + line[None] ** 2
    heights = torch.exp(-squared / (2 * sigma * sigma))
    return heights / heights.sum()


def sharpening(radius: int, sigma: float, strength: float) -> Tensor:
    """A kernel that takes `strength` of the blur away from each point and sums to 1."""
    kernel = gaussian(radius, sigma) * -strength
    kernel[radius, radius] += 1.0 - kernel.sum()
    return kernel


def mirrored(samples: Tensor, radius: int) -> Tensor:
    """(B, C, H, W) with `radius` points more at each side, mirrored at the border; sides may be short."""
    rows, columns = (_mirrored_line(side, radius).to(samples.device) for side in samples.shape[-2:])
    return samples[..., rows[:, None], columns]


def _mirrored_line(side: int, radius: int) -> Tensor:
    period = max(1, 2 * (side - 1))
    places = torch.arange(-radius, side + radius) % period
    return torch.minimum(places, period - places) if side > 1 else torch.zeros_like(places)


def convolved(samples: Tensor, kernel: Tensor) -> Tensor:
    """(B, C, H, W) with every channel convolved with one odd square kernel; borders are mirrored."""
    channels = samples.shape[1]
    weights = kernel.to(samples).expand(channels, 1, *kernel.shape)
    return conv2d(mirrored(samples, kernel.shape[0] // 2), weights, groups=channels)


def dilated(samples: Tensor, size: int) -> Tensor:
    """(B, C, H, W) with the greatest value of the square of `size` points around each point."""
    before, after = size // 2, size - size // 2 - 1
    lowest = -math.inf
    wide = max_pool2d(pad(samples, (before, after, 0, 0), value=lowest), (1, size), stride=1)
    return max_pool2d(pad(wide, (0, 0, before, after), value=lowest), (size, 1), stride=1)


def eroded(samples: Tensor, size: int) -> Tensor:
    """(B, C, H, W) with the least value of the square of `size` points around each point."""
    return -dilated(-samples, size)


def morphed(samples: Tensor, operation: str, size: int) -> Tensor:
    """One of the operations of mathematical morphology with a flat square of `size` points."""
    match operation:
        case "erode":
            return eroded(samples, size)
        case "dilate":
            return dilated(samples, size)
        case "open":
            return dilated(eroded(samples, size), size)
        case "close":
            return eroded(dilated(samples, size), size)
        case "gradient":
            return dilated(samples, size) - eroded(samples, size)
        case "top_hat":
            return samples - dilated(eroded(samples, size), size)
        case "bottom_hat":
            return eroded(dilated(samples, size), size) - samples
        case _:
            raise ValueError(f"There is no operation {operation}.")


def grown(mask: Tensor, steps: int, tapered: bool) -> Tensor:
    """(B, H, W) whose bright parts grew by `steps` points: squares, or diamonds when tapered."""
    planes = mask[:, None]
    if not tapered:
        return dilated(planes, 2 * min(steps, max(mask.shape[-2:])) + 1)[:, 0]
    for _ in range(min(steps, sum(mask.shape[-2:]))):
        wider = torch.maximum(_pooled(planes, (1, 3)), _pooled(planes, (3, 1)))
        if torch.equal(wider, planes):
            break
        planes = wider
    return planes[:, 0]


def _pooled(planes: Tensor, size: tuple[int, int]) -> Tensor:
    return max_pool2d(planes, size, stride=1, padding=(size[0] // 2, size[1] // 2))


def softened(mask: Tensor, reach: int) -> Tensor:
    """(B, H, W) with a soft border outside: 1 where the mask was 1, 0 from 2 * reach points away on."""
    if reach == 0:
        return mask
    planes = dilated(mask[:, None], 2 * reach + 1)
    for _ in range(2):
        planes = _averaged(planes, reach // 2)
    return planes[:, 0]


def _averaged(planes: Tensor, radius: int) -> Tensor:
    """(B, C, H, W) averaged over squares, borders mirrored."""
    wide = avg_pool2d(mirrored(planes, radius), (1, 2 * radius + 1), stride=1)
    return avg_pool2d(wide, (2 * radius + 1, 1), stride=1)


def to_yuv(image: Tensor) -> Tensor:
    """(B, H, W, 3) of red, green, blue as luma and two differences around 0.5 (ITU-R BT.601)."""
    red, green, blue = image[..., :3].unbind(-1)
    luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return torch.stack((luma, (blue - luma) * 0.564 + 0.5, (red - luma) * 0.713 + 0.5), -1)


def from_yuv(image: Tensor) -> Tensor:
    """(B, H, W, 3) of luma and two differences as red, green, blue, cut to 0..1."""
    luma, blue, red = image[..., 0], image[..., 1] - 0.5, image[..., 2] - 0.5
    parts = (luma + 1.403 * red, luma - 0.714 * red - 0.344 * blue, luma + 1.773 * blue)
    return torch.stack(parts, -1).clamp(0, 1)


def bayer(order: int) -> Tensor:
    """Bayer's threshold matrix (order, order), order a power of 2, of values around 0, -0.5..0.5."""
    matrix, size = torch.zeros(1, 1), 1
    while size < order:
        quarter = 1 / (4 * size * size)
        rows = torch.cat((matrix - 1.5 * quarter, matrix + 0.5 * quarter), 1)
        below = torch.cat((matrix + 1.5 * quarter, matrix - 0.5 * quarter), 1)
        matrix, size = torch.cat((rows, below)), size * 2
    return matrix


def quantized(pixels: np.ndarray, colors: int, dither: str) -> np.ndarray:
    """(H, W, 3) bytes in a palette of their own of `colors`, dithered by error diffusion or a pattern."""
    picture = Image.fromarray(pixels)
    palette = picture.quantize(colors=colors)
    if dither.startswith("bayer"):
        picture = Image.fromarray(_spread(pixels, len(palette.getpalette() or []) // 3, int(dither[6:])))
    diffused = Image.Dither.FLOYDSTEINBERG if dither == "floyd-steinberg" else Image.Dither.NONE
    return np.asarray(picture.quantize(palette=palette, dither=diffused).convert("RGB"))


def _spread(pixels: np.ndarray, colors: int, order: int) -> np.ndarray:
    """The bytes moved up and down by Bayer's matrix, as far as the colours lie apart."""
    height, width = pixels.shape[:2]
    pattern = (bayer(order) * (512 / colors) + 0.5).numpy()
    tiled = np.tile(pattern, (-(-height // order), -(-width // order)))[:height, :width, None]
    return np.clip(pixels.astype(np.float32) + tiled, 0, 255).astype(np.uint8)
