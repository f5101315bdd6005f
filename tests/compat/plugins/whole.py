"""A whole server with a real worker, which loads the packs of a home."""

import asyncio
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host.worker.supervisor import DEFAULT_COMMAND
from server import SERVICES
from tests.compat.server.site import Site
from tests.host.serving import served


def write_pack(home: Path, name: str, code: str) -> Path:
    """A pack of one module."""
    folder = home / "custom_nodes" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(textwrap.dedent(code), "utf-8")
    return folder


@contextmanager
def packs_site(home: Path, **changes: Any) -> Iterator[Site]:
    """A server; it answers before its worker has loaded the packs."""
    loop = asyncio.new_event_loop()
    running = served(home, SERVICES, worker_command=DEFAULT_COMMAND, silence=120.0, **changes)
    server = loop.run_until_complete(running.__aenter__())
    site = Site(home, loop, server.url, server.board)
    try:
        yield site
    finally:
        site.close()
        loop.run_until_complete(running.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def wait_for_worker(site: Site) -> None:
    """Until the worker can take a job."""
    site.until(lambda: [worker.state for worker in site.jobs.workers()] == ["idle"], 120)
