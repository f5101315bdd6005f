"""The values on wires: MODEL, CLIP and VAE handles, latents and conditioning.

A handle is cheap: shared weights plus what was changed about them. clone() copies the changes, never the
weights. Public methods bear the names that the field's plugins call.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from diffusion.devices import Device
from diffusion.families import Family, TextTower
from diffusion.sampling_space import DiscreteSampling
from diffusion.unet_layout import UnetLayout
from diffusion.vae_layout import VaeLayout
from diffusion.weights import WeightPatch
from diffusion.wrappers import wrapped

if TYPE_CHECKING:
    from diffusion.preview import LatentPreview
    from diffusion.text import Tokens

Latent = dict[str, Any]
"""{"samples": (B, C, H/8, W/8) unscaled, and optionally "noise_mask", "batch_index", other keys that
survive}."""

Conditioning = list[list[Any]]
"""[[text (1, T, W), {"pooled_output": ..., other keys that survive}], ...]."""


@dataclass(frozen=True)
class LatentFormat:
    """How a network's latents relate to its autoencoder's."""

    scale_factor: float
    latent_channels: int = 4
    shift_factor: float = 0.0

    def process_in(self, latent: Tensor) -> Tensor:
        """Autoencoder's latent → network's."""
        return (latent - self.shift_factor) * self.scale_factor

    def process_out(self, latent: Tensor) -> Tensor:
        """Network's latent → autoencoder's."""
        return latent / self.scale_factor + self.shift_factor


@dataclass(frozen=True)
class Network:
    """A loaded denoising network: diffusers' module and the facts needed to run it. Shared between handles.

    names: single-file name (without prefix) → the module's name, of every weight.
    """

    diffusion_model: nn.Module
    family: Family
    layout: UnetLayout
    model_sampling: DiscreteSampling
    latent_format: LatentFormat
    compute: Device
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    preview: LatentPreview | None = None
    current_patcher: Model | None = field(default=None, compare=False, repr=False)
    """The MODEL whose run goes on."""

    @property
    def device(self) -> torch.device:
        return self.compute.device

    def process_latent_in(self, latent: Tensor) -> Tensor:
        return self.latent_format.process_in(latent)

    def process_latent_out(self, latent: Tensor) -> Tensor:
        return self.latent_format.process_out(latent)

    def apply_model(
        self,
        x: Tensor,
        t: Tensor,
        c_concat: Tensor | None = None,
        c_crossattn: Tensor | None = None,
        control: Any = None,
        transformer_options: dict[str, Any] | None = None,
        **more: Any,
    ) -> Tensor:
        """The clean image for x at the sigmas t, through the functions that patches put around it."""
        options = {} if transformer_options is None else transformer_options
        run = wrapped(self._apply_model, "apply_model", options, self)
        return run(x, t, c_concat, c_crossattn, control, options, **more)

    def _apply_model(self, x: Tensor, t: Tensor, *conditions: Any, **more: Any) -> Tensor:
        from diffusion.denoising import clean_image

        return clean_image(self, x, t, *conditions, **more)

    def output(self, x: Tensor, timesteps: Tensor, context: Tensor | None, **more: Any) -> Tensor:
        """What the network puts out for a scaled latent at timesteps (B,), told a text (B, T, W)."""
        from diffusion.denoising import unet_output

        return unet_output(self, x, timesteps, context, **more)  # type: ignore[arg-type]


_PARTS: Final = ("diffusion_model", "model_sampling", "latent_format")


def _with_parts(network: Network, parts: Mapping[str, Any]) -> Network:
    """A network with other parts; what was hung on the old one by name stays."""
    made, own = replace(network, **parts), {part.name for part in fields(Network)}
    for name, value in vars(network).items():
        if name not in own:
            object.__setattr__(made, name, value)
    return made


def own_options(options: Mapping[Any, Any]) -> dict[Any, Any]:
    """A copy of nested options: dicts and lists are new, what they hold is shared."""
    return {
        key: own_options(value)
        if isinstance(value, dict)
        else list(value)
        if isinstance(value, list)
        else value
        for key, value in options.items()
    }


@dataclass
class Model:
    """MODEL: a network with its weight patches, replaced parts and options."""

    model: Network
    path: Path | None = None
    patches: dict[str, tuple[WeightPatch, ...]] = field(default_factory=dict)
    object_patches: dict[str, Any] = field(default_factory=dict)
    model_options: dict[str, Any] = field(default_factory=lambda: {"transformer_options": {}})
    hung: dict[str, dict[Any, Any]] = field(default_factory=dict)
    """What plugins hang on it (see diffusion/stages.py)."""
    is_injected: bool = False

    @property
    def family(self) -> Family:
        return self.model.family

    @property
    def sampling(self) -> DiscreteSampling:
        """The noise levels in use: the network's own, or those that a patch put in their place."""
        return self.object_patches.get("model_sampling", self.model.model_sampling)

    @property
    def network(self) -> Network:
        """The network as this handle runs it: with the parts and the dtype that patches put in place."""
        parts = self.whole_parts()
        return _with_parts(self.model, parts) if parts else self.model

    def whole_parts(self) -> dict[str, Any]:
        """The facts of the network that patches replace, by name."""
        parts = {name: part for name, part in self.object_patches.items() if name in _PARTS}
        if dtype := self.object_patches.get("manual_cast_dtype"):
            parts["compute"] = replace(self.model.compute, dtype=dtype)
        return parts

    @property
    def load_device(self) -> torch.device:
        return self.model.device

    @property
    def offload_device(self) -> torch.device:
        return torch.device("cpu")

    def model_dtype(self) -> torch.dtype:
        return self.network.compute.dtype

    def set_model_compute_dtype(self, dtype: torch.dtype | None) -> None:
        """Compute in another dtype than the device's; None goes back to that."""
        self.add_object_patch("manual_cast_dtype", dtype)

    def clone(self) -> Model:
        """A handle to the same weights whose patches and options may be changed alone."""
        from diffusion.stages import copied, tell

        made = replace(
            self,
            patches=dict(self.patches),
            object_patches=dict(self.object_patches),
            model_options=own_options(self.model_options),
            hung=copied(self.hung),
            is_injected=False,
        )
        tell(self, "on_clone", made)
        return made

    def is_clone(self, other: Any) -> bool:
        return getattr(other, "model", None) is self.model

    def get_model_object(self, name: str) -> Any:
        """A part of the network by dotted name, a patch before the original."""
        if name in self.object_patches:
            return self.object_patches[name]
        value: Any = self.model
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def add_object_patch(self, name: str, value: Any) -> None:
        self.object_patches[name] = value

    def add_patches(
        self, patches: Mapping[str, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[str]:
        """Change weights by name when they are used; returns the names that this network has."""
        known = set(self.model.diffusion_model.state_dict())
        taken = [name for name in patches if name in known]
        for name in taken:
            patch = WeightPatch(patches[name], strength_patch, strength_model)
            self.patches[name] = (*self.patches.get(name, ()), patch)
        return taken

    def _hook(self, key: str, function: Any) -> None:
        self.model_options[key] = function

    def _append(self, key: str, function: Any) -> None:
        self.model_options[key] = [*self.model_options.get(key, ()), function]

    def set_model_sampler_cfg_function(
        self, sampler_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Replace the guidance step: called with one dict of arguments, returns the guided noise."""
        self._hook("sampler_cfg_function", sampler_cfg_function)
        if disable_cfg1_optimization:
            self._hook("disable_cfg1_optimization", True)

    def set_model_sampler_post_cfg_function(
        self, post_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Change the clean image after guidance: called with one dict of arguments, returns it."""
        self._append("sampler_post_cfg_function", post_cfg_function)
        if disable_cfg1_optimization:
            self._hook("disable_cfg1_optimization", True)

    def set_model_sampler_pre_cfg_function(
        self, pre_cfg_function: Callable[..., Any], disable_cfg1_optimization: bool = False
    ) -> None:
        """Change the conditionings' predictions before guidance."""
        self._append("sampler_pre_cfg_function", pre_cfg_function)
        if disable_cfg1_optimization:
            self._hook("disable_cfg1_optimization", True)

    def set_model_unet_function_wrapper(self, unet_wrapper_function: Callable[..., Any]) -> None:
        """Wrap every call of the network: wrapper(apply_model, {"input", "timestep", "c",
        "cond_or_uncond"})."""
        self._hook("model_function_wrapper", unet_wrapper_function)

    def set_model_denoise_mask_function(self, denoise_mask_function: Callable[..., Any]) -> None:
        """Change the noise mask at each sigma."""
        self._hook("denoise_mask_function", denoise_mask_function)

    def set_model_patch(self, patch: Any, name: str) -> None:
        """Add a patch under a name of the network's patch places, such as "attn1_patch"."""
        options = self.model_options["transformer_options"]
        places = options["patches"] = dict(options.get("patches", {}))
        places[name] = [*places.get(name, ()), patch]

    def set_model_patch_replace(
        self, patch: Any, name: str, block_name: str, number: int, transformer_index: int | None = None
    ) -> None:
        """Put an attention of one's own in the place of a block's."""
        options = self.model_options["transformer_options"]
        places = options["patches_replace"] = dict(options.get("patches_replace", {}))
        block = (block_name, number) if transformer_index is None else (block_name, number, transformer_index)
        places[name] = {**places.get(name, {}), block: patch}

    def add_wrapper_with_key(self, wrapper_type: str, key: str | None, wrapper: Callable[..., Any]) -> None:
        """Put a function around a stage of sampling (see diffusion/wrappers.py), under a key of one's own."""
        options = self.model_options["transformer_options"]
        kinds = options["wrappers"] = dict(options.get("wrappers", {}))
        keys = kinds[wrapper_type] = dict(kinds.get(wrapper_type, {}))
        keys[key] = [*keys.get(key, ()), wrapper]

    def add_wrapper(self, wrapper_type: str, wrapper: Callable[..., Any]) -> None:
        self.add_wrapper_with_key(wrapper_type, None, wrapper)

    def set_model_attn1_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "attn1_patch")

    def set_model_attn2_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "attn2_patch")

    def set_model_attn1_replace(
        self, patch: Any, block_name: str, number: int, transformer_index: int | None = None
    ) -> None:
        self.set_model_patch_replace(patch, "attn1", block_name, number, transformer_index)

    def set_model_attn2_replace(
        self, patch: Any, block_name: str, number: int, transformer_index: int | None = None
    ) -> None:
        self.set_model_patch_replace(patch, "attn2", block_name, number, transformer_index)

    def set_model_attn1_output_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "attn1_output_patch")

    def set_model_attn2_output_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "attn2_output_patch")

    def set_model_input_block_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "input_block_patch")

    def set_model_input_block_patch_after_skip(self, patch: Any) -> None:
        self.set_model_patch(patch, "input_block_patch_after_skip")

    def set_model_output_block_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "output_block_patch")

    def set_model_emb_patch(self, patch: Any) -> None:
        self.set_model_patch(patch, "emb_patch")


@dataclass(frozen=True)
class TextEncoder:
    """A loaded text encoder: transformers' module, its family's row, and the projection of the pooled
    output."""

    module: nn.Module
    tower: TextTower
    projection: Tensor | None
    device: Device

    @property
    def width(self) -> int:
        return self.module.config.hidden_size  # type: ignore[union-attr,return-value]


@dataclass
class Clip:
    """CLIP: one or two text encoders, their patches, the layer in use and the folder of embeddings."""

    encoders: tuple[TextEncoder, ...]
    family: Family | None = None
    path: Path | None = None
    layer_idx: int | None = None
    patches: dict[str, tuple[WeightPatch, ...]] = field(default_factory=dict)
    embedding_folders: tuple[Path, ...] = ()
    weighting: str = "comfy"

    def clone(self) -> Clip:
        return replace(self, patches=dict(self.patches))

    def add_encoder_patches(
        self,
        encoder: TextEncoder,
        patches: Mapping[str, Any],
        strength: float = 1.0,
        strength_model: float = 1.0,
    ) -> list[str]:
        """Change weights of one text encoder when they are used; returns their names here: tower, dot,
        weight."""
        taken = [f"{encoder.tower.name}.{name}" for name in patches]
        for name, delta in zip(taken, patches.values(), strict=True):
            patch = WeightPatch(delta, strength, strength_model)
            self.patches[name] = (*self.patches.get(name, ()), patch)
        return taken

    def patches_of(self, encoder: TextEncoder) -> dict[str, tuple[WeightPatch, ...]]:
        """The patches of one text encoder, by its own weight names."""
        start = f"{encoder.tower.name}."
        return {name.removeprefix(start): p for name, p in self.patches.items() if name.startswith(start)}

    def clip_layer(self, layer_idx: int) -> None:
        """Use an earlier layer's output, counted from the end: -1 the last, -2 the one before (clip skip
        2)."""
        self.layer_idx = layer_idx

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> Tokens:
        """Token dict: encoder name → chunks of 77 (token, weight) pairs."""
        from diffusion.text import tokenize_weighted

        return tokenize_weighted(self, text, return_word_ids)

    def encode_from_tokens(
        self, tokens: Tokens, return_pooled: bool = False, return_dict: bool = False
    ) -> Any:
        """The text's vectors (1, T, W), with the pooled ones or as a dict when asked."""
        from diffusion.text import encode_tokens

        cond, pooled = encode_tokens(self, tokens)
        if return_dict:
            return {"cond": cond, "pooled_output": pooled}
        return (cond, pooled) if return_pooled else cond

    def encode_from_tokens_scheduled(
        self, tokens: Tokens, unprojected: bool = False, add_dict: Mapping[str, Any] | None = None
    ) -> Conditioning:
        from diffusion.text import encode_tokens

        cond, pooled = encode_tokens(self, tokens)
        return [[cond, {"pooled_output": pooled, **(add_dict or {})}]]


@dataclass
class Vae:
    """VAE: an autoencoder and its facts. Pictures are (B, H, W, 3) in 0..1, latents unscaled (B, C, H/8,
    W/8)."""

    first_stage_model: nn.Module
    layout: VaeLayout
    compute: Device
    path: Path | None = None

    @property
    def device(self) -> torch.device:
        return self.compute.device

    @property
    def downscale_ratio(self) -> int:
        return self.layout.downscale

    @property
    def latent_channels(self) -> int:
        return self.layout.latent_channels

    def spacial_compression_encode(self) -> int:
        return self.layout.downscale

    def encode(self, pixels: Tensor) -> Tensor:
        from diffusion.latents import encode_pixels

        return encode_pixels(self, pixels)

    def decode(self, samples: Tensor) -> Tensor:
        from diffusion.latents import decode_samples

        return decode_samples(self, samples)

    def encode_tiled(self, pixels: Tensor, tile_x: int = 512, tile_y: int = 512, **_: Any) -> Tensor:
        """Encode in tiles of so many pixels; the result is the same as at once."""
        from diffusion.latents import Care, encode_pixels

        return encode_pixels(self, pixels, Care(max(tile_x, tile_y)))

    def decode_tiled(self, samples: Tensor, tile_x: int = 64, tile_y: int = 64, **_: Any) -> Tensor:
        """Decode in tiles of so many latent pixels; the result is the same as at once."""
        from diffusion.latents import Care, decode_samples

        return decode_samples(self, samples, Care(max(tile_x, tile_y) * self.downscale_ratio))


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds. clip or vae is None when the file has none."""

    model: Model
    clip: Clip | None
    vae: Vae | None

    def __iter__(self) -> Any:
        return iter((self.model, self.clip, self.vae))


def copy_latent(latent: Latent, samples: Tensor) -> Latent:
    """The same latent with other samples; every other key survives."""
    return {**copy.copy(latent), "samples": samples}
