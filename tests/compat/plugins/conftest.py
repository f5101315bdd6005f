"""Shelves of plugins, whose import names are taken back after a test or a file of tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat.names.install import names_kept
from tests.compat.plugins.packs import TINY, Shelf
from tests.host.conftest import command, home

__all__ = ["command", "home"]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with names_kept():
        yield Shelf(tmp_path, [])


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A shelf with one empty pack, loaded: the names that packs import are there for all tests of a file."""
    shelf = Shelf(tmp_path_factory.mktemp("home"), [])
    shelf.pack("empty", "NODE_CLASS_MAPPINGS = {}")
    with names_kept():
        shelf.load()
        yield shelf


@pytest.fixture(scope="module")
def loaded(named: Shelf) -> Any:
    """The embedded SD1 model, loaded where packs' names are."""
    from diffusion.loading import load_checkpoint

    return load_checkpoint(TINY / "darkroom-tiny.safetensors")
