"""A worker killed in the middle of sampling: the picture is the undisturbed one, bit for bit."""

import asyncio
from pathlib import Path

import pytest

from benchmarks import server


@pytest.mark.timeout(300)
def test_pictures_whose_worker_is_killed_while_it_samples_equal_undisturbed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "KILLS", 3)
    equal, again = asyncio.run(server.kills(tmp_path))
    assert (equal.value, again.value) == (3, 0)
