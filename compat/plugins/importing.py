"""Importing one pack: under the name that ComfyUI gives it."""

import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Final

PRESTARTUP: Final = "prestartup_script.py"
_SKIPPED: Final = ("__pycache__",)
_DISABLED: Final = ".disabled"
_MOST_FILES: Final = 5000


def entries(root: Path) -> list[Path]:
    """The packs in a folder of plugins, by name: folders, and single files of Python."""
    if not root.is_dir():
        return []
    found = sorted(root.iterdir(), key=lambda path: (path.name.casefold(), path.name))
    return [path for path in found if _is_pack(path)]


def _is_pack(path: Path) -> bool:
    if path.name.startswith(".") or path.name in _SKIPPED or path.name.endswith(_DISABLED):
        return False
    return path.is_dir() or path.suffix == ".py"


def module_name(path: Path) -> str:
    """The name of a pack in sys.modules: its path, each dot written "_x_"."""
    return str(path if path.is_dir() else path.with_suffix("")).replace(".", "_x_")


def import_pack(path: Path) -> ModuleType:
    """The module of a pack. Raises whatever its code raises."""
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"{path.name} has no __init__.py, so there is nothing to load.")
    return _executed(module_name(path), file, path if path.is_dir() else None)


@contextmanager
def program_of(home: Path) -> Generator[None]:
    """Let the program look as if it were in `home`: some packs learn from its file where the host lies."""
    program = sys.modules["__main__"]
    before = getattr(program, "__file__", None)
    program.__file__ = str(home / "main.py")
    try:
        yield
    finally:
        program.__file__ = before


def run_prestartup(path: Path) -> None:
    """Run what a pack wants done before anything heavy is imported. Raises whatever it raises."""
    file = path / PRESTARTUP
    if file.is_file():
        _executed(f"{module_name(path)}_x_prestartup", file, None)


def _executed(name: str, file: Path, package: Path | None) -> ModuleType:
    places = [str(package)] if package else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no file of Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def pack_digest(path: Path) -> str:
    """A digest that changes when a file of a pack's code does."""
    files = sorted(path.rglob("*.py"))[:_MOST_FILES] if path.is_dir() else [path]
    total = blake2b(digest_size=16)
    for file in files:
        facts = file.stat()
        total.update(f"{file.name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return total.hexdigest()
