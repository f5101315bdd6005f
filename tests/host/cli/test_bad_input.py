"""Whatever a workflow file is, the answer is a sentence and the right exit code, never a traceback."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import Command, Said
from tests.host.documents import document, grey, link, node, write

COMMANDS = (("run",), ("validate",))


def refused(said: Said) -> str:
    """The one sentence of a refusal."""
    assert said.code == 2, said
    assert "Traceback" not in said.err + said.out
    (line,) = said.err.strip().splitlines()
    return line


BYTES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "spaces": (b" \n ", "empty"),
    "words": (b"make me a picture", "not JSON"),
    "half a document": (b'{"format": "darkroom/1", "nodes": {', "not JSON"),
    "bytes": (bytes(range(256)) * 10, "not text"),
    "a list": (b"[1, 2]", "no workflow"),
    "a number": (b"7", "no workflow"),
    "other JSON": (b'{"name": "app", "version": 1}', "no workflow"),
    "NaN": (b'{"format": "darkroom/1", "nodes": {"a": {"type": "A", "inputs": {"value": NaN}}}}', "NaN"),
    "a huge number": (b'{"format": "darkroom/1", "nodes": ' + b"9" * 5000 + b"}", "number"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "deep"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deep"),
    "a key twice": (b'{"format": "darkroom/1", "nodes": {}, "nodes": {}}', "twice"),
    "a newer format": (b'{"format": "darkroom/9", "nodes": {}}', "darkroom/9"),
    "a PNG cut short": (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "carries no workflow"),
}  # fmt: skip


@pytest.mark.parametrize("command_name", COMMANDS)
@pytest.mark.parametrize("kind", BYTES)
def test_a_file_that_is_no_workflow_is_refused(
    home: Path, command: Command, command_name: tuple[str, ...], kind: str
) -> None:
    data, words = BYTES[kind]
    path = home / "bad.json"
    path.write_bytes(data)
    assert words in refused(command(*command_name, str(path)))


def test_a_hundred_megabytes_of_junk_are_refused(home: Path, command: Command) -> None:
    path = home / "junk.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    assert "larger than" in refused(command("run", str(path)))


def test_a_picture_without_a_workflow_is_refused(home: Path, command: Command) -> None:
    from PIL import Image

    Image.new("RGB", (4, 4)).save(home / "plain.png")
    assert "carries no workflow" in refused(command("run", str(home / "plain.png")))


def test_a_missing_file_names_the_nearest(home: Path, command: Command) -> None:
    write(home / "portrait.json", grey())
    assert "portrait.json?" in refused(command("run", str(home / "potrait.json")))


def test_a_folder_is_refused_with_an_example(home: Path, command: Command) -> None:
    (home / "flows").mkdir()
    write(home / "flows" / "a.json", grey())
    assert "a.json" in refused(command("run", str(home / "flows")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(home: Path, command: Command) -> None:
    path = Path(write(home / "secret.json", grey()))
    path.chmod(0)
    assert "may not be read" in refused(command("run", str(path)))


def test_a_device_is_refused(command: Command) -> None:
    assert "device" in refused(command("run", "/dev/zero"))


def test_a_path_that_cannot_be_is_refused(command: Command) -> None:
    assert "cannot be read" in refused(command("run", "x" * 5000))
    assert "cannot be read" in refused(command("run", "a\0b"))


WIDE = node("EmptyImage", width="wide", height=8, batch_size=1, color=0)
LOADER = node("CheckpointLoaderSimple", ckpt_name="none.safetensors")
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown node type": ({"a": node("SavImage")}, "SaveImage?"),
    "a missing checkpoint": (
        {"a": LOADER, "b": node("PreviewAny", source=link("a", "MODEL"))},
        "none.safetensors",
    ),
    "a dangling link": (
        {"a": node("SaveImage", images=link("nowhere", "IMAGE"), filename_prefix="x")},
        "nowhere",
    ),
    "no output node": ({"a": node("PrimitiveInt", value=1)}, "no output"),
    "no nodes": ({}, "output"),
    "a wrong value": (grey()["nodes"] | {"grey": WIDE}, "wide"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_workflow_that_cannot_run_is_refused(home: Path, command: Command, kind: str) -> None:
    nodes, words = WRONG[kind]
    said = command("run", write(home / "wrong.json", document(nodes)))
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err
    assert not (home / "output").exists() or not list((home / "output").iterdir())


def test_every_problem_is_told_at_once_with_its_fix(home: Path, command: Command) -> None:
    workflow = document(
        {
            "a": node("EmptyImage", width="wide", height=0, batch_size=1, color=0),
            "b": node("SavImage"),
            "c": node("SaveImage", images=link("a", "IMAG"), filename_prefix="x"),
        }
    )
    said = command("validate", write(home / "wrong.json", workflow))
    assert said.code == 2
    assert len(said.err.splitlines()) >= 4
    assert "SaveImage?" in said.err and "IMAGE" in said.err


def test_validate_looks_at_every_file(home: Path, command: Command) -> None:
    good = write(home / "good.json", grey())
    said = command("validate", str(home / "none.json"), good)
    assert said.code == 2
    assert "good.json: no problems" in said.err and "none.json" in said.err
    assert command("validate", good).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "grey.colour=1"], "color?"),
        (["--set", "colr=1"], "colour?"),
        (["--set", "grey.width=wide"], "wide"),
        (["--set", "grey.width=-1"], "-1"),
        (["--set", "nothing"], "sets nothing"),
        (["--seed", "some"], "no seed"),
        (["--seed", str(2**64)], "no seed"),
        (["--prompt", "x"], "prompt"),
        (["--model-map", "x"], "sets nothing"),
    ],
)
def test_an_argument_that_means_nothing_is_refused(
    home: Path, command: Command, arguments: list[str], words: str
) -> None:
    assert words in refused(command("run", write(home / "grey.json", grey()), *arguments))


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "a.json", "--repeat", "0"], ["run", "a.json", "--precision", "fp8"], ["frobnicate"]],
)
def test_arguments_the_parser_refuses_have_exit_code_two(command: Command, arguments: list[str]) -> None:
    said = command(*arguments)
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["run", "a.json", "--out", "a.json/pictures"], "--out"),
        (["run", "a.json", "--seed", ""], "An empty text is no seed"),
        (["convert", "a.json", "gone/b.json"], "a folder that is there"),
        (["nodes", "Zzzzzzz"], "darkroom nodes lists them all"),
    ],
)
def test_a_refused_argument_is_told_what_to_give_instead(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], hint: str
) -> None:
    monkeypatch.chdir(home)
    write(home / "a.json", grey())
    assert hint in refused(command(*arguments))


def test_problems_are_json_lines_when_asked_for(home: Path, command: Command) -> None:
    said = command("run", write(home / "wrong.json", document({"a": node("SavImage")})), "--json")
    assert said.code == 2
    events = [json.loads(line) for line in said.lines]
    assert events[0]["event"] == "problem" and events[0]["code"] == "unknown_node_type"


def test_an_error_nobody_foresaw_is_one_sentence_and_a_file(
    home: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("oh")

    monkeypatch.setattr("host.cli.nodes.list_nodes", broken)
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)
    said = command("nodes")
    assert said.code == 3
    assert "Traceback" not in said.err and "oh" in said.err
    (trace,) = home.glob("darkroom-*.log")
    assert "KeyError" in trace.read_text()
