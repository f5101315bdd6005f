"""Modules that are imported when they are first used, so that listing node types never loads torch."""

from importlib import import_module
from types import ModuleType


class LazyModule:
    """Stands for a module and imports it when one of its names is first asked for.

    Declare it beside the real import, which type checkers read:
    `if TYPE_CHECKING: import torch` and `else: torch = LazyModule("torch")`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._module: ModuleType | None = None

    def __getattr__(self, attribute: str) -> object:
        if self._module is None:
            self._module = import_module(self._name)
        return getattr(self._module, attribute)
