# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""Light names from deep in ComfyUI that need none of its networks: layers, conditions, hooks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from compat.names.session import Session
from diffusion.conditions import as_dicts
from diffusion.guidance import guided, predictions
from diffusion.sampling import prepare_sampling, unload
from diffusion.unet import timestep_embedding
from diffusion.values import Model, Network
from diffusion.wrappers import Executor

Names = dict[str, Any]


def ops(session: Session) -> Names:
    """The names of `comfy.ops`: torch's layers, which cast their weights to what comes in."""

    def layer(kind: type[nn.Module]) -> type[nn.Module]:
        return type(
            kind.__name__, (kind,), {"comfy_cast_weights": False, "reset_parameters": lambda self: None}
        )

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.GroupNorm, nn.LayerNorm, nn.ConvTranspose2d,
             nn.ConvTranspose1d, nn.Embedding)  # fmt: skip
    made = {kind.__name__: layer(kind) for kind in kinds}
    plain = type("disable_weight_init", (), {**made, "conv_nd": staticmethod(_conv_of(made))})
    casting = type(
        "manual_cast",
        (plain,),
        {name: type(name, (cls,), {"comfy_cast_weights": True}) for name, cls in made.items()},
    )

    def cast_bias_weight(
        layer: Any, input: Any = None, dtype: Any = None, device: Any = None, **more: Any
    ) -> Any:
        target = {"dtype": dtype or input.dtype, "device": device or input.device}
        bias = None if layer.bias is None else layer.bias.to(**target)
        return layer.weight.to(**target), bias

    return {
        "disable_weight_init": plain,
        "manual_cast": casting,
        "cast_bias_weight": cast_bias_weight,
        "cast_to_input": lambda weight, input, **more: weight.to(device=input.device, dtype=input.dtype),
        "cast_to": lambda weight, dtype=None, device=None, **more: weight.to(device=device, dtype=dtype),
        "pick_operations": lambda *ignored, **named: casting,
        "CastWeightBiasOp": type("CastWeightBiasOp", (), {"comfy_cast_weights": False}),
    }


def _conv_of(made: Names) -> Callable[..., Any]:
    return lambda dims, *values, **named: made[f"Conv{dims}d"](*values, **named)


def sampler_helpers(session: Session) -> Names:
    """The names of `comfy.sampler_helpers`."""

    def prepare_mask(noise_mask: Any, shape: Any, device: Any = None) -> Any:
        return session.modules["comfy.sample"].__dict__["prepare_mask"](noise_mask, shape, device)

    return {
        "convert_cond": as_dicts,
        "prepare_mask": prepare_mask,
        "prepare_sampling": prepare_sampling,
        "get_additional_models": lambda conds, dtype=None: ([], 0),
        "get_additional_models_from_model_options": lambda model_options=None: [],
        "get_models_from_cond": lambda cond, model_type: [
            item[model_type] for item in cond if model_type in item
        ],
        "cleanup_additional_models": lambda models: [getattr(model, "cleanup", list)() for model in models],
        "cleanup_models": unload,
        "prepare_model_patcher": lambda model, conds, model_options: None,
    }


def model_of(network: Any) -> Model:
    """A MODEL of what hooks are handed: one, a guider, or a network alone."""
    if isinstance(network, Model):
        return network
    if isinstance(network, Network):
        return network.current_patcher or Model(network)
    return network.model_patcher


def predicting(session: Session) -> Names:
    """What hooks call to ask the network again."""

    def calc_cond_batch(model: Any, conds: Any, x_in: Any, timestep: Any, model_options: Any) -> Any:
        return predictions(model_of(model), conds, x_in, timestep, model_options)

    def sampling_function(
        model: Any, x: Any, timestep: Any, uncond: Any, cond: Any, cond_scale: float,
        model_options: Any = None, seed: Any = None,
    ) -> Any:  # fmt: skip
        return guided(model_of(model), x, timestep, cond, uncond, cond_scale, model_options or {})

    def cfg_function(
        model: Any, cond_pred: Any, uncond_pred: Any, cond_scale: float, x: Any, timestep: Any,
        model_options: Any = None, cond: Any = None, uncond: Any = None,
    ) -> Any:  # fmt: skip
        from diffusion.guidance import combine

        sides = (cond, uncond)
        options = model_options or {}
        return combine(model_of(model), x, timestep, cond_pred, uncond_pred, cond_scale, options, sides)

    def calc_cond_uncond_batch(
        model: Any, cond: Any, uncond: Any, x_in: Any, timestep: Any, options: Any
    ) -> Any:
        return tuple(calc_cond_batch(model, [cond, uncond], x_in, timestep, options))

    return {
        "calc_cond_batch": calc_cond_batch,
        "calc_cond_uncond_batch": calc_cond_uncond_batch,
        "sampling_function": sampling_function,
        "cfg_function": cfg_function,
    }


def common_dit(session: Session) -> Names:
    """The names of `comfy.ldm.common_dit`."""

    def rms_norm(x: Any, weight: Any = None, eps: float = 1e-6) -> Any:
        return torch.nn.functional.rms_norm(x, (x.shape[-1],), None if weight is None else weight.to(x), eps)

    def pad_to_patch_size(img: Any, patch_size: Any = (2, 2), padding_mode: str = "circular") -> Any:
        sizes = zip(reversed(img.shape[-len(patch_size) :]), reversed(patch_size), strict=True)
        pads = [part for size, step in sizes for part in (0, -size % step)]
        return torch.nn.functional.pad(img, pads, mode=padding_mode)

    return {"rms_norm": rms_norm, "pad_to_patch_size": pad_to_patch_size}


def diffusion_util(session: Session) -> Names:
    """The names of `comfy.ldm.modules.diffusionmodules.util`."""
    return {
        "timestep_embedding": lambda timesteps, dim, max_period=10000, **more: timestep_embedding(
            timesteps, dim
        ),
        "checkpoint": lambda function, inputs, parameters=None, flag=False: function(*inputs),
    }


class WrapperExecutor(Executor):
    """A stage of sampling with the functions around it."""

    @classmethod
    def new_executor(cls, original: Any, wrappers: Any, **more: Any) -> "WrapperExecutor":
        """Around a function."""
        return cls(original, None, tuple(wrappers))

    @classmethod
    def new_class_executor(
        cls, original: Any, class_obj: Any, wrappers: Any, **more: Any
    ) -> "WrapperExecutor":
        """Around an object's method."""
        return cls(original, class_obj, tuple(wrappers))


class PatcherInjection:
    """What is put into a model while it runs."""

    def __init__(self, inject: Any, eject: Any) -> None:
        self.inject, self.eject = inject, eject
