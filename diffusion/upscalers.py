"""Upscaling models: ESRGAN's and Real-ESRGAN's networks from their published files, run tile by tile.

Xintao Wang et al., ESRGAN (2018, arXiv:1809.00219) and Real-ESRGAN (2021, arXiv:2107.10833). Other networks
are read by spandrel where it is installed. It cannot be a requirement: it needs torchvision, whose wheels on
the package index are for CUDA only and keep transformers from importing beside a torch for CPUs.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from diffusion.devices import choose_device
from diffusion.errors import DiffusionError

TILE: Final = 512
OVERLAP: Final = 32
SMALLEST_TILE: Final = 128
WRAPPERS: Final = ("params_ema", "params-ema", "params", "state_dict", "model")
SLOPE: Final = 0.2
TRUNK_NAMES: Final = (
    ("RRDB_trunk", "body"),
    ("RDB", "rdb"),
    ("trunk_conv", "conv_body"),
    ("upconv", "conv_up"),
    ("HRconv", "conv_hr"),
)
"""Parts of names in ESRGAN's second layout, and what they are in the newest."""

Weights = Mapping[str, Tensor]
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Upscaler:
    """A network that makes pictures (B, C, H, W), 0..1, larger by a whole factor.

    `model` and `scale` bear the names that plugins ask for.
    """

    model: nn.Module
    scale: int
    name: str
    input_channels: int = 3

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """The larger picture, 0..1 too, on the device of the pixels."""
        return self.model(pixels).clamp(0, 1)

    def to(self, device: Any = None, dtype: torch.dtype | None = None) -> "Upscaler":
        """The network moved to a device, and to a precision."""
        self.model.to(device=device, dtype=dtype)
        return self

    @property
    def device(self) -> torch.device:
        """Where the network's weights lie."""
        return next(self.model.parameters()).device


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it found."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 6):
            out = width if number == 5 else growth
            self.add_module(f"conv{number}", nn.Conv2d(width + (number - 1) * growth, out, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) → the same shape."""
        found = [x]
        for number in range(1, 5):
            layer = self.get_submodule(f"conv{number}")
            found.append(functional.leaky_relu(layer(torch.cat(found, 1)), SLOPE))
        return self.get_submodule("conv5")(torch.cat(found, 1)) * 0.2 + x


class DenseBlocks(nn.Module):
    """Three dense blocks (RRDB)."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (DenseBlock(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) → the same shape."""
        return self.rdb3(self.rdb2(self.rdb1(x))) * 0.2 + x


class Esrgan(nn.Module):
    """ESRGAN's generator (RRDBNet): dense blocks, then one doubling after another.

    shrink: the picture is first folded into so many times smaller sides (Real-ESRGAN's ×2 and ×1).
    """

    def __init__(
        self, channels: int, out: int, width: int, growth: int, blocks: int, doublings: int, shrink: int
    ) -> None:
        super().__init__()
        self.shrink, self.doublings = shrink, doublings
        self.conv_first = nn.Conv2d(channels, width, 3, 1, 1)
        self.body = nn.Sequential(*(DenseBlocks(width, growth) for _ in range(blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, 1, 1)
        for number in range(1, doublings + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(width, width, 3, 1, 1))
        self.conv_hr = nn.Conv2d(width, width, 3, 1, 1)
        self.conv_last = nn.Conv2d(width, out, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H * scale, W * scale)."""
        height, width = x.shape[-2:]
        if self.shrink > 1:
            x = functional.pixel_unshuffle(_filled(x, self.shrink), self.shrink)
        x = self.conv_first(x)
        x = x + self.conv_body(self.body(x))
        for number in range(1, self.doublings + 1):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = functional.leaky_relu(self.get_submodule(f"conv_up{number}")(x), SLOPE)
        x = self.conv_last(functional.leaky_relu(self.conv_hr(x), SLOPE))
        scale = 2**self.doublings // self.shrink
        return x[..., : height * scale, : width * scale]


def _filled(x: Tensor, multiple: int) -> Tensor:
    """Pictures with their last row and column repeated up to a multiple."""
    height, width = x.shape[-2:]
    return functional.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")


class Compact(nn.Module):
    """Real-ESRGAN's small network (SRVGGNetCompact): a chain of convolutions, and the picture added."""

    def __init__(self, channels: int, out: int, width: int, convolutions: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.PReLU(width)]
        for _ in range(convolutions):
            layers += [nn.Conv2d(width, width, 3, 1, 1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, out * scale * scale, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H * scale, W * scale)."""
        larger = functional.interpolate(x, scale_factor=self.scale, mode="nearest")
        return functional.pixel_shuffle(self.body(x), self.scale) + larger


def load_upscaler(path: Path) -> Upscaler:
    """The upscaling model of a .safetensors or .pth file.

    Raises:
        DiffusionError: when the file is damaged or holds a network that is not known here.
    """
    weights = _unwrapped(_read(path), path)
    try:
        return build(weights, path.name) or _by_spandrel(weights, path)
    except DiffusionError:
        raise
    except (KeyError, ValueError, IndexError) as error:
        raise DiffusionError(f"{path.name} does not hold the weights that its names promise.") from error


def _read(path: Path) -> Any:
    try:
        if path.suffix.lower() in (".safetensors", ".sft"):
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise classes of their own for every kind of damage
        raise DiffusionError(f"{path.name} cannot be read as a model file; download it again.") from error


def _unwrapped(stored: Any, path: Path) -> dict[str, Tensor]:
    """The tensors of a file without the dictionaries and prefixes that training put around them."""
    while isinstance(stored, dict) and (inner := next((key for key in WRAPPERS if key in stored), "")):
        if not isinstance(stored[inner], dict):
            break
        stored = stored[inner]
    if not isinstance(stored, dict) or not all(isinstance(value, Tensor) for value in stored.values()):
        raise DiffusionError(f"{path.name} holds no weights of a network.")
    return {key.removeprefix("module."): value.float() for key, value in stored.items()}


def build(weights: Weights, name: str) -> Upscaler | None:
    """The network that a file's keys tell, with its weights; None for one that is not known here."""
    plain = renamed(weights)
    if {"conv_first.weight", "body.0.rdb1.conv1.weight", "conv_last.weight"} <= plain.keys():
        return _finished(_esrgan(plain), plain, name)
    if "body.0.weight" in plain and "body.1.weight" in plain and plain["body.1.weight"].ndim == 1:
        return _finished(_compact(plain), plain, name)
    return None


def _finished(made: tuple[nn.Module, int, int], weights: Weights, name: str) -> Upscaler:
    module, scale, channels = made
    if missing := sorted(module.state_dict().keys() - weights.keys()):
        raise DiffusionError(f"{name} lacks {len(missing)} weights of its kind, such as {missing[0]}.")
    _fill(module, weights, name)
    return Upscaler(module.eval().requires_grad_(False), scale, name, channels)


def _fill(module: nn.Module, weights: Weights, name: str) -> None:
    try:
        module.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise DiffusionError(f"{name} holds weights that do not fit one another; is it damaged?") from error


def _esrgan(weights: Weights) -> tuple[nn.Module, int, int]:
    first, last = weights["conv_first.weight"], weights["conv_last.weight"]
    blocks = 1 + max(int(key.split(".")[1]) for key in weights if key.startswith("body."))
    doublings = sum(re.fullmatch(r"conv_up\d+\.weight", key) is not None for key in weights)
    shrink = math.isqrt(first.shape[1] // last.shape[0])
    growth = weights["body.0.rdb1.conv1.weight"].shape[0]
    shape = (first.shape[1], last.shape[0], first.shape[0], growth, blocks, doublings, shrink)
    return Esrgan(*shape), 2**doublings // shrink, last.shape[0]


def _compact(weights: Weights) -> tuple[nn.Module, int, int]:
    numbers = [int(key.split(".")[1]) for key in weights if key.endswith(".weight")]
    first, last = weights["body.0.weight"], weights[f"body.{max(numbers)}.weight"]
    width, channels = first.shape[:2]
    scale = math.isqrt(last.shape[0] // channels)
    return Compact(channels, channels, width, max(numbers) // 2 - 1, scale), scale, channels


def renamed(weights: Weights) -> dict[str, Tensor]:
    """The tensors of any of ESRGAN's three layouts under the names of the newest."""
    if "model.0.weight" in weights:
        return _from_sequence(weights)
    if "RRDB_trunk.0.RDB1.conv1.weight" in weights:
        return {_from_trunk(key): value for key, value in weights.items()}
    return dict(weights)


def _from_trunk(key: str) -> str:
    for old, new in TRUNK_NAMES:
        key = key.replace(old, new)
    return key


def _from_sequence(weights: Weights) -> dict[str, Tensor]:
    """The oldest layout, numbered through: model.0, model.1.sub.N, then each convolution after a doubling."""
    blocks = [int(m.group(1)) for key in weights if (m := re.match(r"model\.1\.sub\.(\d+)\.RDB", key))]
    tail = sorted({int(key.split(".")[1]) for key in weights if not key.startswith(("model.0.", "model.1."))})
    names = {f"model.1.sub.{max(blocks) + 1}": "conv_body", "model.0": "conv_first"}
    names |= {f"model.{number}": f"conv_up{place}" for place, number in enumerate(tail[:-2], 1)}
    names |= {f"model.{tail[-2]}": "conv_hr", f"model.{tail[-1]}": "conv_last"}
    found = dict[str, Tensor]()
    for key, value in weights.items():
        stem, _, kind = key.rpartition(".")
        block = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0", stem)
        new = f"body.{block[1]}.rdb{block[2]}.conv{block[3]}" if block else names[stem]
        found[f"{new}.{kind}"] = value
    return found


def _by_spandrel(weights: Weights, path: Path) -> Upscaler:
    """Any other network, by the library of them where it is installed."""
    if find_spec("spandrel") is None:
        raise DiffusionError(
            f"{path.name} is of a kind that is not known here: ESRGAN, Real-ESRGAN and its compact form are. "
            "With the package spandrel installed many others can be read."
        )
    import spandrel  # pyright: ignore[reportMissingImports]

    try:
        found: Any = spandrel.ModelLoader().load_from_state_dict(dict(weights))
    except Exception as error:  # spandrel raises classes of its own
        raise DiffusionError(f"{path.name} is of a kind that spandrel does not know ({error}).") from error
    return Upscaler(found.model.eval(), int(found.scale), path.name, int(found.input_channels))


def upscale(upscaler: Upscaler, images: Tensor, report: Report, tile: int = TILE) -> Tensor:
    """Pictures (B, H, W, C) made larger tile by tile; a device without memory gets smaller tiles.

    report: told of (tiles done, tiles in all). Raises DiffusionError when even small tiles do not fit.
    """
    device = choose_device().device
    upscaler.to(device)
    pixels = images[..., : upscaler.input_channels].movedim(-1, 1)
    while True:
        try:
            larger = tiled(upscaler, pixels, upscaler.scale, device, report, tile)
            return larger.movedim(1, -1).clamp(0, 1)
        except torch.OutOfMemoryError:
            tile //= 2
            if tile < SMALLEST_TILE:
                raise DiffusionError(
                    f"{upscaler.name} does not fit into the memory of {device}, even in small tiles."
                ) from None


def tiled(
    network: Callable[[Tensor], Tensor],
    pixels: Tensor,
    scale: int,
    device: torch.device,
    report: Report,
    tile: int = TILE,
    overlap: int = OVERLAP,
) -> Tensor:
    """(B, C, H, W) → (B, C, H * scale, W * scale) in tiles whose borders fade into one another."""
    height, width = pixels.shape[-2:]
    places = list(itertools.product(starts(height, tile, overlap), starts(width, tile, overlap)))
    total, made = len(places) * pixels.shape[0], list[Tensor]()
    for number, picture in enumerate(pixels.split(1)):
        sums: Tensor | None = None
        shares = torch.zeros(1, 1, height * scale, width * scale)
        for place, (y, x) in enumerate(places):
            part = network(picture[..., y : y + tile, x : x + tile].float().to(device)).float().cpu()
            if sums is None:
                sums = torch.zeros(1, part.shape[1], height * scale, width * scale)
            share = _share(part, overlap * scale, len(places) > 1)
            area = (
                ...,
                slice(y * scale, y * scale + part.shape[-2]),
                slice(x * scale, x * scale + part.shape[-1]),
            )
            sums[area] += part * share
            shares[area] += share
            report(number * len(places) + place + 1, total)
        assert sums is not None
        made.append(sums / shares)
    return torch.cat(made)


def starts(length: int, tile: int, overlap: int) -> Iterator[int]:
    """Where tiles begin along a side, the last one ending where the side does."""
    if length <= tile:
        return iter((0,))
    return (min(place, length - overlap) for place in range(0, length - overlap, tile - overlap))


def _share(part: Tensor, fade: int, several: bool) -> Tensor:
    """(1, 1, h, w): how much a tile counts, less towards its borders."""
    lines = [torch.ones(side) for side in part.shape[-2:]]
    for line in lines if several else ():
        if fade < len(line):
            ramp = torch.arange(1, fade + 1) / fade
            line[:fade] *= ramp
            line[-fade:] *= ramp.flip(0)
    return (lines[0][:, None] * lines[1])[None, None]
