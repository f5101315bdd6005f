"""A shelf of plugins of ours; what they put into the program is taken out after each test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffusion import added
from tests.host.plugins.native_packs import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    path, modules = list(sys.path), set(sys.modules)
    yield Shelf(tmp_path)
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("custom_nodes") and name not in modules]:
        del sys.modules[name]
    added.SAMPLERS.clear()
    added.SCHEDULES.clear()
