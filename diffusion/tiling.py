"""An autoencoder run part by part, with the same result as at once.

Only normalisation looks at the whole picture. So each layer is run window by window, after the sums that its
normalisation needs were taken over all windows; what lies between two layers stays in ordinary memory. The
device holds one window's values at a time, and no picture has seams. The innermost layers, with attention,
are small and run whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 8
"""The least side of a window, in values of its layer."""

Layer = Callable[[Tensor], Tensor]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tiler:
    """Where and how finely: windows of `tile` pixels a side (at the picture's scale), the device and dtype
    they are computed in, and a function that stops the work by raising."""

    tile: int
    device: torch.device
    dtype: torch.dtype
    check: Callable[[], None] = lambda: None

    def mapped(self, layer: Layer, x: Tensor, side: int, halo: int, ratio: float = 1.0) -> Tensor:
        """A layer over (1, C, H, W) by windows of `side` values of what comes out.

        halo: how many values around a window the layer looks at, even; ratio: output size over input size.
        """
        height, width = (round(size * ratio) for size in x.shape[-2:])
        out: Tensor | None = None
        for rows in _spans(height, side):
            for columns in _spans(width, side):
                part = self._window(layer, x, rows, columns, halo, ratio)
                if out is None:
                    out = torch.empty(1, part.shape[1], height, width, dtype=part.dtype)
                out[..., rows[0] : rows[1], columns[0] : columns[1]] = part
        assert out is not None
        return out

    def _window(self, layer: Layer, x: Tensor, rows: Span, columns: Span, halo: int, ratio: float) -> Tensor:
        self.check()
        starts = [max(0, round(span[0] / ratio) - halo) for span in (rows, columns)]
        ends = [round(span[1] / ratio) + halo for span in (rows, columns)]
        shown = x[..., starts[0] : ends[0], starts[1] : ends[1]].to(self.device, self.dtype)
        made = layer(shown)
        cuts = [
            slice(span[0] - round(start * ratio), span[1] - round(start * ratio))
            for span, start in zip((rows, columns), starts, strict=True)
        ]
        return made[..., cuts[0], cuts[1]].cpu()

    def norm(self, norm: Any, x: Tensor, side: int, before: Layer | None = None, halo: int = 0) -> Layer:
        """A group norm as a layer with the sums of the whole picture; before: what x goes through first."""
        count, sums, squares = 0, torch.zeros(norm.num_groups).double(), torch.zeros(norm.num_groups).double()
        for rows in _spans(x.shape[-2], side):
            for columns in _spans(x.shape[-1], side):
                part = self._window(before or (lambda t: t), x, rows, columns, halo, 1.0)
                groups = part[0].unflatten(0, (norm.num_groups, -1)).flatten(1).double()
                sums, squares = sums + groups.sum(1), squares + (groups**2).sum(1)
                count += groups.shape[1]
        mean = sums / count
        return _fixed(norm, mean, (squares / count - mean**2).clamp(min=0))

    def resnet(self, block: Any, x: Tensor, side: int) -> Tensor:
        """A res block of the autoencoder."""
        first = self.norm(block.norm1, x, side)

        def half(t: Tensor) -> Tensor:
            return block.conv1(F.silu(first(t)))

        second = self.norm(block.norm2, x, side, half, halo=2)

        def whole(t: Tensor) -> Tensor:
            kept = t if block.conv_shortcut is None else block.conv_shortcut(t)
            return kept + block.conv2(F.silu(second(half(t))))

        return self.mapped(whole, x, side, halo=2)


def _spans(size: int, side: int) -> Iterator[Span]:
    return ((start, min(size, start + side)) for start in range(0, size, side))


def _fixed(norm: Any, mean: Tensor, variance: Tensor) -> Layer:
    """A group norm whose mean and variance are given, one of each a group."""
    each = norm.num_channels // norm.num_groups
    scale = norm.weight.cpu().double() * (variance + norm.eps).rsqrt().repeat_interleave(each)
    shift = norm.bias.cpu().double() - mean.repeat_interleave(each) * scale

    def normed(x: Tensor) -> Tensor:
        factor, added = (t.to(x.device, torch.float32)[:, None, None] for t in (scale, shift))
        return torch.addcmul(added, x.float(), factor).to(x.dtype)

    return normed


def decode(vae: Any, latent: Tensor, tiler: Tiler) -> Tensor:
    """diffusers' AutoencoderKL: latent (1, C, h, w) → (1, 3, H, W) as its decoder gives it, on the CPU."""
    decoder = vae.decoder
    h = latent.to(tiler.device, tiler.dtype)
    h = h if vae.post_quant_conv is None else vae.post_quant_conv(h)
    h = decoder.mid_block(decoder.conv_in(h)).cpu()
    scale = 2 ** sum(1 for block in decoder.up_blocks if block.upsamplers)
    for block in decoder.up_blocks:
        side = max(SMALLEST, tiler.tile // scale)
        for resnet in block.resnets:
            h = tiler.resnet(resnet, h, side)
        for sampler in block.upsamplers or ():
            scale //= 2
            h = tiler.mapped(sampler, h, max(SMALLEST, tiler.tile // scale), 2, 2.0)
    return _end(decoder, h, tiler, tiler.tile)


def encode(vae: Any, pixels: Tensor, tiler: Tiler) -> Tensor:
    """diffusers' AutoencoderKL: (1, 3, H, W) in -1..1 → the moments (1, 2C, h, w), on the CPU."""
    encoder = vae.encoder
    side = max(SMALLEST, tiler.tile)
    h, scale = tiler.mapped(encoder.conv_in, pixels, side, halo=2), 1
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            h = tiler.resnet(resnet, h, max(SMALLEST, tiler.tile // scale))
        for sampler in block.downsamplers or ():
            scale *= 2
            h = tiler.mapped(sampler, h, max(SMALLEST, tiler.tile // scale), 2, 0.5)
    h = encoder.mid_block(h.to(tiler.device, tiler.dtype))
    h = encoder.conv_out(F.silu(encoder.conv_norm_out(h)))
    return (h if vae.quant_conv is None else vae.quant_conv(h)).cpu()


def _end(part: Any, h: Tensor, tiler: Tiler, side: int) -> Tensor:
    last = tiler.norm(part.conv_norm_out, h, side)
    return tiler.mapped(lambda t: part.conv_out(F.silu(last(t))), h, side, halo=2)
