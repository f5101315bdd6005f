"""What a model file is, read from its header alone: kind, family, exact dimensions, precision."""

import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES, PUBLISHED_CONTEXTS, Family, choose
from diffusion.headers import Header, read_header
from diffusion.text_layout import text_layout
from diffusion.unet_layout import UnetLayout, unet_layout
from diffusion.vae_layout import vae_layout

Shapes = Mapping[str, tuple[int, ...]]

UNET: Final = "model.diffusion_model."
VAE: Final = "first_stage_model."
CONTROL: Final = "control_model."
PRECISIONS: Final = {
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
    "F64": "fp64",
}
# The network's last norm is trained to a wider spread in v-prediction checkpoints; the files say nothing
# else.
V_SPREAD: Final = 0.09
V_TELLTALE: Final = "output_blocks.11.1.transformer_blocks.0.norm1.bias"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a model file without loading it.

    kind: checkpoint, unet, clip, vae, lora, controlnet, embedding, upscaler or unknown; family: a name of
    families.FAMILIES, or its base ("sd1") where variants do not differ, None when it fits any or cannot be
    told; prediction: "eps" or "v_prediction"; precision: fp32, fp16, bf16, fp8; bytes: the file's size;
    dimensions: exact sizes, by part.
    """

    path: Path
    kind: str
    family: str | None
    precision: str
    bytes: int
    tensors: int
    prediction: str | None = None
    dimensions: Mapping[str, Any] = field(default_factory=dict[str, Any])


def probe(path: Path | str) -> FileFacts:
    """What the file at path is; raises DiffusionError with a sentence when it is no readable model file."""
    return facts_of(read_header(Path(path)))


def facts_of(header: Header) -> FileFacts:
    """The same for a header already read."""
    for fits, describe in _KINDS:
        if fits(header.tensors):
            return describe(header)
    return _facts(header, "unknown", None)


def strip(shapes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The entries under a prefix, without it."""
    start = len(prefix)
    return {name[start:]: value for name, value in shapes.items() if name.startswith(prefix)}


def _facts(header: Header, kind: str, family: str | None, **more: Any) -> FileFacts:
    counts = Counter(info.dtype for info in header.tensors.values() if info.shape)
    precision = counts.most_common(1)[0][0] if counts else "F32"
    precision = PRECISIONS.get(precision, precision.lower())
    return FileFacts(header.path, kind, family, precision, header.size, len(header.tensors), **more)


def unet_prefix(names: Mapping[str, Any]) -> str | None:
    """Where a file keeps its U-Net: "model.diffusion_model.", "" for a U-Net alone, None when it has none."""
    for prefix in (UNET, ""):
        if f"{prefix}input_blocks.0.0.weight" in names and f"{prefix}out.2.weight" in names:
            return prefix
    return None


def unet_family(header: Header, prefix: str, layout: UnetLayout) -> Family:
    """The family of a file's U-Net; raises DiffusionError when its input channels fit none."""
    base = _base(header.tensors, layout)
    family = choose(base, layout.in_channels, _prediction(header, prefix, base, layout))
    if family is None:
        known = sorted({row.in_channels for row in FAMILIES.values() if row.base == base})
        raise DiffusionError(
            f"{header.path.name} has a U-Net with {layout.in_channels} input channels; {base} models have "
            f"{', '.join(map(str, known))}. It is of a family that Darkroom does not know."
        )
    return family


def _base(names: Mapping[str, Any], layout: UnetLayout) -> str:
    towers = [
        ("conditioner.embedders.1.", "sdxl"),
        ("conditioner.embedders.0.model.", "sdxl-refiner"),
        ("cond_stage_model.model.", "sd2"),
        ("cond_stage_model.transformer.", "sd1"),
    ]
    for prefix, base in towers:
        if any(name.startswith(prefix) for name in names):
            return base
    if layout.context in PUBLISHED_CONTEXTS:
        return PUBLISHED_CONTEXTS[layout.context]
    if layout.adm is not None:
        return "sdxl"
    return "sd2" if layout.linear else "sd1"


def _prediction(header: Header, prefix: str, base: str, layout: UnetLayout) -> str:
    said = header.metadata.get("modelspec.prediction_type", "")
    if "v_pred" in header.tensors or said in ("v", "v_prediction"):
        return "v_prediction"
    telltale = header.tensors.get(prefix + V_TELLTALE)
    if base != "sd2" or layout.in_channels != 4 or said or telltale is None:
        return "eps"
    return "v_prediction" if _spread(header, prefix + V_TELLTALE) > V_SPREAD else "eps"


def _spread(header: Header, name: str) -> float:
    info, raw = header.tensors[name], header.read(name)
    if info.dtype == "BF16":
        raw, count, code = (
            b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2)),
            len(raw) // 2,
            "f",
        )
    else:
        code, width = {"F16": ("e", 2), "F32": ("f", 4), "F64": ("d", 8)}.get(info.dtype, ("B", 1))
        count = len(raw) // width
    values = struct.unpack(f"<{count}{code}", raw)
    mean = sum(values) / count
    return (sum((v - mean) ** 2 for v in values) / count) ** 0.5


def _is_checkpoint(names: Mapping[str, Any]) -> bool:
    return unet_prefix(names) == UNET


def _checkpoint(header: Header) -> FileFacts:
    shapes = header.shapes
    layout = unet_layout(strip(shapes, UNET))
    family = unet_family(header, UNET, layout)
    dimensions: dict[str, Any] = {"unet": asdict(layout)}
    if vae := strip(shapes, VAE):
        dimensions["vae"] = asdict(vae_layout(vae))
    for tower in family.towers:
        if part := strip(shapes, tower.prefix):
            dimensions[f"text_{tower.name}"] = asdict(text_layout(part, tower.layout))
    prediction = _prediction(header, UNET, family.base, layout)
    return _facts(header, "checkpoint", family.name, prediction=prediction, dimensions=dimensions)


def _is_unet(names: Mapping[str, Any]) -> bool:
    return unet_prefix(names) == ""


def _unet(header: Header) -> FileFacts:
    layout = unet_layout(header.shapes)
    family = unet_family(header, "", layout)
    prediction = _prediction(header, "", family.base, layout)
    return _facts(header, "unet", family.name, prediction=prediction, dimensions={"unet": asdict(layout)})


def _is_control(names: Mapping[str, Any]) -> bool:
    return any("zero_convs.0.0.weight" in n or "controlnet_cond_embedding" in n for n in names)


def _control(header: Header) -> FileFacts:
    key = next((n for n in header.tensors if n.endswith(".attn2.to_k.weight")), None)
    context = header.tensors[key].shape[1] if key else 0
    return _facts(header, "controlnet", PUBLISHED_CONTEXTS.get(context), dimensions={"context": context})


def _is_vae(names: Mapping[str, Any]) -> bool:
    return "decoder.conv_in.weight" in names and "encoder.conv_in.weight" in names


def _vae(header: Header) -> FileFacts:
    if "encoder.down.0.block.0.conv1.weight" not in header.tensors:
        return _facts(header, "vae", None)
    return _facts(header, "vae", None, dimensions={"vae": asdict(vae_layout(header.shapes))})


_LORA_MARKS: Final = (
    ".lora_down.weight",
    ".lora_A.weight",
    ".lora.down.weight",
    ".hada_w1_a",
    ".lokr_w1",
    ".lora_up.weight",
)


def _is_lora(names: Mapping[str, Any]) -> bool:
    return any(name.endswith(_LORA_MARKS) for name in names)


def _lora(header: Header) -> FileFacts:
    context = next((i.shape[1] for n, i in header.tensors.items() if "attn2" in n and _reads_text(n)), 0)
    if not context and any(name.startswith("lora_te2_") for name in header.tensors):
        context = 2048
    ranks = [i.shape[0] for n, i in header.tensors.items() if n.endswith(_LORA_MARKS[:2])]
    dimensions = {"context": context, "rank": max(ranks, default=0)}
    return _facts(header, "lora", PUBLISHED_CONTEXTS.get(context), dimensions=dimensions)


def _reads_text(name: str) -> bool:
    return name.endswith(_LORA_MARKS[:3]) and ("to_k" in name or "to_v" in name)


def _is_text(names: Mapping[str, Any]) -> bool:
    return any(n.endswith(("token_embedding.weight",)) for n in names)


def _text(header: Header) -> FileFacts:
    width = next(i.shape[1] for n, i in header.tensors.items() if n.endswith("token_embedding.weight"))
    family = {768: "sd1", 1024: "sd2"}.get(width)
    return _facts(header, "clip", family, dimensions={"width": width})


def _is_embedding(names: Mapping[str, Any]) -> bool:
    return bool(names) and set(names) <= {"emb_params", "clip_l", "clip_g", "string_to_param.*"}


def _embedding(header: Header) -> FileFacts:
    widths = {name: info.shape[-1] for name, info in header.tensors.items() if info.shape}
    if "clip_g" in widths:
        return _facts(header, "embedding", "sdxl", dimensions=widths)
    width = next(iter(widths.values()), 0)
    return _facts(header, "embedding", {768: "sd1", 1024: "sd2"}.get(width), dimensions={"width": width})


def _is_upscaler(names: Mapping[str, Any]) -> bool:
    return any(n.endswith(("conv_first.weight", "model.0.weight")) for n in names)


def _upscaler(header: Header) -> FileFacts:
    return _facts(header, "upscaler", None)


_KINDS: Final[tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Header], FileFacts]], ...]] = (
    (_is_checkpoint, _checkpoint),
    (_is_control, _control),
    (_is_lora, _lora),
    (_is_unet, _unet),
    (_is_vae, _vae),
    (_is_text, _text),
    (_is_embedding, _embedding),
    (_is_upscaler, _upscaler),
)
