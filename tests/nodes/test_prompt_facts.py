"""A prompt that names embeddings is encoded anew when one of their files changes."""

from pathlib import Path
from typing import Any

import pytest

from nodes.prompt_facts import embedding_files
from tests.nodes.contexts import ToyFiles


class Sized(ToyFiles):
    """Files whose identity is their size, "" for those that are missing."""

    def identity(self, kind: str, name: str) -> str:
        path = self.find(kind, name)
        return str(path.stat().st_size) if path else ""


@pytest.fixture
def files(tmp_path: Path) -> ToyFiles:
    found = Sized(tmp_path)
    for name in ("tree.safetensors", "old.pt"):
        (found.folder("embeddings") / name).write_bytes(b"12345")
    return found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a tree", []),
        ("a embedding:tree, (embedding:old:1.2)", [["old.pt", "5"], ["tree.safetensors", "5"]]),
        ("<tree> at night", [["tree.safetensors", "5"]]),
        ("embedding:tree.safetensors", [["tree.safetensors", "5"]]),
        ("embedding:gone", []),
        (None, [["old.pt", "5"], ["tree.safetensors", "5"]]),
    ],
)
def test_the_embeddings_that_a_prompt_may_name_are_part_of_its_key(
    files: ToyFiles, text: str | None, named: list[Any]
) -> None:
    assert embedding_files("text")(files=files, text=text, clip=None) == named


def test_another_file_under_the_same_name_is_another_key(files: ToyFiles) -> None:
    before = embedding_files("text")(files=files, text="embedding:tree")
    (files.folder("embeddings") / "tree.safetensors").write_bytes(b"123")
    assert embedding_files("text")(files=files, text="embedding:tree") != before
