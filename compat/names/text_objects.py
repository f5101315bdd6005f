# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""CLIP under the further names that packs call: its patcher, its text models, its tokenizer, its weights."""

from collections.abc import Mapping
from typing import Any, Final

import torch

from diffusion.values import Clip
from diffusion.weights import WeightPatch

Names = dict[str, Any]


def delta_of(patch: Any) -> Any:
    """What is added to a weight, of a patch in any of ComfyUI's simple forms."""
    if callable(patch) and not isinstance(patch, torch.Tensor):
        return patch
    if isinstance(patch, list):
        patch = patch[0]
    if isinstance(patch, tuple) and patch and isinstance(patch[0], str):
        kind, (value, *_) = patch[0], patch[1] if isinstance(patch[1], tuple | list) else (patch[1],)
        if kind == "set":
            return lambda weight: value.to(weight) - weight
        if kind != "diff":
            raise NotImplementedError(f"Not supported by this host: weight patches of the kind '{kind}'.")
        return lambda weight: value.to(weight)
    value = patch[0] if isinstance(patch, tuple) else patch
    return lambda weight: value.to(weight)


def as_it_is(weight: Any, **more: Any) -> Any:
    """How a weight is turned into the form in which it computes: here it has that form."""
    return weight


class TextPatcher:
    """What a CLIP's `patcher` is asked: its device, its options, its patches."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.model = TextModel(clip)
        self.model_options = {"transformer_options": {}}
        self.load_device = clip.encoders[0].device.device
        self.offload_device = torch.device("cpu")
        self.patches = clip.patches

    def clone(self) -> "TextPatcher":
        """One of a clone of the CLIP."""
        return TextPatcher(self.clip.clone())

    def current_loaded_device(self) -> torch.device:
        """Where it computes."""
        return self.load_device

    def model_size(self) -> int:
        """The bytes of its weights."""
        return sum(
            item.nelement() * item.element_size()
            for encoder in self.clip.encoders
            for item in encoder.module.parameters()
        )

    loaded_size = model_size

    def model_dtype(self) -> torch.dtype:
        """What it computes in."""
        return self.clip.encoders[0].device.dtype

    def get_key_patches(self, filter_prefix: str | None = None) -> dict[str, Any]:
        """The weights as patches of another."""
        return _text_patches(self.clip)

    def add_patches(self, patches: Mapping[str, Any], *strengths: float) -> list[str]:
        """Change weights."""
        return _add_text_patches(self.clip, patches, *strengths)

    def set_model_compute_dtype(self, dtype: Any) -> None:
        """Nothing: it computes in what is safe here."""


class TextModel:
    """What a CLIP's `cond_stage_model` is asked."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        for encoder in clip.encoders:
            setattr(self, f"clip_{encoder.tower.name}", TextTowerModel(clip, encoder))

    def state_dict(self) -> dict[str, Any]:
        """The weights by their published names."""
        return _clip_state(self._clip)

    def encode_token_weights(self, tokens: Any) -> Any:
        """The vectors of tokens, and the pooled one."""
        return self._clip.encode_from_tokens(tokens, return_pooled=True)

    def set_clip_options(self, options: Mapping[str, Any]) -> None:
        """Use another layer."""
        if "layer" in options:
            self._clip.layer_idx = options["layer"]

    def reset_clip_options(self) -> None:
        """Use the usual layer."""
        self._clip.layer_idx = None

    def clip_layer(self, layer_idx: int) -> None:
        """Use another layer."""
        self._clip.layer_idx = layer_idx


class TextTowerModel(TextModel):
    """One of a CLIP's text encoders."""

    def __init__(self, clip: Clip, encoder: Any) -> None:
        self._clip, self._encoder = clip, encoder
        self.transformer = encoder.module
        self.layer = "hidden" if clip.layer_idx else "last"
        self.layer_idx = clip.layer_idx
        self.max_length = 77
        self.special_tokens = {"start": 49406, "end": 49407, "pad": 49407}
        self.enable_attention_masks = self.zero_out_masked = False
        self.return_projected_pooled = True
        self.options_default = ("last", None, True)

    def encode_token_weights(self, tokens: Any) -> Any:
        """The vectors of this encoder's chunks of tokens, and the pooled one."""
        from diffusion.text import _encode_weighted

        return _encode_weighted(self._clip, self._encoder, tokens)

    encode = encode_token_weights


class TextTokens:
    """What a CLIP's `tokenizer` is asked."""

    def __init__(self, clip: Clip, tower: str = "") -> None:
        self._clip, self._tower = clip, tower
        self.max_length, self.min_length = 77, 1
        self.start_token, self.end_token, self.pad_token = 49406, 49407, 49407
        self.pad_with_end, self.pad_to_max_length = True, True
        self.tokens_start, self.max_word_length = 1, 8
        self.embedding_identifier = "embedding:"
        self.embedding_directory = [str(folder) for folder in clip.embedding_folders]
        for encoder in () if tower else clip.encoders:
            name = encoder.tower.name
            setattr(self, f"clip_{name}", TextTokens(clip, name))

    @property
    def inv_vocab(self) -> Mapping[int, str]:
        """The word of each number."""
        from diffusion.tokenizer import token_words

        return token_words()

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **more: Any) -> Any:
        """The tokens of a text, by encoder; asked of one encoder, its chunks of them."""
        tokens = self._clip.tokenize(text, return_word_ids)
        return tokens[self._tower] if self._tower else tokens

    def untokenize(self, pairs: Any) -> list[Any]:
        """Tokens with their words."""
        return [(pair, self.inv_vocab.get(pair[0], "")) for pair in pairs]


def _start(encoder: Any) -> str:
    """What the published names of an encoder's weights start with."""
    return f"clip_{encoder.tower.name}.transformer.text_model."


def _text_patches(clip: Clip) -> dict[str, Any]:
    return {
        f"{_start(encoder)}{name}": [(value, as_it_is)]
        for encoder in clip.encoders
        for name, value in encoder.module.state_dict().items()
    }


def _add_text_patches(
    self: Clip, patches: Mapping[Any, Any], strength_patch: float = 1.0, strength_model: float = 1.0
) -> list[str]:
    """Change weights of the text encoders by the names of `get_key_patches`."""
    taken = list[str]()
    for encoder in self.encoders:
        start, own = _start(encoder), encoder.module.state_dict()
        for key, value in patches.items():
            name = str(key[0] if isinstance(key, tuple) else key)
            if name.startswith(start) and (inner := name.removeprefix(start)) in own:
                place = f"{encoder.tower.name}.{inner}"
                patch = WeightPatch(delta_of(value), strength_patch, strength_model)
                self.patches[place] = (*self.patches.get(place, ()), patch)
                taken.append(name)
    return taken


def _clip_state(self: Clip) -> dict[str, Any]:
    return {name: value[0][0] for name, value in _text_patches(self).items()}


CLIP: Final[Names] = {
    "patcher": property(TextPatcher),
    "cond_stage_model": property(TextModel),
    "tokenizer": property(TextTokens),
    "add_patches": _add_text_patches,
    "get_key_patches": lambda self, *more: _text_patches(self),
    "get_sd": _clip_state,
    "load_sd": lambda self, *more, **named: ([], []),
    "load_model": lambda self, *more: self.patcher,
    "encode": lambda self, text: self.encode_from_tokens(self.tokenize(text)),
    "use_clip_schedule": property(lambda self: False),
    "apply_hooks_to_conds": property(lambda self: None),
    "add_hooks_to_dict": lambda self, pooled: pooled,
    "set_tokenizer_option": lambda self, *more, **named: None,
    "tokenizer_options": property(lambda self: {}),
}
