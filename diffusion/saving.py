"""Models written as files in the published single-file layout, patches and mixes put into the weights.

Weights without a patch are written bit for bit as their file had them, the others in the same dtype. A weight
is computed when its turn comes, so saving takes no more memory than the largest of them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Final

import torch
from torch import Tensor, nn

from diffusion.diffusers_layout import vae_single_names
from diffusion.probe import UNET, VAE
from diffusion.text_layout import OPEN_CLIP, OPEN_CLIP_LAYER
from diffusion.values import Clip, Model, TextEncoder, Vae
from diffusion.weights import WeightPatch, file_weight, patched

_DTYPES: Final = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}  # fmt: skip
_ARCHITECTURES: Final = {
    "sd1": "stable-diffusion-v1",
    "sd2": "stable-diffusion-v2",
    "sdxl": "stable-diffusion-xl-v1-base",
    "sdxl-refiner": "stable-diffusion-xl-v1-refiner",
}
_ZERO_SNR: Final = 1000.0
"""A largest noise level above this has nearly no signal left."""
_BATCH: Final = 8


@dataclass(frozen=True)
class Later:
    """A tensor to be written: its dtype and shape now, its values when asked for."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    make: Callable[[], Tensor]


Parts = dict[str, Later]


def later(tensor: Tensor) -> Later:
    """A tensor that is there already."""
    return Later(tensor.dtype, tuple(tensor.shape), lambda: tensor)


def _weight(module: nn.Module, name: str, patches: tuple[WeightPatch, ...] = ()) -> Later:
    own = file_weight(module, name)
    make = (lambda: patched(own, patches, own.dtype)) if patches else (lambda: own)
    return Later(own.dtype, tuple(own.shape), make)


def model_parts(model: Model) -> Parts:
    """A model's weights by their names in a checkpoint, and the marks of what it puts out."""
    network = model.model
    parts = {
        f"{UNET}{single}": _weight(network.diffusion_model, name, model.patches.get(name, ()))
        for single, name in network.names.items()
    }
    marks = {"v_pred": _is_velocity(model), "ztsnr": float(model.sampling.sigma_max) > _ZERO_SNR}
    return parts | {name: later(torch.zeros(0)) for name, said in marks.items() if said}


def _is_velocity(model: Model) -> bool:
    return model.sampling.prediction == "v_prediction"


def clip_parts(clip: Clip) -> Parts:
    """The text encoders' weights by their names in a checkpoint."""
    parts: Parts = {}
    for encoder in clip.encoders:
        single = _clip_parts if encoder.tower.layout == "clip" else _open_clip_parts
        parts |= {f"{encoder.tower.prefix}{n}": p for n, p in single(clip, encoder).items()}
    return parts


def encoder_parts(clip: Clip) -> dict[str, Parts]:
    """Each text encoder's weights by transformers' names, for a file of its own, by the encoder's name."""
    return {encoder.tower.name: _clip_parts(clip, encoder) for encoder in clip.encoders}


def _clip_parts(clip: Clip, encoder: TextEncoder) -> Parts:
    patches = clip.patches_of(encoder)
    names = [name for name, _ in encoder.module.named_parameters()]
    parts = {f"text_model.{n}": _weight(encoder.module, n, patches.get(n, ())) for n in names}
    if encoder.projection is not None:
        parts["text_projection.weight"] = later(encoder.projection)
    return parts


def _open_clip_parts(clip: Clip, encoder: TextEncoder) -> Parts:
    """The same by OpenCLIP's names, where query, key and value are one matrix."""
    plain = {name.removeprefix("text_model."): part for name, part in _clip_parts(clip, encoder).items()}
    projection = plain.pop("text_projection.weight", None)
    ends = {ours: single for single, ours in OPEN_CLIP.items()}
    inner = {ours: single for single, ours in OPEN_CLIP_LAYER.items()}
    parts: Parts = {}
    for name, part in plain.items():
        if name in ends:
            parts[ends[name]] = part
            continue
        number, _, rest = name.removeprefix("encoder.layers.").partition(".")
        stem, _, leaf = rest.rpartition(".")
        root = f"transformer.resblocks.{number}."
        if stem in inner:
            parts[f"{root}{inner[stem]}.{leaf}"] = part
        elif stem == "self_attn.q_proj":
            start = f"encoder.layers.{number}.self_attn."
            parts[f"{root}attn.in_proj_{leaf}"] = _joined([plain[f"{start}{x}_proj.{leaf}"] for x in "qkv"])
    if projection is not None:
        parts["text_projection"] = _turned(projection)
    return parts


def _joined(parts: list[Later]) -> Later:
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    return Later(parts[0].dtype, shape, lambda: torch.cat([part.make() for part in parts]))


def _turned(part: Later) -> Later:
    return Later(part.dtype, part.shape[::-1], lambda: part.make().t())


def vae_parts(vae: Vae, prefix: str = VAE) -> Parts:
    """An autoencoder's weights by their names in a checkpoint, or without prefix in a file of their own."""
    module = vae.first_stage_model
    singles = vae_single_names(name for name, _ in module.named_parameters())
    return {f"{prefix}{single}": _as_convolution(_weight(module, n), single) for n, single in singles.items()}


def _as_convolution(part: Later, name: str) -> Later:
    """Attention's projections are 1×1 convolutions in single files."""
    if ".attn_1." not in name or len(part.shape) != 2:
        return part
    return Later(part.dtype, (*part.shape, 1, 1), lambda: part.make()[:, :, None, None])


def described(model: Model, title: str) -> dict[str, str]:
    """What a file says of a model, by the modelspec standard 1.0.0."""
    family = model.family
    kind = f"{_ARCHITECTURES[family.base]}{'-inpainting' if 'mask' in family.concat else ''}"
    velocity = _is_velocity(model)
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": kind,
        "modelspec.implementation": "sgm" if family.base.startswith("sdxl") else "ldm",
        "modelspec.title": title,
        "modelspec.prediction_type": "v" if velocity else "epsilon",
        "modelspec.predict_key": "v" if velocity else "epsilon",
    }


def write(file: IO[bytes], parts: Mapping[str, Later], metadata: Mapping[str, str]) -> None:
    """Write tensors as a safetensors file, one after the other."""
    ordered = sorted(parts.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for name, part in ordered:
        end = at + torch.Size(part.shape).numel() * part.dtype.itemsize
        header[name] = {"dtype": _DTYPES[part.dtype], "shape": list(part.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _BATCH)
    file.write(len(text).to_bytes(8, "little") + text)
    for _, part in ordered:
        for chunk in _bytes(part):
            file.write(chunk)


def _bytes(part: Later) -> Iterator[memoryview]:
    tensor = part.make().detach().cpu().to(part.dtype).contiguous()
    if tensor.numel():
        yield tensor.reshape(-1).view(torch.uint8).numpy().data
