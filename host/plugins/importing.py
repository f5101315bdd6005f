"""Importing a plugin of ours: its package and every module in it, under `custom_nodes.NAME`."""

import importlib.util
import re
import sys
from hashlib import blake2b
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

from host.folders import PLUGINS
from host.plugins.found import Found, scanned, sources
from host.versions import darkroom_version

_UNFIT: Final = re.compile(r"\W")
_INIT: Final = "__init__.py"


def package_of(found: Found) -> str:
    """The name under which a plugin's package is imported."""
    return found.package or f"{PLUGINS}.{_UNFIT.sub('_', found.name)}"


def import_plugin(found: Found) -> list[ModuleType]:
    """The modules of a plugin, its package first. Raises whatever its code raises."""
    package = package_of(found)
    if found.package:
        modules = [import_module(package)]
    elif found.path.is_dir():
        modules = [_package(package, found.path)]
    else:
        return [_executed(package, found.path, None)]
    names = (_module_name(package, found.path, path) for path in scanned(found.path))
    return [*modules, *(import_module(name) for name in names if name != package)]


def _module_name(package: str, folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join((package, *parts)).removesuffix(".__init__")


def _package(name: str, folder: Path) -> ModuleType:
    if (folder / _INIT).is_file():
        return _executed(name, folder / _INIT, folder)
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    return module


def _executed(name: str, file: Path, folder: Path | None) -> ModuleType:
    places = [str(folder)] if folder else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no file of Python.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def forget_plugin(found: Found) -> None:
    """Take a plugin's modules out of the program."""
    package = package_of(found)
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def code_digest(found: Found) -> str:
    """A digest of a plugin's code and of the Darkroom it calls: the same wherever it was installed."""
    total = blake2b(darkroom_version().encode(), digest_size=16)
    for path in sources(found.path) if found.path.is_dir() else (found.path,):
        total.update(path.name.encode("utf-8", "replace") + b"\0" + blake2b(path.read_bytes()).digest())
    return total.hexdigest()
