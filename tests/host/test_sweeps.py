"""Sweeps from the command line: tables, grids, and going on where a killed one stopped."""

import json
from pathlib import Path

import pytest
from PIL import Image

from graph.problems import WorkflowError
from host import sweeps
from tests.host.conftest import Command
from tests.host.documents import grey, sampled, write


def colours(lines: list[str]) -> list[object]:
    found = list[object]()
    for line in lines:
        with Image.open(line) as picture:
            found.append(picture.convert("RGB").getpixel((0, 0)))
    return found


def test_a_sweep_saves_a_picture_a_value_and_a_labelled_grid(home: Path, command: Command) -> None:
    said = command("run", write(home / "grey.json", grey(size=32)), "--sweep", "colour=255,65280")
    assert said.code == 0
    assert [Path(line).name for line in said.lines] == [
        "grey_00001_.png",
        "grey_00002_.png",
        "grey-grid_00001_.png",
    ]
    assert colours(said.lines[:2]) == [(0, 0, 255), (0, 255, 0)]
    with Image.open(said.lines[2]) as grid:
        assert (grid.width, grid.getpixel((5, grid.height - 5))) == (68, (0, 0, 255))


def test_a_document_may_hold_its_sweep_and_a_table_lies_in_the_input_folder(
    home: Path, command: Command
) -> None:
    (home / "input").mkdir()
    (home / "input" / "sizes.csv").write_text("grey.width,grey.height\n16,24\n32,8\n")
    document = grey() | {"sweep": [{"table": "sizes.csv"}, {"input": "colour", "values": [255]}]}
    lines = command("run", write(home / "grey.json", document)).lines
    sizes = list[tuple[int, int]]()
    for line in lines[:2]:
        with Image.open(line) as picture:
            sizes.append(picture.size)
    assert sizes == [(16, 24), (32, 8)]


def test_a_picture_of_a_sweep_carries_its_own_workflow_and_the_grid_all_of_it(
    home: Path, command: Command
) -> None:
    lines = command("run", write(home / "grey.json", grey()), "--sweep", "colour=255,65280").lines
    second = command("run", lines[1]).lines
    assert colours(second) == [(0, 255, 0)]
    assert len(command("run", lines[2]).lines) == 3


def test_a_sweep_that_was_killed_goes_on_and_saves_nothing_twice(
    home: Path, command: Command, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(home / "flow.json", sampled(model))
    noted = sweeps.Finished.note

    def killed(self: sweeps.Finished, event: object) -> None:
        noted(self, event)  # pyright: ignore[reportArgumentType]
        if len(self.made) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweeps.Finished, "note", killed)
    command("run", path, "--sweep", "sampler.cfg=2:5")
    assert len(list((home / "output").glob("*.png"))) == 2
    monkeypatch.setattr(sweeps.Finished, "note", noted)
    again = command("run", path, "--sweep", "sampler.cfg=2:5", "--json")
    events = [json.loads(line) for line in again.lines]
    sampled_again = [e["node"] for e in events if e["event"] == "node_started" and "sampler" in e["node"]]
    assert sampled_again == ["sampler~3", "sampler~4"]
    assert len([e for e in events if e["event"] == "saved"]) == 5
    assert len(list((home / "output").glob("*.png"))) == 5
    assert not list((home / "cache" / "sweeps").iterdir())


def test_a_sweep_is_checked_before_anything_runs(home: Path, command: Command) -> None:
    path = write(home / "grey.json", grey())
    for sweep, words in [
        ("colour=255,many", "many"),
        ("color=1", "no input color"),
        ("@none.csv", "no table none.csv"),
        ("grey.width=0:1e12", "values"),
    ]:
        said = command("run", path, "--sweep", sweep)
        assert (said.code, said.out) == (2, ""), sweep
        assert words in said.err
    assert not list((home / "output").glob("*.png"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"a,b\n1\n", "line 2"), (b"a\n1,2\n", "line 2"), (b"a\n\xff\n", "UTF-8"), (b'a\n"x\n', "table")],
)
def test_a_table_that_cannot_be_read_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(WorkflowError, match=words):
        sweeps.read_table(path)


def test_a_record_that_is_damaged_or_whose_pictures_are_gone_counts_for_nothing(
    home: Path, command: Command
) -> None:
    path = write(home / "grey.json", grey())
    record = home / "cache" / "sweeps"
    record.mkdir(parents=True)
    command("run", path, "--sweep", "colour=1,2")
    lines = ['{"node": "save~1"}', "[]", "junk", '{"node": "save~1", "ui": {"images": [{"type": "output"}]}}']
    gone = {"images": [{"type": "output", "subfolder": "", "filename": "gone.png"}]}
    lines.append(json.dumps({"node": "save~2", "ui": gone}))
    (record / "x.jsonl").write_text("\n".join(lines))
    assert len(command("run", path, "--sweep", "colour=1,2").lines) == 3
