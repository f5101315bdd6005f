"""Every family at its published size: told from the header alone, and every tensor finds its place.

The key lists are made by the same code as the small checkpoints of other tests; DIGESTS holds what an
independent generator of the published layouts makes of them. Nothing here has values: files are holes with a
header, networks live on the meta device.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion.devices import Device
from diffusion.families import FAMILIES
from diffusion.headers import read_header
from diffusion.loading import build_clip, build_model, build_vae
from diffusion.probe import UNET, V_TELLTALE, VAE, facts_of, strip
from tests.diffusion.published import Shapes, Sizes, text_shapes, unet_shapes, vae_shapes

LAYERS = {768: 12, 1024: 24, 1280: 32}
SD1 = Sizes(
    channels=(320, 640, 1280, 1280),
    depths=(1, 1, 1, 0),
    context=768,
    towers=(("cond_stage_model.transformer.", "clip", 768),),
    vae=(128, 256, 512, 512),
)
SD2 = replace(SD1, context=1024, linear=True, towers=(("cond_stage_model.model.", "open_clip", 1024),))
SDXL = replace(
    SD1,
    channels=(320, 640, 1280),
    depths=(0, 2, 10),
    middle=10,
    context=2048,
    linear=True,
    adm=2816,
    towers=(
        ("conditioner.embedders.0.transformer.", "clip", 768),
        ("conditioner.embedders.1.model.", "open_clip", 1280),
    ),
)
REFINER = replace(
    SDXL,
    channels=(384, 768, 1536, 1536),
    depths=(0, 4, 4, 0),
    middle=4,
    context=1280,
    adm=2560,
    towers=(("conditioner.embedders.0.model.", "open_clip", 1280),),
)
DIGESTS = {
    "sd1": "373c6bbd3fb3a51c",
    "sd1-inpaint": "6803cc61eed08b37",
    "sd2": "2a5635b04d9547ac",
    "sdxl": "2ca10a5d0825069f",
    "sdxl-refiner": "cdc159732008bb88",
}


@dataclass(frozen=True)
class Published:
    """A published kind of checkpoint: its sizes, the tensors it has beside them, what it is and puts out."""

    sizes: Sizes
    family: str
    prediction: str = "eps"
    zero_snr: bool = False
    beside: tuple[tuple[str, tuple[int, ...]], ...] = ()
    spread: float = 0.01


_IDS = ("cond_stage_model.transformer.text_model.embeddings.position_ids", (1, 77))
_SCHEDULE = tuple((name, (1000,)) for name in ("betas", "alphas_cumprod", "sqrt_alphas_cumprod"))
_EMA = (("model_ema.decay", ()), ("model_ema.diffusion_modelinput_blocks00weight", (320, 4, 3, 3)))
_XL_IDS = ("conditioner.embedders.0.transformer.text_model.embeddings.position_ids", (1, 77))
_DEPTH = (("depth_model.model.pretrained.model.cls_token", (1, 1, 1024)),)

KINDS = {
    "sd1": Published(SD1, "sd1", beside=(_IDS, *_SCHEDULE, *_EMA)),
    "sd1-inpaint": Published(replace(SD1, in_channels=9), "sd1-inpaint", beside=(_IDS,)),
    "sd1-ip2p": Published(replace(SD1, in_channels=8), "sd1-ip2p", beside=_EMA),
    "sd1-lcm": Published(SD1, "sd1", beside=((f"{UNET}time_embed.cond_proj.weight", (320, 256)),)),
    "sd2": Published(SD2, "sd2", beside=_SCHEDULE),
    "sd2-v": Published(SD2, "sd2-v", "v_prediction", spread=0.3),
    "sd2-inpaint": Published(replace(SD2, in_channels=9), "sd2-inpaint"),
    "sd2-depth": Published(replace(SD2, in_channels=5), "sd2-depth", beside=_DEPTH),
    "sdxl": Published(SDXL, "sdxl", beside=(_XL_IDS,)),
    "sdxl-v": Published(SDXL, "sdxl", "v_prediction", True, beside=(("v_pred", ()), ("ztsnr", ()))),
    "sdxl-inpaint": Published(replace(SDXL, in_channels=9), "sdxl-inpaint"),
    "sdxl-ip2p": Published(replace(SDXL, in_channels=8), "sdxl-ip2p"),
    "sdxl-refiner": Published(REFINER, "sdxl-refiner"),
}


def full_shapes(sizes: Sizes) -> Shapes:
    """Names and shapes of a whole checkpoint with text encoders of published depth."""
    shapes = {f"{UNET}{n}": s for n, s in unet_shapes(sizes).items()}
    shapes |= {f"{VAE}{n}": s for n, s in vae_shapes(sizes.vae).items()}
    for prefix, layout, width in sizes.towers:
        shapes |= {f"{prefix}{n}": s for n, s in text_shapes(layout, width, LAYERS[width]).items()}
    return shapes


def digest(shapes: Shapes) -> str:
    lines = "\n".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in sorted(shapes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def hole(path: Path, shapes: Shapes, values: Mapping[str, list[float]]) -> Path:
    """A safetensors file of full size in fp16 that takes no place on disk but for the given values."""
    entries, at = dict[str, Any](), 0
    for name, shape in shapes.items():
        end = at + math.prod(shape) * 2
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    raw = json.dumps(entries).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + at)
        for name, numbers in values.items():
            file.seek(8 + len(raw) + entries[name]["data_offsets"][0])
            file.write(struct.pack(f"<{len(numbers)}e", *numbers))
    return path


def wave(spread: float, count: int) -> list[float]:
    """Numbers of mean 0 whose standard deviation is the spread."""
    return [spread if number % 2 else -spread for number in range(count)]


@pytest.mark.parametrize("name", DIGESTS)
def test_the_key_lists_are_those_of_an_independent_generator(name: str) -> None:
    assert digest(full_shapes(KINDS[name].sizes)) == DIGESTS[name]


@pytest.mark.parametrize("name", KINDS)
def test_a_family_loads_whole_with_no_tensor_left(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    shapes = full_shapes(kind.sizes)
    telltale = UNET + V_TELLTALE
    values = {telltale: wave(kind.spread, shapes[telltale][0])} if telltale in shapes else {}
    header = read_header(hole(tmp_path / "a.safetensors", shapes | dict(kind.beside), values))
    facts = facts_of(header)
    assert (facts.kind, facts.family) == ("checkpoint", kind.family)
    assert (facts.prediction, facts.zero_snr) == (kind.prediction, kind.zero_snr)

    device = Device(torch.device("cpu"), torch.float32)
    tensors = {n: torch.empty(s, device="meta", dtype=torch.float16) for n, s in header.shapes.items()}
    model = build_model(header, strip(tensors, UNET), UNET, device)
    clip = build_clip(header.path, tensors, FAMILIES[kind.family], device)
    vae = build_vae(strip(tensors, VAE), header.path, device)
    assert clip is not None
    assert (model.sampling.prediction, float(model.sampling.sigma_max) > 1000) == (
        kind.prediction,
        kind.zero_snr,
    )
    modules = [model.model.diffusion_model, vae.first_stage_model, *(e.module for e in clip.encoders)]
    projections = [e.projection for e in clip.encoders if e.projection is not None]
    assert all(weight.dtype == torch.float16 for module in modules for weight in module.state_dict().values())
    used = sum(map(count, modules)) + sum(p.numel() for p in projections)
    assert used == sum(t.numel() for n, t in tensors.items() if is_weight(n, kind))


def count(module: nn.Module) -> int:
    weights: dict[str, Tensor] = module.state_dict()
    return sum(weight.numel() for weight in weights.values())


def is_weight(name: str, kind: Published) -> bool:
    """Whether a network must take this tensor; training programs leave others beside them."""
    beside = {other for other, _ in kind.beside if not other.startswith(UNET)}
    return name not in beside and not name.endswith("logit_scale")
