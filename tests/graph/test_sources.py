"""Telling changed code by its files."""

from pathlib import Path

import pytest

import graph.sources
from graph.sources import Source, source_digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "main.py": "import os\nfrom pack import (\n    one,\n    two as b,\n)\nif True:\n    import lone\n",
        "pack/__init__.py": "",
        "pack/one.py": "from .inner import thing\nfrom . import sister\n",
        "pack/two.py": "import main\n",
        "pack/inner.py": "x = 1\n",
        "pack/sister.py": "x = 1\n",
        "lone.py": "x = 1\n",
        "stranger.py": "x = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_all_that_a_file_imports_is_found_also_in_circles(root: Path) -> None:
    known = dict[Path, Source]()
    source_digest(root / "main.py", root, known)
    names = sorted(str(path.relative_to(root)) for path in known)
    assert names == [
        "lone.py",
        "main.py",
        "pack/__init__.py",
        "pack/inner.py",
        "pack/one.py",
        "pack/sister.py",
        "pack/two.py",
    ]


@pytest.mark.parametrize("changed", ["main.py", "pack/inner.py", "pack/sister.py", "lone.py"])
def test_a_change_in_any_of_them_is_told(root: Path, changed: str) -> None:
    before = source_digest(root / "main.py", root)
    assert source_digest(root / "main.py", root) == before
    with (root / changed).open("a") as file:
        file.write("y = 2\n")
    assert source_digest(root / "main.py", root) != before


def test_other_files_and_the_place_of_the_project_do_not_count(root: Path) -> None:
    before = source_digest(root / "main.py", root)
    (root / "stranger.py").write_text("x = 2\n")
    assert source_digest(root / "main.py", root) == before
    moved = root.rename(root.with_name("elsewhere"))
    assert source_digest(moved / "main.py", moved) == before


def test_the_engine_itself_does_not_count(root: Path) -> None:
    engine = Path(graph.sources.__file__).parent
    (root / "main.py").write_text("from graph.sources import Source\n")
    known = dict[Path, Source]()
    source_digest(root / "main.py", engine.parent, known)
    assert list(known) == [root / "main.py"]


def test_a_file_that_is_not_there_has_a_digest_too(root: Path) -> None:
    assert source_digest(root / "none.py", root) != source_digest(root / "lone.py", root)
