"""Servers for tests: one of its own with jobs that are played, and a whole one that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.server.site import Site, site_at, working_site
from tests.compat.server.worker_toys import worker_types

WORKER = Path(__file__).parent / "toy_worker.py"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path) as site:
        yield site


@pytest.fixture(scope="session")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with a database and a worker process with toy nodes."""
    with working_site(tmp_path_factory.mktemp("home"), worker_types, WORKER) as site:
        site.until(lambda: [worker.state for worker in site.jobs.workers()] == ["idle"])
        yield site
