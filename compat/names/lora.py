# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy.lora` and `comfy.weight_adapter`: LoRA files that packs read themselves and put on weights."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from torch import Tensor

from compat.names.session import Session
from compat.names.text_objects import delta_of
from diffusion.lora_formats import ENDINGS, grouped
from diffusion.lora_formats import delta_of as change_of

Names = dict[str, Any]
Keys = dict[str, Any]
_TEXT_LAYERS: Final = {
    name: name.replace(".", "_")
    for name in (
        "mlp.fc1", "mlp.fc2", "self_attn.k_proj", "self_attn.q_proj", "self_attn.v_proj",
        "self_attn.out_proj",
    )
}  # fmt: skip
_UNET: Final = "diffusion_model."
_LAYERS: Final = ".transformer.text_model.encoder.layers."


class Adapter:
    """A change to one weight, kept as the tensors of its file; packs read and replace `weights`."""

    name = ""
    parts: tuple[str | None, ...] = ()
    """What `weights` holds, in its order, as diffusion/lora_formats.py calls it."""

    def __init__(self, loaded_keys: Any, weights: Any) -> None:
        self.loaded_keys, self.weights = loaded_keys, weights

    def __call__(self, weight: Tensor) -> Tensor:
        """What is added to a weight."""
        held = {
            part: value
            for part, value in zip(self.parts, self.weights, strict=False)
            if part is not None and value is not None
        }
        change = change_of(held)
        if change is None:
            raise NotImplementedError(f"Not supported by this host: a change of the kind '{self.name}'.")
        return change(weight)

    def calculate_weight(
        self, weight: Tensor, key: Any, strength: float, strength_model: float, *more: Any, **named: Any
    ) -> Tensor:
        """The weight with this change."""
        return weight + strength * self(weight).to(weight)


class LoRAAdapter(Adapter):
    """A product of two matrices."""

    name = "lora"
    parts = ("up", "down", "alpha", "mid", "dora", None)


class LoHaAdapter(Adapter):
    """A product, value by value, of two low-rank matrices."""

    name = "loha"
    parts = ("w1_a", "w1_b", "alpha", "w2_a", "w2_b", "t1", "t2", "dora")


class LoKrAdapter(Adapter):
    """A Kronecker product."""

    name = "lokr"
    parts = ("k1", "k2", "alpha", "k1_a", "k1_b", "k2_a", "k2_b", "kt2", "dora")


_KINDS: Final = (LoRAAdapter, LoHaAdapter, LoKrAdapter)
_MARKS: Final = {"up": LoRAAdapter, "w1_a": LoHaAdapter, "k1": LoKrAdapter, "k1_a": LoKrAdapter}


def _adapter(parts: Mapping[str, Tensor], keys: set[str]) -> Adapter | None:
    kind = next((kind for mark, kind in _MARKS.items() if mark in parts), None)
    if kind is None:
        return None
    told = {**parts, "alpha": parts["alpha"].item()} if "alpha" in parts else parts
    return kind(keys, tuple(told.get(part or "") for part in kind.parts))


def _bias_of(target: str) -> str:
    return f"{target.removesuffix('.weight')}.bias"


def load_lora(lora: Mapping[str, Tensor], to_load: Mapping[str, Any], log_missing: bool = True) -> Keys:
    """Weight → its change, as MODEL's and CLIP's add_patches take it; to_load: a file's name → a weight's."""
    groups, placed = grouped(lora), dict[str, Any]()
    for stem, target in to_load.items():
        parts = groups.get(stem)
        if parts is None:
            continue
        if adapter := _adapter(parts, _keys_of(lora, stem)):
            placed[target] = adapter
        for part, kind in (("diff", "diff"), ("set", "set")):
            if part in parts:
                placed[target] = (kind, (parts[part],))
        if "diff_b" in parts:
            placed[_bias_of(target)] = ("diff", (parts["diff_b"],))
    if log_missing:
        _tell_strays(lora, [stem for stem in groups if stem not in to_load])
    return placed


def _keys_of(lora: Mapping[str, Any], stem: str) -> set[str]:
    return {name for ending in ENDINGS if (name := f"{stem}{ending}") in lora}


def _tell_strays(lora: Mapping[str, Any], strays: list[str]) -> None:
    if strays:
        told = f"{len(strays)} changes of a LoRA fit no weight and are left out (such as '{min(strays)}')."
        logging.getLogger("darkroom").warning(told)


def model_lora_keys_unet(model: Any, key_map: Keys | None = None) -> Keys:
    """Every name that files give a weight of the U-Net → its published name."""
    keys = {} if key_map is None else key_map
    for single, own in model.names.items():
        whole = f"{_UNET}{single}"
        if not single.endswith(".weight"):
            keys[whole] = whole
            continue
        stem, ours = single.removesuffix(".weight"), own.removesuffix(".weight")
        keys |= dict.fromkeys((f"lora_unet_{stem.replace('.', '_')}", f"{_UNET}{stem}"), whole)
        keys |= dict.fromkeys(_diffusers_names(ours), whole)
    return keys


def _diffusers_names(stem: str) -> tuple[str, ...]:
    flat = stem.replace(".", "_")
    dotted = stem.replace(".to_", ".processor.to_").removesuffix(".0" if stem.endswith(".to_out.0") else "")
    return f"lora_unet_{flat}", f"lycoris_{flat}", dotted, f"unet.{dotted}"


def model_lora_keys_clip(model: Any, key_map: Keys | None = None) -> Keys:
    """Every name that files give a weight of the text encoders → its published name."""
    keys, known = {} if key_map is None else key_map, list(model.state_dict())
    is_pair = any(name.startswith("clip_l.") for name in known)
    for name in known:
        tower, mark, place = name.partition(_LAYERS)
        if name.endswith(".weight"):
            keys[f"text_encoders.{name.removesuffix('.weight')}"] = name
        number, _, layer = place.removesuffix(".weight").partition(".")
        if mark and layer in _TEXT_LAYERS and name.endswith(".weight"):
            flat = f"text_model_encoder_layers_{number}_{_TEXT_LAYERS[layer]}"
            dotted = f"text_model.encoder.layers.{number}.{layer}"
            keys |= dict.fromkeys(_text_names(tower, is_pair, flat, dotted), name)
    return keys


def _text_names(tower: str, is_pair: bool, flat: str, dotted: str) -> tuple[str, ...]:
    if tower == "clip_g" and is_pair:
        return f"lora_te2_{flat}", f"text_encoder_2.{dotted}"
    other = "lora_prior_te" if tower == "clip_g" else "lora_te1"
    return f"lora_te_{flat}", f"{other}_{flat}", f"text_encoder.{dotted}"


def calculate_weight(patches: Any, weight: Tensor, key: Any, *more: Any, **named: Any) -> Tensor:
    """A weight with patches on it, each (strength, change, strength of the weight, part, function)."""
    for strength, value, strength_model, _part, function in patches:
        turned: Callable[[Tensor], Tensor] = function or _same
        change = turned(delta_of(value)(weight)).to(weight)
        weight = weight * strength_model + strength * change
    return weight


def _same(change: Tensor) -> Tensor:
    return change


def lora(session: Session) -> Names:
    """The names of `comfy.lora`."""
    functions = (load_lora, model_lora_keys_unet, model_lora_keys_clip, calculate_weight)
    return {**{function.__name__: function for function in functions}, "LORA_CLIP_MAP": dict(_TEXT_LAYERS)}


def lora_convert(session: Session) -> Names:
    """The names of `comfy.lora_convert`."""
    return {"convert_lora": lambda sd: sd}


def weight_adapter(session: Session) -> Names:
    """The names of `comfy.weight_adapter`."""
    kinds = {kind.__name__: kind for kind in _KINDS}
    maps = {"LoRA": LoRAAdapter, "LoHa": LoHaAdapter, "LoKr": LoKrAdapter}
    return {"WeightAdapterBase": Adapter, **kinds, "adapters": list(_KINDS), "adapter_maps": maps}
