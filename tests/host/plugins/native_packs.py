"""Plugins of ours for tests, written where plugins are looked for, and loaded as a worker does."""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from graph.registry import Registry
from host.folders import Folders, folders_of
from host.plugins.loading import all_types
from host.plugins.packs import Loaded, Pack
from host.plugins.remembered import RememberedTypes
from server import SERVICES

DIM = """
    from typing import Annotated
    from graph.node import node
    from graph.spec import Number

    @node("{0}", category="small")
    def dim(value: Annotated[float, Number(0, 1, 0.1, look="slider")] = 0.5) -> float:
        \"\"\"A number made smaller.\"\"\"
        return value / 2
"""


@dataclass(frozen=True)
class Shelf:
    """An installation with plugins."""

    home: Path
    loads: list[Loaded] = field(default_factory=list[Loaded])

    @property
    def root(self) -> Path:
        return self.home / "custom_nodes"

    @property
    def folders(self) -> Folders:
        return folders_of(self.home)

    def plugin(self, name: str, toml: str = "", **modules: str) -> Path:
        """Write a plugin; modules: its files, `__` being a slash in a name."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        if toml:
            (folder / "plugin.toml").write_text(textwrap.dedent(toml), "utf-8")
        for module, code in modules.items():
            file = folder / f"{module if module == '__init__' else module.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(code), "utf-8")
        return folder

    def load(self) -> tuple[Registry, Loaded]:
        """What a process that runs plugins gets."""
        found = all_types(SERVICES, self.folders, self.home / "cache")
        self.loads.append(found[1])
        return found

    def packs(self) -> dict[str, Pack]:
        """What became of each plugin, by name."""
        return {pack.name: pack for pack in self.load()[1].packs}

    def remembered(self) -> Registry:
        """What a process that runs no plugin's code knows afterwards."""
        cache = self.home / "cache"
        return RememberedTypes(SERVICES.node_types, cache, SERVICES.described_types, self.folders)()
