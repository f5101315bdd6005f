"""One server for the tests of its routes."""

from collections.abc import Iterator

import pytest

from tests.host.serving import Shared


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A server with toy node types; every test leaves its queue empty and running."""
    server = Shared(tmp_path_factory.mktemp("server"))
    yield server
    server.close()
