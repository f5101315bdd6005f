"""Lists: ranges, lines, pictures of a folder, and what ends a list."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from graph.document import Link, Node, Workflow
from graph.memory_store import MemoryStore
from graph.run import run_workflow
from nodes import lists, registry
from tests.nodes.contexts import ToyFiles, ToyJob

TYPES = registry()


def test_ranges_include_their_end_where_the_step_meets_it() -> None:
    assert lists.number_range(0, 1, 0.25) == [0, 0.25, 0.5, 0.75, 1.0]
    assert lists.number_range(5, 0, -2) == [5, 3, 1]
    assert lists.whole_number_range(3, 3, 10) == [3, 13, 23]
    with pytest.raises(ValueError, match="change its sign"):
        lists.number_range(0, 1, -1)
    with pytest.raises(ValueError, match="larger step"):
        lists.number_range(0, 1, 1e-9)


def test_lines_of_a_text_are_items_without_blanks_and_comments() -> None:
    assert lists.text_lines(" a cat \n\n# no\nb") == ["a cat", "b"]


def folder(tmp_path: Path) -> ToyJob:
    files = ToyFiles(tmp_path)
    place = files.folder("input")
    for number, size in enumerate([(8, 8), (8, 8), (16, 8)]):
        Image.new("RGB", size, (number * 100, 0, 0)).save(place / f"p{number}.png")
    (place / "notes.txt").write_text("no picture")
    return ToyJob(files)


def over_folder() -> dict[str, Node]:
    return {
        "list": Node("ListImages"),
        "load": Node("LoadNamedImage", {"name": Link("list", "names")}),
        "invert": Node("ImageInvert", {"image": Link("load", "IMAGE")}),
        "join": Node("JoinImages", {"images": Link("invert", "IMAGE")}),
        "count": Node("CountItems", {"items": Link("invert", "IMAGE")}),
    }


def test_every_picture_of_a_folder_is_worked_on_and_one_that_is_damaged_left_out(tmp_path: Path) -> None:
    job = folder(tmp_path)
    (job.files.folder("input") / "p1.png").write_bytes(b"junk")
    result = run_workflow(Workflow(over_folder()), TYPES, job=job, targets=["join", "count"])
    assert [error.message for error in result.errors] == [
        "Node load (Load Named Image), item 2 of 3: p1.png is not a picture of a known format."
    ]
    assert result.values["count"]["count"] == [2]
    joined = result.values["join"]["IMAGE"][0]
    assert joined.shape == (2, 8, 8, 3)
    assert torch.allclose(joined[0, 0, 0], torch.tensor([1.0, 1.0, 1.0]))


def test_a_folder_is_looked_at_in_every_run_and_only_changes_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, memory = folder(tmp_path), MemoryStore()
    monkeypatch.setattr(
        ToyFiles, "identity", lambda self, kind, name: str(self.find(kind, name).stat().st_size)
    )
    run = lambda: run_workflow(Workflow(over_folder()), TYPES, job=job, targets=["count"], memory=memory)  # noqa: E731
    assert run().values["count"]["count"] == [3]
    assert run().verdicts["load"] == "cached"
    Image.new("RGB", (8, 8)).save(job.files.folder("input") / "p9.png")
    assert run().values["count"]["count"] == [4]


def test_a_folder_without_pictures_says_which(tmp_path: Path) -> None:
    nodes = {"list": Node("ListImages", {"folder": "cats", "pattern": "*.webp"})}
    result = run_workflow(Workflow(nodes), TYPES, job=folder(tmp_path), targets=["list"])
    assert result.errors[0].message.endswith("no picture *.webp in the folder cats of the input folder.")


def test_an_item_is_picked_from_either_end() -> None:
    assert (lists.pick_item([1, 2, 3], 0), lists.pick_item([1, 2, 3], -1)) == (1, 3)
    with pytest.raises(ValueError, match="3 items"):
        lists.pick_item([1, 2, 3], 3)
