from pathlib import Path

import pytest

from host.paths import inside, inside_file

ESCAPES = [
    "../secret.txt",
    "a/../../secret.txt",
    "..\\secret.txt",
    "a\\..\\..\\secret.txt",
    "/etc/passwd",
    "\\\\server\\share",
    "C:\\secret.txt",
    "c:secret.txt",
    "a\0b",
    "a\nb",
    "nul",
    "AUX.txt",
    "com1",
    "a/COM¹.png",
    "con .png",
    "x" * 300,
    "\ud800",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_leads_out_or_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    assert inside(tmp_path / "root", name) is None
    assert inside(tmp_path / "root", "below", name) is None


@pytest.mark.parametrize("name", ["a.png", "a/b.png", "a\\b.png", "./a", "console.txt", "ü.png", "a..b", ""])
def test_a_name_that_stays_inside_gives_its_path(tmp_path: Path, name: str) -> None:
    path = inside(tmp_path, name)
    assert path is not None and path.is_relative_to(tmp_path.resolve())


def test_a_link_out_of_the_folder_is_refused_and_one_within_it_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "out").symlink_to(tmp_path)
    (root / "file").write_text("ok")
    (root / "in").symlink_to(root / "file")
    (root / "circle").symlink_to(root / "circle")
    assert inside(root, "out/secret.txt") is None
    assert inside(root, "circle") is None
    assert inside_file(root, "in") == (root / "file").resolve()


def test_only_plain_files_count_as_files(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert inside_file(tmp_path, "folder") is None
    assert inside_file(tmp_path, "missing") is None


def test_a_folder_that_is_itself_a_link_may_be_served(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.png").write_text("x")
    (tmp_path / "output").symlink_to(tmp_path / "disk")
    assert inside_file(tmp_path / "output", "a.png") == (tmp_path / "disk" / "a.png").resolve()
