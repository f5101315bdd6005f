# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The modules `comfy.sd`, `comfy.model_patcher`, `comfy.lora` and others near to our own values."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

from compat.names import attention as layers
from compat.names import blocks
from compat.names.deep import PatcherInjection, WrapperExecutor
from compat.names.placeholders import NotSupported, placeholder
from compat.names.session import Session
from diffusion.clip_vision import ClipVision, ClipVisionOutput, load_clip_vision
from diffusion.controlnet import ControlNet
from diffusion.controlnet_files import load_controlnet as load_control_file
from diffusion.devices import choose_device
from diffusion.loading import build_vae, load_checkpoint, load_model, load_vae
from diffusion.values import Clip, Model, Network, Vae, own_options

Names = dict[str, Any]
_CLIP_TYPES: Final = (
    "STABLE_DIFFUSION", "STABLE_CASCADE", "SD3", "STABLE_AUDIO", "HUNYUAN_DIT", "FLUX", "MOCHI", "LTXV",
    "HUNYUAN_VIDEO", "PIXART", "COSMOS", "LUMINA2", "WAN", "HIDREAM", "CHROMA", "ACE", "OMNIGEN2",
    "QWEN_IMAGE", "HUNYUAN_IMAGE",
)  # fmt: skip


class _Built(type):
    """The kind of a class whose instances are ours: isinstance knows them, calling it makes one."""

    of: type
    build: Callable[..., Any]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.of)

    def __call__(cls, *values: Any, **named: Any) -> Any:
        """One of ours."""
        return cls.build(*values, **named)


def _vae_of(sd: Any = None, device: Any = None, **rest: Any) -> Vae:
    """The VAE that a file's weights are."""
    return build_vae(sd, Path("These weights"), choose_device())


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

    def load_lora_for_models(
        model: Any, clip: Any, lora: Any, strength_model: float, strength_clip: float
    ) -> tuple[Any, Any]:
        from diffusion.lora import Lora, apply_lora
        from diffusion.lora_formats import grouped
        from diffusion.probe import FileFacts

        found = Lora(FileFacts(Path("This LoRA"), "lora", None, "", 0, len(lora)), grouped(lora))
        return apply_lora(model, clip, found, strength_model, strength_clip)

    def load_clip(ckpt_paths: Any, embedding_directory: Any = None, **rest: Any) -> Any:
        from diffusion.components import load_clip as load

        paths = [Path(str(path)) for path in ckpt_paths]
        return load(paths, "stable_diffusion" if len(paths) == 1 else "sdxl")

    return {
        "VAE": _Built("VAE", (), {"of": Vae, "build": staticmethod(_vae_of)}),
        "CLIP": Clip,
        "CLIPType": enum.Enum("CLIPType", {name: number for number, name in enumerate(_CLIP_TYPES, 1)}),
        "load_lora_for_models": load_lora_for_models,
        "load_clip": load_clip,
        "load_checkpoint": lambda config_path=None, ckpt_path=None, **rest: load_checkpoint_guess_config(
            ckpt_path
        ),
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


def controlnet(session: Session) -> Names:
    """The names of `comfy.controlnet`."""
    strengths = enum.Enum("StrengthType", {"CONSTANT": 1, "LINEAR_UP": 2})

    def load_controlnet(ckpt_path: Any, model: Any = None, **rest: Any) -> ControlNet:
        return load_control_file(Path(str(ckpt_path)), model)

    kinds = {name: _Ours(name, (ControlNet,), {}) for name in ("ControlNet", "T2IAdapter")}
    more = {name: _Ours(name, (kinds["ControlNet"],), {}) for name in ("ControlLora", "ControlNetSD35")}
    told = {"StrengthType": strengths, "load_controlnet": load_controlnet, "ControlBase": ControlNet}
    return {**kinds, **more, **told}


class _Ours(type):
    """The kind of classes that packs take for what we have one class for."""

    def __instancecheck__(cls, instance: Any) -> bool:
        is_named = cls.__module__ == __name__ and type(instance) is ControlNet
        return is_named or super().__instancecheck__(instance)


def model_base(session: Session) -> Names:
    """The names of `comfy.model_base`."""

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

    kinds = {name: _network_kind(name, family) for name, family in _NETWORKS.items()}

    def model_sampling(model_config: Any, model_type: Any) -> Any:
        made = session.modules["comfy.model_sampling"].__dict__
        prediction, levels = _PUT_OUT[model_type.name]
        if levels not in made or prediction not in made:
            raise NotSupported(f"comfy.model_sampling.{levels if prediction in made else prediction}")
        return type("ModelSampling", (made[levels], made[prediction]), {})(model_config)

    return {"BaseModel": Network, "ModelType": ModelType, "model_sampling": model_sampling, **kinds}


_PUT_OUT: Final = {
    "EPS": ("EPS", "ModelSamplingDiscrete"),
    "V_PREDICTION": ("V_PREDICTION", "ModelSamplingDiscrete"),
    "V_PREDICTION_EDM": ("V_PREDICTION", "ModelSamplingContinuousEDM"),
    "STABLE_CASCADE": ("EPS", "StableCascadeSampling"),
    "EDM": ("EDM", "ModelSamplingContinuousEDM"),
    "FLOW": ("CONST", "ModelSamplingDiscreteFlow"),
    "V_PREDICTION_CONTINUOUS": ("V_PREDICTION", "ModelSamplingContinuousV"),
    "FLUX": ("CONST", "ModelSamplingFlux"),
    "IMG_TO_IMG": ("IMG_TO_IMG", "ModelSamplingDiscrete"),
    "FLOW_COSMOS": ("COSMOS_RFLOW", "ModelSamplingCosmosRFlow"),
}
"""The prediction and the noise levels of what networks put out."""


_NETWORKS: Final = {
    "SDXL": ("sdxl", "sdxl-inpaint"),
    "SDXLRefiner": ("sdxl-refiner",),
    "SD21UNCLIP": ("sd2-unclip-l", "sd2-unclip-h"),
}


class _NetworkKind(type):
    """The kind of classes that a network belongs to by its family."""

    families: tuple[str, ...]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Network) and instance.family.name in cls.families

    def __getattr__(cls, name: str) -> Any:
        """Any method: some packs put theirs in its place while they load."""
        if name.startswith("__"):
            raise AttributeError(name)
        return placeholder(f"comfy.model_base.{cls.__name__}.{name}")


def _network_kind(name: str, families: tuple[str, ...]) -> Any:
    return _NetworkKind(name, (Network,), {"families": families})


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
        "CallbacksMP": type("CallbacksMP", (), {**calls, "init_callbacks": classmethod(lambda cls: {})}),
        "WrappersMP": type("WrappersMP", (), {**wraps, "init_wrappers": classmethod(lambda cls: {})}),
        "PatcherInjection": PatcherInjection,
        "WrapperExecutor": WrapperExecutor,
        "merge_nested_dicts": _merged,
        "copy_nested_dicts": own_options,
        **_hanging("wrapper"),
        **_hanging("callback"),
    }


def _hanging(what: str) -> Names:
    """The functions that hang wrappers or callbacks on options, and find them there."""
    kept = f"{what}s"

    def held(kind: str, options: Any, is_model_options: bool) -> dict[Any, Any]:
        inner = options.get("transformer_options", {}) if is_model_options else options
        return inner.get(kept, {}).get(kind, {})

    def add_with_key(
        kind: str, key: Any, function: Any, options: Any, is_model_options: bool = False
    ) -> None:
        inner = options.setdefault("transformer_options", {}) if is_model_options else options
        inner.setdefault(kept, {}).setdefault(kind, {}).setdefault(key, []).append(function)

    def add(kind: str, function: Any, options: Any, is_model_options: bool = False) -> None:
        add_with_key(kind, None, function, options, is_model_options)

    def with_key(kind: str, key: Any, options: Any, is_model_options: bool = False) -> list[Any]:
        return list(held(kind, options, is_model_options).get(key, ()))

    def every(kind: str, options: Any, is_model_options: bool = False) -> list[Any]:
        return [item for items in held(kind, options, is_model_options).values() for item in items]

    return {
        f"add_{what}": add,
        f"add_{what}_with_key": add_with_key,
        f"get_{kept}_with_key": with_key,
        f"get_all_{kept}": every,
    }


def _merged(a: Any, b: Any, copy_dict1: bool = True) -> Any:
    """Two nested dicts in one: lists are joined; the second's values count, deeper the first's."""
    made = own_options(a) if copy_dict1 else a
    for key, value in b.items():
        if isinstance(value, dict):
            made[key] = _merged(value, made.get(key, {}))
        elif isinstance(value, list):
            made.setdefault(key, []).extend(value)
        else:
            made[key] = value
    return made


def attention(session: Session) -> Names:
    """The names of `comfy.ldm.modules.attention` that a U-Net needs."""
    ask = layers.optimized_attention
    same = ("optimized_attention", "optimized_attention_masked", "attention_pytorch", "attention_basic")
    return {
        **dict.fromkeys(same, ask),
        **{kind.__name__: kind for kind in layers.LAYERS},
        "optimized_attention_for_device": lambda *ignored, **named: ask,
        "default": lambda value, other: other if value is None else value,
        "exists": lambda value: value is not None,
    }


def openaimodel(session: Session) -> Names:
    """The names of `comfy.ldm.modules.diffusionmodules.openaimodel` that a U-Net needs."""
    from diffusion.unet import timestep_embedding

    kinds = {kind.__name__: kind for kind in blocks.LAYERS}
    return {**kinds, **blocks.FUNCTIONS, "timestep_embedding": timestep_embedding, "th": torch}


def chainner(session: Session) -> Names:
    """The names of `comfy_extras.chainner_models.model_loading`."""
    from diffusion.upscalers import build

    return {"load_state_dict": lambda weights: build(weights, "this model")}
