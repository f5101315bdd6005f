"""A shelf of plugins whose import names are taken back after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.names.install import names_kept
from tests.compat.plugins.packs import Shelf
from tests.host.conftest import command, home

__all__ = ["command", "home"]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with names_kept():
        yield Shelf(tmp_path, [])
