"""What a model file or folder is, read from its header alone: kind, family, exact dimensions, precision."""

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES, PUBLISHED_CONTEXTS, Family, choose
from diffusion.headers import Header, read_header
from diffusion.text_layout import text_layout, text_names
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

    kind: checkpoint, unet, clip, clip_vision, vae, taesd, lora, controlnet, embedding, upscaler or unknown;
    family: a name of families.FAMILIES, or its base ("sd1") where variants do not differ, None when it fits
    any or cannot be told; prediction: "eps" or "v_prediction"; zero_snr: trained down to pure noise (Lin et
    al. 2023); precision: fp32, fp16, bf16, fp8; bytes: the file's size; dimensions: exact sizes, by part.
    """

    path: Path
    kind: str
    family: str | None
    precision: str
    bytes: int
    tensors: int
    prediction: str | None = None
    zero_snr: bool = False
    dimensions: Mapping[str, Any] = field(default_factory=dict[str, Any])


def probe(path: Path | str) -> FileFacts:
    """What the file at path is; raises DiffusionError with a sentence when it is no readable model file."""
    return facts_of(read_header(Path(path)))


def facts_of(header: Header) -> FileFacts:
    """The same for a header already read."""
    for fits, describe in _KINDS:
        if fits(header.tensors):
            return describe(header)
    if lacking := _lacking(header.tensors):
        raise DiffusionError(
            f"{header.path.name} is not complete: its U-Net lacks '{lacking}'. Download it again."
        )
    return next(
        (describe(header) for fits, describe in _LOOSE_KINDS if fits(header.tensors)), _unknown(header)
    )


def _unknown(header: Header) -> FileFacts:
    return _facts(header, "unknown", None)


def _lacking(names: Mapping[str, Any]) -> str | None:
    """The first or last tensor of a U-Net that a file has other parts of."""
    for prefix, level in ((UNET, ""), ("", "input_blocks.")):
        if any(name.startswith(prefix + level) for name in names):
            ends = (f"{prefix}input_blocks.0.0.weight", f"{prefix}out.2.weight")
            return next((end for end in ends if end not in names), None)
    return None


def is_zero_snr(header: Header) -> bool:
    """Whether a file says that it was trained down to pure noise."""
    return "ztsnr" in header.tensors or "ztsnr" in header.metadata


def strip(shapes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The entries under a prefix, without it."""
    start = len(prefix)
    return {name[start:]: value for name, value in shapes.items() if name.startswith(prefix)}


def _facts(header: Header, kind: str, family: str | None, **more: Any) -> FileFacts:
    counts = Counter([info[0] for info in header.tensors.values() if info[1]])
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
            f"{', '.join(map(str, known))}. It is of a family that Darkroom does not know: choose another."
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
    roots = _roots(header)
    layout = unet_layout(strip(roots["model"], UNET))
    family = unet_family(header, UNET, layout)
    dimensions: dict[str, Any] = {"unet": asdict(layout)}
    if vae := strip(roots["first_stage_model"], VAE):
        dimensions["vae"] = asdict(vae_layout(vae))
    for tower in family.towers:
        if part := strip(roots[tower.prefix.partition(".")[0]], tower.prefix):
            dimensions[f"text_{tower.name}"] = asdict(text_layout(part, text_names(part)))
    prediction = _prediction(header, UNET, family.base, layout)
    return _facts(
        header,
        "checkpoint",
        family.name,
        prediction=prediction,
        zero_snr=is_zero_snr(header),
        dimensions=dimensions,
    )


def _roots(header: Header) -> Mapping[str, dict[str, tuple[int, ...]]]:
    """The shapes of a checkpoint's tensors by the first word of their names: each part is looked at once."""
    found: defaultdict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for name, info in header.tensors.items():
        found[name.partition(".")[0]][name] = info[1]
    return found


def _is_unet(names: Mapping[str, Any]) -> bool:
    return unet_prefix(names) == ""


def _unet(header: Header) -> FileFacts:
    layout = unet_layout(header.shapes)
    family = unet_family(header, "", layout)
    prediction = _prediction(header, "", family.base, layout)
    dimensions = {"unet": asdict(layout)}
    return _facts(
        header,
        "unet",
        family.name,
        prediction=prediction,
        zero_snr=is_zero_snr(header),
        dimensions=dimensions,
    )


def _is_control(names: Mapping[str, Any]) -> bool:
    return (
        any("zero_convs.0.0.weight" in n or "controlnet_cond_embedding" in n for n in names)
        or any(n.removeprefix("adapter.") in ("body.0.in_conv.weight", "body.0.block1.weight") for n in names)
        or "adapter.conv_in.weight" in names
    )


def _control(header: Header) -> FileFacts:
    key = next((n for n in header.tensors if n.endswith((".attn2.to_k.weight", ".attn2.to_k.down"))), None)
    if key is None:
        return _adapter(header)
    context = header.tensors[key].shape[1]
    return _facts(header, "controlnet", PUBLISHED_CONTEXTS.get(context), dimensions={"context": context})


def _adapter(header: Header) -> FileFacts:
    """A T2I-Adapter, which reads no text: SDXL's sees blocks of 16×16 pixels, others of 8×8."""
    first = next(
        (i for n, i in header.tensors.items() if n.endswith(("conv_in.weight", "body.0.in_conv.weight"))),
        None,
    )
    inputs = first.shape[1] if first else 0
    return _facts(
        header, "controlnet", "sdxl" if inputs in (256, 768) else "sd1", dimensions={"inputs": inputs}
    )


def _is_vae(names: Mapping[str, Any]) -> bool:
    return "decoder.conv_in.weight" in names and "encoder.conv_in.weight" in names


def _vae(header: Header) -> FileFacts:
    if "encoder.down.0.block.0.conv1.weight" not in header.tensors:
        return _facts(header, "vae", None)
    return _facts(header, "vae", None, dimensions={"vae": asdict(vae_layout(header.shapes))})


_LORA_DOWN: Final = (
    ".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", "lora.down.weight",
    ".lora_linear_layer.down.weight",
)  # fmt: skip
_LORA_MARKS: Final = (
    *_LORA_DOWN, ".lora_up.weight", ".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".diff", ".diff_b",
)  # fmt: skip


def _is_lora(names: Mapping[str, Any]) -> bool:
    return any(name.endswith(_LORA_MARKS) for name in names)


def _lora(header: Header) -> FileFacts:
    shapes = header.shapes
    context = next((width for name in header.tensors if (width := _text_width(shapes, name))), 0)
    if not context and any(name.startswith("lora_te2_") for name in header.tensors):
        context = 2048
    ranks = [i.shape[0] for n, i in header.tensors.items() if n.endswith(_LORA_DOWN)]
    dimensions = {"context": context, "rank": max(ranks, default=0)}
    return _facts(header, "lora", PUBLISHED_CONTEXTS.get(context), dimensions=dimensions)


def _text_width(shapes: Shapes, name: str) -> int:
    """How wide the text is that a changed layer reads; 0 when this tensor does not tell."""
    if "attn2" not in name or not ("to_k" in name or "to_v" in name):
        return 0
    if name.endswith((*_LORA_DOWN, ".hada_w1_b", ".diff")) and len(shapes[name]) > 1:
        return shapes[name][1]
    stem, mark, _ = name.partition(".lokr_")
    sides = [shapes.get(f"{stem}.lokr_{w}", shapes.get(f"{stem}.lokr_{w}_b", (0, 0))) for w in ("w1", "w2")]
    return sides[0][1] * sides[1][1] if mark else 0


def _is_vision(names: Mapping[str, Any]) -> bool:
    return (
        "vision_model.post_layernorm.weight" in names or "visual.transformer.resblocks.0.ln_1.weight" in names
    )


def _vision(header: Header) -> FileFacts:
    return _facts(header, "clip_vision", None)


def _is_tiny_vae(names: Mapping[str, Any]) -> bool:
    return "3.conv.0.weight" in names or "decoder.layers.2.conv.0.weight" in names


def _tiny_vae(header: Header) -> FileFacts:
    return _facts(header, "taesd", None)


_TOKENS: Final = ("embeddings.token_embedding.weight", "token_embedding.weight")


def _is_text(names: Mapping[str, Any]) -> bool:
    return any(name.endswith(_TOKENS) for name in names)


def _text(header: Header) -> FileFacts:
    width = next(i.shape[-1] for n, i in header.tensors.items() if n.endswith(_TOKENS))
    return _facts(header, "clip", _WIDTHS.get(width), dimensions={"width": width})


_WIDTHS: Final = {768: "sd1", 1024: "sd2"}
_EMBEDDING_NAMES: Final = {"emb_params", "clip_l", "clip_g", "clip_h", "string_to_param.*"}


def _is_embedding(names: Mapping[str, Any]) -> bool:
    """Known names, or one or two of the user's own choice, as diffusers' trainer writes them."""
    if set(names) <= _EMBEDDING_NAMES:
        return bool(names)
    return len(names) <= 2 and all(name.startswith("<") for name in names)


def _embedding(header: Header) -> FileFacts:
    widths = {name: info.shape[-1] for name, info in header.tensors.items() if info.shape}
    if "clip_g" in widths:
        return _facts(header, "embedding", "sdxl", dimensions=widths)
    width = next(iter(widths.values()), 0)
    return _facts(header, "embedding", _WIDTHS.get(width), dimensions={"width": width})


def _is_upscaler(names: Mapping[str, Any]) -> bool:
    # Real-ESRGAN's compact network is told by its slopes: body.1 has a weight and no bias.
    compact = {"body.0.bias", "body.1.weight"} <= names.keys() and "body.1.bias" not in names
    return compact or any(n.endswith(("conv_first.weight", "model.0.weight")) for n in names)


def _upscaler(header: Header) -> FileFacts:
    return _facts(header, "upscaler", None)


_Kind = tuple[Callable[[Mapping[str, Any]], bool], Callable[[Header], FileFacts]]
_KINDS: Final[tuple[_Kind, ...]] = (
    (_is_checkpoint, _checkpoint),
    (_is_control, _control),
    (_is_lora, _lora),
    (_is_unet, _unet),
)
_LOOSE_KINDS: Final[tuple[_Kind, ...]] = (
    (_is_vae, _vae),
    (_is_vision, _vision),
    (_is_text, _text),
    (_is_embedding, _embedding),
    (_is_tiny_vae, _tiny_vae),
    (_is_upscaler, _upscaler),
)
"""Told by a name or two, which parts of a broken checkpoint have as well."""
