"""The network classes of diffusers and transformers, imported without what else those libraries would bring.

A plain import of these three classes takes three times as long as torch itself: it lists every model that
the libraries know and loads torch's compiler and its distributed parts, for decorators that do nothing
here. While the classes are imported, those parts are stood in for; afterwards a plain `import transformers`
or `torch.compile` finds the real ones. Should a later version of the libraries not go along, the plain
import is used.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch

from diffusion.headers import without_collections
from diffusion.weights import replaced


def unet_class() -> Any:
    """diffusers' UNet2DConditionModel."""
    return _lean("diffusers.models.unets.unet_2d_condition", "UNet2DConditionModel")


def vae_class() -> Any:
    """diffusers' AutoencoderKL."""
    return _lean("diffusers.models.autoencoders.autoencoder_kl", "AutoencoderKL")


def tiny_encoder_class() -> Any:
    """diffusers' EncoderTiny, of TAESD."""
    return _lean("diffusers.models.autoencoders.vae", "EncoderTiny")


def control_class() -> Any:
    """diffusers' ControlNetModel."""
    return _lean("diffusers.models.controlnets.controlnet", "ControlNetModel")


def adapter_class() -> Any:
    """diffusers' T2IAdapter."""
    return _lean("diffusers.models.adapter", "T2IAdapter")


def vision_classes() -> tuple[Any, Any]:
    """transformers' CLIPVisionConfig and CLIPVisionModelWithProjection."""
    module = "transformers.models.clip"
    return (
        _lean(f"{module}.configuration_clip", "CLIPVisionConfig"),
        _lean(f"{module}.modeling_clip", "CLIPVisionModelWithProjection"),
    )


def text_classes() -> tuple[Any, Any]:
    """transformers' CLIPTextConfig and CLIPTextModel."""
    module = "transformers.models.clip"
    return (
        _lean(f"{module}.configuration_clip", "CLIPTextConfig"),
        _lean(f"{module}.modeling_clip", "CLIPTextModel"),
    )


def _lean(module: str, name: str) -> Any:
    if module not in sys.modules:
        with ExitStack() as stack:
            stack.enter_context(without_collections())
            stack.enter_context(_without_compiler())
            stack.enter_context(_without_lists("transformers", "transformers.models"))
            try:
                importlib.import_module("transformers.modeling_utils")
                return getattr(importlib.import_module(module), name)
            except (ImportError, AttributeError, RuntimeError):
                pass
    return getattr(importlib.import_module(module), name)


def _unchanged(function: Any = None, *_: Any, **__: Any) -> Any:
    return function if callable(function) else _unchanged


class _StandIn(ModuleType):
    """A module whose attributes are found by a function."""

    def __init__(self, name: str, find: Callable[[str], Any], places: list[str]) -> None:
        super().__init__(name)
        self.__path__ = places
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__spec__.submodule_search_locations = places
        self._find = find

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._find(name)


@contextmanager
def _without_compiler() -> Iterator[None]:
    if "torch._dynamo" in sys.modules:
        yield
        return
    compiler = _StandIn("torch._dynamo", lambda name: _unchanged, [])
    traced = _StandIn(f"{compiler.__name__}._trace_wrapped_higher_order_op", _Later, [])
    added = {stand_in.__name__: stand_in for stand_in in (compiler, traced)}
    sys.modules.update(added)
    try:
        with (
            replaced(torch.distributed, "is_available", lambda: False),
            replaced(torch.compiler, "disable", _unchanged),
        ):
            yield
    finally:
        _remove(added)


@contextmanager
def _without_lists(*packages: str) -> Iterator[None]:
    """These packages without running their `__init__`, which lists thousands of names."""
    added: dict[str, ModuleType] = {}
    for package in packages:
        if package not in sys.modules:
            parent, _, child = package.rpartition(".")
            places = (
                _places(package) if not parent else [f"{p}/{child}" for p in sys.modules[parent].__path__]
            )
            stand_in = _StandIn(package, _loaded_name(package), places)
            vars(stand_in)["__version__"] = version(package.partition(".")[0])
            added[package] = sys.modules[package] = stand_in
    try:
        yield
    finally:
        _remove(added)


def _places(package: str) -> list[str]:
    spec = find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


def _loaded_name(package: str) -> Callable[[str], Any]:
    """What the package's model classes are built on, if it is loaded; else a promise of the real thing."""

    def find(name: str) -> Any:
        if f"{package}.{name}" in sys.modules or find_spec(f"{package}.{name}"):
            raise AttributeError(name)
        loaded = sys.modules.get(f"{package}.modeling_utils")
        return getattr(loaded, name, None) or _Later(name, package)

    return find


class _Later:
    """Something of a module that is fetched from the real one when it is used."""

    def __init__(self, name: str, module: str = "torch._dynamo._trace_wrapped_higher_order_op") -> None:
        self._place = (module, name)

    def _real(self) -> Any:
        module, name = self._place
        return getattr(importlib.import_module(module), name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._real()(*args, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real(), name)


def _remove(added: dict[str, Any]) -> None:
    for name, module in added.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and sys.modules[parent].__dict__.get(child) is module:
            delattr(sys.modules[parent], child)
