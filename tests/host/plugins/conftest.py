"""A shelf of plugins of ours; what they put into the program is taken out after each test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffusion import registered
from host.folders import folders_of
from host.plugins.brought import brought_by_core
from host.plugins.loading import put_in_place
from tests.host.plugins.native_packs import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    path, modules = list(sys.path), set(sys.modules)
    yield Shelf(tmp_path)
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("custom_nodes") and name not in modules]:
        del sys.modules[name]
    core = brought_by_core()
    put_in_place(core, folders_of(tmp_path))
    assert tuple(registered.SAMPLERS) == tuple(core.samplers)
