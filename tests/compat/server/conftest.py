"""A server of its own for a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.server.site import Site, site_at


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path) as site:
        yield site
