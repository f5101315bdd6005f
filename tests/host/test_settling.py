"""Finished files get the name that is wanted, or the next that is free."""

import os
from pathlib import Path

import pytest

from host.settling import settle


def made(folder: Path, data: bytes) -> Path:
    path = folder / ".made"
    path.write_bytes(data)
    return path


def names(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_name_that_is_taken_gets_the_next_number(tmp_path: Path) -> None:
    wanted = tmp_path / "a.png"
    places = [settle(made(tmp_path, data), wanted, overwrite=False) for data in (b"1", b"2", b"3", b"2")]
    assert [path.name for path in places] == ["a.png", "a (1).png", "a (2).png", "a (1).png"]
    assert names(tmp_path) == {"a.png": b"1", "a (1).png": b"2", "a (2).png": b"3"}


def test_overwriting_replaces_the_file_at_once(tmp_path: Path) -> None:
    wanted = tmp_path / "a.png"
    for data in (b"1", b"2"):
        assert settle(made(tmp_path, data), wanted, overwrite=True) == wanted
    assert names(tmp_path) == {"a.png": b"2"}


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    for data in (b"1", b"2"):
        settle(made(tmp_path, data), tmp_path / "a.png", overwrite=False)
    assert names(tmp_path) == {"a.png": b"1", "a (1).png": b"2"}


def test_nothing_is_left_of_a_file_that_cannot_be_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError):
        settle(made(tmp_path, b"1"), tmp_path / "a", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
