# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The modules `comfy.sd`, `comfy.model_patcher`, `comfy.lora` and others near to our own values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from compat.names.session import Session
from diffusion.clip_vision import ClipVision, ClipVisionOutput, load_clip_vision
from diffusion.loading import load_checkpoint, load_model, load_vae
from diffusion.sampling_space import DiscreteSampling
from diffusion.values import Clip, LatentFormat, Model, Network, Vae

Names = dict[str, Any]


def sd(session: Session) -> Names:
    """The names of `comfy.sd`."""

    def load_checkpoint_guess_config(
        ckpt_path: Any,
        output_vae: bool = True,
        output_clip: bool = True,
        output_clipvision: bool = False,
        **rest: Any,
    ) -> tuple[Any, ...]:
        found = load_checkpoint(Path(str(ckpt_path)))
        return found.model, found.clip if output_clip else None, found.vae if output_vae else None, None

    return {
        "VAE": Vae,
        "CLIP": Clip,
        "load_checkpoint_guess_config": load_checkpoint_guess_config,
        "load_diffusion_model": lambda path, **rest: load_model(Path(str(path))),
        "load_unet": lambda path, **rest: load_model(Path(str(path))),
        "load_vae": lambda path, **rest: load_vae(Path(str(path))),
    }


def model_patcher(session: Session) -> Names:
    """The names of `comfy.model_patcher`."""

    def set_model_options_patch_replace(
        model_options: Any, patch: Any, name: str, block_name: str, number: int, transformer_index: Any = None
    ) -> Any:
        holder = Model(_NO_NETWORK, model_options=model_options).clone()
        holder.set_model_patch_replace(patch, name, block_name, number, transformer_index)
        return holder.model_options

    def appended(key: str) -> Callable[..., Any]:
        def set_function(model_options: Any, function: Any, disable_cfg1_optimization: bool = False) -> Any:
            more = {key: [*model_options.get(key, []), function]}
            off = {"disable_cfg1_optimization": True} if disable_cfg1_optimization else {}
            return {**model_options, **more, **off}

        return set_function

    return {
        "ModelPatcher": Model,
        "set_model_options_patch_replace": set_model_options_patch_replace,
        "set_model_options_post_cfg_function": appended("sampler_post_cfg_function"),
        "set_model_options_pre_cfg_function": appended("sampler_pre_cfg_function"),
    }


_NO_NETWORK: Any = None


def clip_vision(session: Session) -> Names:
    """The names of `comfy.clip_vision`."""
    return {
        "load": lambda path: load_clip_vision(Path(str(path))),
        "ClipVisionModel": ClipVision,
        "Output": ClipVisionOutput,
    }


def latent_formats(session: Session) -> Names:
    """The names of `comfy.latent_formats`."""

    def kind(name: str, scale: float, channels: int = 4, shift: float = 0.0) -> Any:
        def make(self: Any) -> None:
            LatentFormat.__init__(self, scale, channels, shift)

        facts = {"scale_factor": scale, "latent_channels": channels, "shift_factor": shift}
        return type(name, (LatentFormat,), {"__init__": make, **facts})

    return {
        "LatentFormat": LatentFormat,
        "SD15": kind("SD15", 0.18215),
        "SDXL": kind("SDXL", 0.13025),
        "SD3": kind("SD3", 1.5305, 16, 0.0609),
        "Flux": kind("Flux", 0.3611, 16, 0.1159),
    }


def model_sampling(session: Session) -> Names:
    """The names of `comfy.model_sampling`."""
    return {"ModelSamplingDiscrete": DiscreteSampling, "torch": torch}


def model_base(session: Session) -> Names:
    """The names of `comfy.model_base`."""
    import enum

    class ModelType(enum.Enum):
        """What a network puts out."""

        EPS = 1
        V_PREDICTION = 2
        V_PREDICTION_EDM = 3
        STABLE_CASCADE = 4
        EDM = 5
        FLOW = 6
        V_PREDICTION_CONTINUOUS = 7
        FLUX = 8
        IMG_TO_IMG = 9
        FLOW_COSMOS = 10

    return {"BaseModel": Network, "ModelType": ModelType}


def patcher_extension(session: Session) -> Names:
    """The names of `comfy.patcher_extension`."""
    calls = {
        "ON_CLONE": "on_clone",
        "ON_LOAD": "on_load_after",
        "ON_DETACH": "on_detach_after",
        "ON_CLEANUP": "on_cleanup",
        "ON_PRE_RUN": "on_pre_run",
        "ON_PREPARE_STATE": "on_prepare_state",
        "ON_APPLY_HOOKS": "on_apply_hooks",
        "ON_REGISTER_ALL_HOOK_PATCHES": "on_register_all_hook_patches",
        "ON_INJECT_MODEL": "on_inject_model",
        "ON_EJECT_MODEL": "on_eject_model",
    }
    wraps = {
        "OUTER_SAMPLE": "outer_sample",
        "PREPARE_SAMPLING": "prepare_sampling",
        "SAMPLER_SAMPLE": "sampler_sample",
        "PREDICT_NOISE": "predict_noise",
        "CALC_COND_BATCH": "calc_cond_batch",
        "APPLY_MODEL": "apply_model",
        "DIFFUSION_MODEL": "diffusion_model",
    }
    return {
        "CallbacksMP": type("CallbacksMP", (), calls),
        "WrappersMP": type("WrappersMP", (), wraps),
        "PatcherInjection": type("PatcherInjection", (), {}),
    }


def attention(session: Session) -> Names:
    """The names of `comfy.ldm.modules.attention` that need no network of ComfyUI's."""

    def optimized_attention(
        q: Any,
        k: Any,
        v: Any,
        heads: int,
        mask: Any = None,
        attn_precision: Any = None,
        skip_reshape: bool = False,
        skip_output_reshape: bool = False,
        **rest: Any,
    ) -> Any:
        if not skip_reshape:
            q, k, v = (x.view(x.shape[0], -1, heads, x.shape[-1] // heads).transpose(1, 2) for x in (q, k, v))
        if mask is not None and mask.ndim < 4:
            mask = mask[None, None] if mask.ndim == 2 else mask[:, None]
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return (
            out
            if skip_output_reshape
            else out.transpose(1, 2).reshape(out.shape[0], -1, heads * out.shape[-1])
        )

    same = ("optimized_attention", "optimized_attention_masked", "attention_pytorch", "attention_basic")
    return {
        **dict.fromkeys(same, optimized_attention),
        "optimized_attention_for_device": lambda *ignored, **named: optimized_attention,
        "default": lambda value, other: other if value is None else value,
        "exists": lambda value: value is not None,
    }


def chainner(session: Session) -> Names:
    """The names of `comfy_extras.chainner_models.model_loading`."""
    from diffusion.upscalers import build

    return {"load_state_dict": lambda weights: build(weights, "this model")}
