"""Names without a thing behind them: they can be imported and subclassed, and say so when used."""

from types import ModuleType
from typing import Any, Final

from compat.names.probing import is_probed
from compat.plugins.values import IMPORTING

PREFIXES: Final = (
    "comfy.ldm",
    "comfy.text_encoders",
    "comfy.cldm",
    "comfy.t2i_adapter",
    "comfy.taesd",
    "comfy.k_diffusion",
    "comfy.weight_adapter",
    "comfy.image_encoders",
    "comfy.audio_encoders",
    "comfy_extras",
    "comfy_api_nodes",
    "comfy.extra_samplers",
    "comfy.memory_management",
    "comfy.nested_tensor",
    "comfy.quant_ops",
    "comfy.pinned_memory",
)
"""Packages below which any module can be imported, unless a pack only looks whether it is there."""
MODULES: Final = (
    "comfy.model_base",
    "comfy.model_detection",
    "comfy.supported_models",
    "comfy.supported_models_base",
    "comfy.sampler_helpers",
    "comfy.ops",
    "comfy.sd1_clip",
    "comfy.sdxl_clip",
    "comfy.sd2_clip",
    "comfy.sd3_clip",
    "comfy.diffusers_convert",
    "comfy.diffusers_load",
    "comfy.hooks",
    "comfy.gligen",
    "comfy.float",
    "comfy.context_windows",
    "comfy.checkpoint_pickle",
    "comfy.rmsnorm",
    "comfy.lora_convert",
    "comfy.clip_model",
    "comfy.clip_config_bigg",
    "comfy.sa_t5",
    "comfy.conds",
    "comfy.patcher_extension",
    "comfy.model_patcher",
    "comfy.controlnet",
    "comfy.lora",
    "comfy.clip_vision",
    "comfy.weight_adapter",
    "comfy.latent_formats",
    "comfy.model_sampling",
    "comfy.sd",
    "comfy.options",
    "comfy.samplers",
    "comfy.sample",
    "comfy.utils",
    "comfy.model_management",
    "latent_preview",
)
"""Modules whose unknown names are placeholders."""


_NOT_SAID: Final = frozenset(
    {
        "GET_SCHEMA", "PREPARED", "VALIDATE_INPUTS", "IS_CHANGED", "check_lazy_status", "OUTPUT_TOOLTIPS",
        "INPUT_IS_LIST", "OUTPUT_IS_LIST", "RETURN_NAMES", "DEPRECATED", "EXPERIMENTAL", "API_NODE",
        "NOT_IDEMPOTENT", "OUTPUT_NODE", "DESCRIPTION", "CATEGORY", "ACCEPT_ALL_INPUTS", "DISPLAY_NAME",
    }
)  # fmt: skip
"""What a node class may leave unsaid: packs subclass placeholders of core nodes and say the rest."""


class NotSupported(RuntimeError):
    """A pack used a part of ComfyUI that this host does not have; the message names it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Not supported by this host: {name}. This node needs ComfyUI's own networks.")


class Placeholder(type):
    """The kind of all placeholders: classes that cannot be made or called."""

    __host_name__: str

    def __call__(cls, *args: Any, **named: Any) -> Any:
        """Say what is not supported; while a pack is imported, an object that says so when it is used."""
        if not IMPORTING.get() or is_probed() or not _is_class_name(cls.__host_name__):
            raise NotSupported(cls.__host_name__)
        return Absent(cls.__host_name__)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or name in _NOT_SAID:
            raise AttributeError(name)
        return placeholder(f"{cls.__host_name__}.{name}")

    def __bool__(cls) -> bool:
        """No: packs ask so whether a host can do something."""
        return False

    def __iter__(cls) -> Any:
        """Nothing: packs go through tables of ComfyUI's own while they load."""
        return iter(())

    def keys(cls) -> Any:
        """No keys, for the same reason."""
        return ()

    def __getitem__(cls, key: Any) -> Any:
        raise NotSupported(cls.__host_name__)


class Absent:
    """An object of a class that this host does not have: packs make some while they load."""

    def __init__(self, name: str) -> None:
        self.__host_name__ = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotSupported(f"{self.__host_name__}.{name}")

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Say what is not supported."""
        raise NotSupported(self.__host_name__)


def _is_class_name(name: str) -> bool:
    return name.rpartition(".")[2][:1].isupper()


def placeholder(name: str) -> Any:
    """A placeholder for a dotted name."""
    last = name.rpartition(".")[2]
    return Placeholder(last, (), {"__host_name__": name, "__module__": name.rpartition(".")[0]})


def placeholder_module(name: str, known: dict[str, Any] | None = None) -> ModuleType:
    """A module that has every name, unless a pack only looks whether it is there."""
    module = ModuleType(name, f"{name}: only a few of its names are supported by this host.")
    module.__dict__.update(known or {})
    module.__dict__["__path__"] = []
    module.__dict__["__getattr__"] = _finder(name)
    return module


def _finder(module: str) -> Any:
    made = dict[str, Any]()

    def find(name: str) -> Any:
        full = f"{module}.{name}"
        if name.startswith("__") or is_probed():
            raise AttributeError(f"Not supported by this host: {full}")
        if name not in made:
            made[name] = placeholder(full)
        return made[name]

    return find


def is_offered(name: str) -> bool:
    """Whether a module of this name can be imported as a placeholder."""
    return name in MODULES or any(name == item or name.startswith(f"{item}.") for item in PREFIXES)
