# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""MODEL, CLIP, VAE and their networks under the further names that packs call."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import torch

from compat.names.conds import CONDITION
from compat.names.latent_formats import FORMAT
from compat.names.networks import name_layers
from compat.names.text_objects import CLIP, as_it_is, delta_of
from diffusion.conditions import Condition
from diffusion.controlnet import ControlNet
from diffusion.sampling import Guider
from diffusion.stages import cleanup, eject, inject, others, pre_run, tell
from diffusion.upscalers import Upscaler
from diffusion.values import Clip, LatentFormat, Model, Network, Vae

_UNET: Final = "diffusion_model."
_WRAPPED: Final = "__wrapped__"
Names = dict[str, Any]


def answer_to_names() -> None:
    """Let our values answer to the names that packs call; a name that a value has of its own stays."""
    for cls, names in ((Model, _MODEL), (Network, _NETWORK), (Clip, CLIP), (Vae, _VAE)):
        _give(cls, names)
    _give(LatentFormat, FORMAT)
    _give(ControlNet, _CONTROL)
    _give(Guider, _GUIDER)
    _give(Condition, CONDITION)
    _give(Upscaler, _UPSCALER)


def _give(cls: type, names: Mapping[str, Any]) -> None:
    for name, value in names.items():
        if name not in getattr(cls, "__dataclass_fields__", {}) and not hasattr(cls, name):
            setattr(cls, name, value)


def _constant(value: Any) -> property:
    return property(lambda self: value)


def _gives(value: Any) -> Callable[..., Any]:
    return lambda self, *ignored, **named: value


# Weights by their published names


def _weights(network: Network) -> dict[str, torch.Tensor]:
    """The network's weights by the names that single files have."""
    own = network.diffusion_model.state_dict()
    names = network.names or {name: name for name in own}
    return {f"{_UNET}{name}": own[inner] for name, inner in names.items() if inner in own}


def _starting(weights: Mapping[str, Any], start: str | None) -> dict[str, Any]:
    return {name: value for name, value in weights.items() if start is None or name.startswith(start)}


def get_key_patches(self: Model, filter_prefix: str | None = None) -> dict[str, Any]:
    """The weights as patches of another model: what merging packs ask for."""
    found = _starting(_weights(self.model), filter_prefix)
    return {name: [(value, as_it_is)] for name, value in found.items()}


def model_state_dict(self: Model, filter_prefix: str | None = None) -> dict[str, Any]:
    """The weights by their published names."""
    return _starting(_weights(self.model), filter_prefix)


def _add_patches(own: Callable[..., list[str]]) -> Callable[..., list[str]]:
    def add_patches(
        self: Model, patches: Mapping[Any, Any], strength_patch: float = 1.0, strength_model: float = 1.0
    ) -> list[Any]:
        """Change weights, named as here or as in single files; patches: tensors, or a kind and them."""
        inner = {f"{_UNET}{name}": own for name, own in self.model.names.items()}
        taken = list[Any]()
        for key, value in patches.items():
            name = key[0] if isinstance(key, tuple) else key
            given = own(self, {inner.get(name, name): delta_of(value)}, strength_patch, strength_model)
            taken += [key] if given else []
        return taken

    setattr(add_patches, _WRAPPED, own)
    return add_patches


# MODEL


def _kept(self: Model, kind: str) -> dict[Any, Any]:
    return self.hung.setdefault(kind, {})


def _wrappers(self: Model, kind: str) -> dict[Any, Any]:
    return self.model_options["transformer_options"].get("wrappers", {}).get(kind, {})


def remove_wrappers_with_key(self: Model, wrapper_type: str, key: Any) -> None:
    """Take the wrappers of a key away again."""
    options = self.model_options["transformer_options"]
    kinds = options["wrappers"] = dict(options.get("wrappers", {}))
    kinds[wrapper_type] = {name: found for name, found in kinds.get(wrapper_type, {}).items() if name != key}


def add_callback_with_key(self: Model, call_type: str, key: Any, callback: Any) -> None:
    """Remember a function that wants to be called at a stage."""
    held = _kept(self, "callbacks").setdefault(call_type, {})
    held[key] = [*held.get(key, ()), callback]


def _all(found: Mapping[Any, Any]) -> list[Any]:
    return [item for items in found.values() for item in items]


def memory_required(self: Any, input_shape: Any) -> float:
    """About how many bytes a call with an input of this shape takes."""
    area = input_shape[0] * input_shape[-1] * input_shape[-2]
    return float(area * 320 * 4 * 2)


def _size(self: Model) -> int:
    return sum(item.nelement() * item.element_size() for item in self.model.diffusion_model.parameters())


@contextmanager
def _ejected(self: Model) -> Generator[None]:
    """Without what is put into the network while it runs."""
    was = self.is_injected
    eject(self)
    try:
        yield
    finally:
        if was:
            inject(self)


def _patch_names(*names: str) -> Names:
    return {f"set_model_{name}": lambda self, patch, n=name: self.set_model_patch(patch, n) for name in names}


_MODEL: Final[Names] = {
    "get_key_patches": get_key_patches,
    "model_state_dict": model_state_dict,
    "get_wrappers": lambda self, wrapper_type, key=None: list(_wrappers(self, wrapper_type).get(key, ())),
    "get_all_wrappers": lambda self, wrapper_type: _all(_wrappers(self, wrapper_type)),
    "remove_wrappers_with_key": remove_wrappers_with_key,
    "wrappers": property(lambda self: self.model_options["transformer_options"].get("wrappers", {})),
    "add_callback_with_key": add_callback_with_key,
    "add_callback": lambda self, call_type, callback: add_callback_with_key(self, call_type, None, callback),
    "get_callbacks": lambda self, call_type, key=None: list(
        _kept(self, "callbacks").get(call_type, {}).get(key, ())
    ),
    "get_all_callbacks": lambda self, call_type: _all(_kept(self, "callbacks").get(call_type, {})),
    "remove_callbacks_with_key": lambda self, call_type, key: (
        _kept(self, "callbacks").get(call_type, {}).pop(key, None)
    ),
    "callbacks": property(lambda self: _kept(self, "callbacks")),
    "set_attachments": lambda self, key, attachment: _kept(self, "attachments").update({key: attachment}),
    "get_attachment": lambda self, key: _kept(self, "attachments").get(key),
    "remove_attachments": lambda self, key: _kept(self, "attachments").pop(key, None),
    "attachments": property(lambda self: _kept(self, "attachments")),
    "set_injections": lambda self, key, injections: _kept(self, "injections").update({key: injections}),
    "get_injections": lambda self, key: _kept(self, "injections").get(key),
    "remove_injections": lambda self, key: _kept(self, "injections").pop(key, None),
    "injections": property(lambda self: _kept(self, "injections")),
    "set_additional_models": lambda self, key, models: _kept(self, "additional_models").update(
        {key: list(models)}
    ),
    "get_additional_models_with_key": lambda self, key: list(_kept(self, "additional_models").get(key, ())),
    "get_additional_models": lambda self: _all(_kept(self, "additional_models")),
    "remove_additional_models": lambda self, key: _kept(self, "additional_models").pop(key, None),
    "get_nested_additional_models": others,
    "additional_models": property(lambda self: _kept(self, "additional_models")),
    "set_model_sampler_calc_cond_batch_function": lambda self, function: self.model_options.update(
        {"sampler_calc_cond_batch_function": function}
    ),
    "disable_model_cfg1_optimization": lambda self: self.model_options.update(
        {"disable_cfg1_optimization": True}
    ),
    **_patch_names(
        "forward_timestep_embed_patch", "double_block_patch", "post_input_patch", "noise_refiner_patch",
    ),
    "memory_required": memory_required,
    "model_size": _size,
    "size": property(_size),
    "loaded_size": _size,
    "current_loaded_device": lambda self: self.load_device,
    "model_keys": property(lambda self: set(_weights(self.model))),
    "weight_inplace_update": _constant(False),
    "hook_patches": property(lambda self: {}),
    "parent": _constant(None),
    "patches_uuid": property(lambda self: id(self)),
    "lowvram_patch_counter": _gives(0),
    "patch_model": lambda self, *more, **named: self.model,
    "unpatch_model": _gives(None),
    "model_patches_to": _gives(None),
    "model_patches_models": _gives(()),
    "partially_load": _gives(0),
    "partially_unload": _gives(0),
    "detach": lambda self, *more, **named: self.model,
    "pre_run": pre_run,
    "cleanup": cleanup,
    "prepare_state": lambda self, timestep: tell(self, "on_prepare_state", timestep),
    "inject_model": inject,
    "eject_model": eject,
    "use_ejected": lambda self, skip_and_inject_on_exit_only=False: _ejected(self),
    "skip_injection": _constant(False),
    "clone_has_same_weights": lambda self, clone: self.is_clone(clone) and clone.patches == self.patches,
    "memory_usage_factor": _constant(1.0),
}  # fmt: skip


# The network of a MODEL


def _config(self: Network) -> Any:
    """What packs read of a network's configuration."""
    layout = self.layout
    unet = {
        "context_dim": layout.context,
        "model_channels": layout.model_channels,
        "in_channels": self.diffusion_model.conv_in.in_channels,  # type: ignore[union-attr]
        "out_channels": self.diffusion_model.conv_out.out_channels,  # type: ignore[union-attr]
        "image_model": None,
    }
    return SimpleNamespace(
        unet_config=unet, latent_format=self.latent_format, sampling_settings={}, unet_extra_config={},
        manual_cast_dtype=None, memory_usage_factor=1.0, custom_operations=None, scaled_fp8=None,
        supported_inference_dtypes=[torch.float16, torch.bfloat16, torch.float32],
    )  # fmt: skip


def model_type(self: Network) -> Any:
    """What the network puts out, as ComfyUI's list has it."""
    import sys

    kinds = sys.modules["comfy.model_base"].__dict__["ModelType"]
    names = {"eps": "EPS", "v_prediction": "V_PREDICTION", "edm": "EDM", "flow": "FLOW"}
    said = getattr(self.model_sampling, "prediction", "eps")
    return kinds[names.get(str(said), "EPS")]


_NETWORK: Final[Names] = {
    "model_config": property(_config),
    "model_type": property(model_type),
    "manual_cast_dtype": _constant(None),
    "concat_keys": _constant(()),
    "memory_usage_factor": _constant(1.0),
    "memory_required": memory_required,
    "get_dtype": lambda self: self.compute.dtype,
    "get_dtype_inference": lambda self: self.compute.dtype,
    "adm_channels": property(lambda self: 2816 if self.family.base == "sdxl" else 0),
    "is_adm": lambda self: self.family.base == "sdxl",
    "extra_conds": _gives({}),
    "modules": lambda self: self.diffusion_model.modules(),
    "parameters": lambda self: self.diffusion_model.parameters(),
    "state_dict_for_saving": lambda self, *more, **named: _weights(self),
    "state_dict": lambda self: _weights(self),
    "requires_grad_": lambda self, *more: self,
    "to": lambda self, *more, **named: self,
    "eval": lambda self: self,
    "scale_latent_inpaint": lambda self, sigma, noise, latent_image, **more: (
        self.model_sampling.noise_scaling(sigma, noise, latent_image)
    ),
}


# VAE


def vae_encode_crop_pixels(self: Vae, pixels: Any) -> Any:
    """Pictures cut to whole latent pixels, the same on both sides."""
    from diffusion.latents import crop_to_multiple

    return crop_to_multiple(pixels, self.downscale_ratio)


_VAE: Final[Names] = {
    "vae_encode_crop_pixels": vae_encode_crop_pixels,
    "memory_used_decode": _gives(2**30),
    "memory_used_encode": _gives(2**30),
    "get_sd": lambda self: self.first_stage_model.state_dict(),
    "process_input": property(lambda self: lambda image: image * 2.0 - 1.0),
    "process_output": property(lambda self: lambda image: ((image + 1.0) / 2.0).clamp(0.0, 1.0)),
    "throw_exception_if_invalid": _gives(None),
    "spacial_compression_decode": lambda self: self.downscale_ratio,
    "temporal_compression_decode": _gives(None),
    "latent_dim": _constant(2),
    "output_channels": _constant(3),
    "upscale_ratio": property(lambda self: self.downscale_ratio),
    "downscale_index_formula": _constant(None),
    "upscale_index_formula": _constant(None),
    "crop_input": _constant(True),
    "not_video": _constant(True),
    "extra_1d_channel": _constant(None),
    "disable_offload": _constant(False),
    "working_dtypes": property(lambda self: [self.compute.dtype]),
    "vae_dtype": property(lambda self: self.compute.dtype),
    "output_device": _constant(torch.device("cpu")),
    "offload_device": _constant(torch.device("cpu")),
    "patcher": property(
        lambda self: SimpleNamespace(
            model=self.first_stage_model, load_device=self.device, offload_device=torch.device("cpu"),
            clone=lambda: None, model_size=lambda: 0,
        )
    ),
    "decode_tiled_": lambda self, samples, **more: self.decode_tiled(samples, **more),
    "is_dynamic": _gives(False),
}  # fmt: skip

_CONTROL: Final[Names] = {
    "get_models": _gives([]),
    "inference_memory_requirements": _gives(0),
    "cleanup": _gives(None),
    "cond_hint": _constant(None),
    "extra_hooks": _constant(None),
    "global_average_pooling": property(lambda self: self.pooled),
    "compression_ratio": property(lambda self: self.multiple),
    "concat_mask": _constant(False),
}

_GUIDER: Final[Names] = {
    "raw_conds": property(lambda self: tuple(self.original_conds.values())),
}


_UPSCALER: Final[Names] = {
    "eval": lambda self: self,
    "train": lambda self, mode=True: self,
    "cpu": lambda self: self.to("cpu"),
    "cuda": lambda self, device="cuda": self.to(device),
    "half": lambda self: self.to(dtype=torch.float16),
    "float": lambda self: self.to(dtype=torch.float32),
    "parameters": lambda self: self.model.parameters(),
    "state_dict": lambda self: self.model.state_dict(),
    "output_channels": property(lambda self: self.input_channels),
}


def add_published_names() -> None:
    """Let MODEL.add_patches take the names of single files too, and networks be walked by them."""
    name_layers(Network)
    if not hasattr(Model.add_patches, _WRAPPED):
        Model.add_patches = _add_patches(Model.add_patches)  # type: ignore[method-assign]
