"""Plugins turned off and on over HTTP."""

from pathlib import Path

import pytest

from host.plugins.lock import FILE, read_lock
from tests.host.serving import Served, run, served

NO_WORKER = ("/bin/false",)


def plugin(home: Path) -> Path:
    folder = home / "custom_nodes" / "glow"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text("name = 'glow'")
    return home / "custom_nodes"


async def state(server: Served) -> str:
    told = await server.ask("GET", "/api/v1/plugins", status=200)
    return str(told["plugins"][0]["state"])


def test_a_plugin_is_turned_off_and_on_and_workers_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, reasons = plugin(tmp_path), list[str]()

    async def story() -> None:
        async with served(tmp_path, worker_command=NO_WORKER) as server:
            monkeypatch.setattr(server.board, "renew_workers", reasons.append)
            assert await state(server) == "waiting"
            off = await server.ask("POST", "/api/v1/plugins/glow/disable", status=202)
            assert off == {"name": "glow", "enabled": False} and not read_lock(root)["glow"].enabled
            assert await state(server) == "disabled"
            await server.ask("POST", "/api/v1/plugins/glow/enable", status=202)
            assert read_lock(root)["glow"].enabled and await state(server) == "waiting"
        assert reasons == ["glow was turned off", "glow was turned on"]

    run(story())


def test_a_plugin_that_is_not_there_and_a_damaged_lock_are_refused_and_nothing_changes(
    tmp_path: Path,
) -> None:
    root = plugin(tmp_path)

    async def story() -> None:
        async with served(tmp_path, worker_command=NO_WORKER) as server:
            await server.ask("POST", "/api/v1/plugins/gleam/disable", status=404)
            assert not (root / FILE).exists()
            (root / FILE).write_text("{")
            told = await server.ask("POST", "/api/v1/plugins/glow/disable", status=409)
            assert "damaged" in str(told) and (root / FILE).read_text() == "{"

    run(story())
