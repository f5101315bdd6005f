"""Running workflows from the command line, in this process."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.host.conftest import Command
from tests.host.documents import document, grey, link, node, sampled, write


def pixel(path: Path | str) -> Any:
    with Image.open(path) as picture:
        return picture.convert("RGB").getpixel((0, 0))


def test_a_run_prints_the_path_of_its_picture_and_nothing_else(home: Path, command: Command) -> None:
    said = command("run", write(home / "grey.json", grey()))
    assert said.code == 0
    assert said.lines == [str(Path("output") / "grey_00001_.png")]
    assert pixel(said.lines[0]) == (128, 128, 128)


def test_inputs_are_set_by_node_and_by_port(home: Path, command: Command) -> None:
    path = write(home / "grey.json", grey())
    first = command("run", path, "--set", "grey.color=255", "--set", "grey.width=16")
    second = command("run", path, "--set", "colour=65280")
    assert (pixel(first.lines[0]), pixel(second.lines[0])) == ((0, 0, 255), (0, 255, 0))
    with Image.open(first.lines[0]) as picture:
        assert picture.size == (16, 8)


def test_pictures_go_where_out_says(home: Path, command: Command, tmp_path: Path) -> None:
    said = command("run", write(home / "grey.json", grey()), "--out", str(tmp_path / "new" / "place"))
    assert said.lines == [str(tmp_path / "new" / "place" / "grey_00001_.png")]
    assert Path(said.lines[0]).is_file()


def test_a_place_that_cannot_be_written_is_a_sentence(home: Path, command: Command) -> None:
    (home / "file").write_text("")
    said = command("run", write(home / "grey.json", grey()), "--out", str(home / "file" / "inside"))
    assert said.code == 2
    assert "cannot be saved" in said.err and len(said.err.splitlines()) == 1


def test_a_second_run_saves_a_second_picture(home: Path, command: Command) -> None:
    path = write(home / "grey.json", grey())
    names = [Path(command("run", path).lines[0]).name for _ in range(2)]
    assert names == ["grey_00001_.png", "grey_00002_.png"]


def test_a_picture_runs_again_to_the_same_bytes(home: Path, command: Command, model: str) -> None:
    write(home / "flow.json", sampled(model, steps=1, seed=3))
    first = Path(command("run", "flow.json", "--seed", "11", "--prompt", "a {blue|blue} square").lines[0])
    again = Path(command("run", str(first), "--no-cache").lines[0])
    assert again != first
    assert again.read_bytes() == first.read_bytes()


def test_a_picture_carries_its_workflow_with_hashes_and_the_field_s_form(
    home: Path, command: Command, model: str
) -> None:
    write(home / "flow.json", sampled(model))
    path = command("run", "flow.json", "--prompt", "a {b|b}", "--precision", "fp32").lines[0]
    with Image.open(path) as picture:
        texts = picture.info
    ours, field = json.loads(texts["workflow"]), json.loads(texts["prompt"])
    assert ours["nodes"]["positive"]["inputs"]["text"] == "a {b|b}"
    assert ours["lock"]["models"][f"checkpoints/{model}"].startswith("sha256:")
    assert ours["lock"]["precision"] == "fp32"
    assert field["positive"]["inputs"]["text"] == "a b"
    assert field["sampler"]["inputs"]["model"] == ["checkpoint", 0]


def test_the_same_command_again_takes_everything_from_disk(home: Path, command: Command, model: str) -> None:
    write(home / "flow.json", sampled(model))
    command("run", "flow.json")
    said = command("run", "flow.json", "--explain")
    verdicts = [line.split()[1:3] for line in said.lines if line.startswith(("VAE", "Save"))]
    assert ["Decode", "disk"] in verdicts
    assert not any(line.startswith("KSampler") and " ran " in line for line in said.lines)
    changed = command("run", "flow.json", "--explain", "--seed", "8")
    assert "seed 7 → 8" in changed.out
    assert any(line.startswith("CLIP") and " disk " in line for line in changed.lines)


def test_repeating_moves_seeds_on_and_keeps_the_model(home: Path, command: Command, model: str) -> None:
    write(home / "flow.json", sampled(model))
    said = command("run", "flow.json", "--repeat", "2", "--seed", "5", "--json")
    events = [json.loads(line) for line in said.lines]
    saved = [event["path"] for event in events if event["event"] == "saved"]
    seeds = []
    for path in saved:
        with Image.open(path) as picture:
            seeds.append(json.loads(picture.info["prompt"])["sampler"]["inputs"]["seed"])
    assert seeds == [5, 6]
    assert len({Path(path).read_bytes() for path in saved}) == 2
    loaded = [
        event["verdict"] for event in events if event.get("node") == "checkpoint" and "verdict" in event
    ]
    assert loaded[0] == "ran" and "ran" not in loaded[1:]


def test_events_are_json_lines_when_asked_for(home: Path, command: Command) -> None:
    said = command("run", write(home / "grey.json", grey()), "--json")
    events = [json.loads(line) for line in said.lines]
    names = [event["event"] for event in events]
    assert names[0] == "job_started" and "node_finished" in names
    assert events[-1] == {"event": "saved", "node": "save", "path": str(Path("output") / "grey_00001_.png")}
    assert said.err == ""


def broken() -> dict[str, Any]:
    """A workflow with one branch that fails and one that does not."""
    flow = grey()
    flow["nodes"] |= {
        "bad": node("LoadImage", image="broken.png"),
        "lost": node("SaveImage", images=link("bad", "IMAGE"), filename_prefix="lost"),
    }
    return flow


def test_a_failing_node_is_a_sentence_and_the_others_finish(home: Path, command: Command) -> None:
    (home / "input").mkdir()
    (home / "input" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    said = command("run", write(home / "broken.json", broken()))
    assert said.code == 3
    assert "broken.png" in said.err and "Traceback" not in said.err
    assert said.lines == [str(Path("output") / "grey_00001_.png")]


def test_a_value_can_be_shown_as_text(home: Path, command: Command) -> None:
    flow = document(
        {
            "number": node("PrimitiveInt", value=7),
            "show": node("PreviewAny", source=link("number", "INT")),
        }
    )
    assert command("run", write(home / "flow.json", flow), "-q").out == "7\n"


def test_a_workflow_comes_from_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = Path(write(tmp_path / "grey.json", grey()))
    with path.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert command("run", "-").code == 0


@pytest.mark.parametrize("form", ["api", "editor"])
def test_a_converted_workflow_runs_to_the_same_picture(home: Path, command: Command, form: str) -> None:
    path = write(home / "grey.json", grey(0x123456))
    assert command("convert", path, "other.json", "--to", form).code == 0
    assert command("validate", "other.json").code == 0
    first, second = command("run", path, "--no-cache"), command("run", "other.json", "--no-cache")
    assert pixel(first.lines[0]) == pixel(second.lines[0]) == (0x12, 0x34, 0x56)


def test_a_model_of_another_name_stands_in(home: Path, command: Command, model: str) -> None:
    write(home / "flow.json", sampled("nobody-has-this.safetensors"))
    assert command("run", "flow.json").code == 2
    assert command("run", "flow.json", "--model-map", f"nobody*={model}").code == 0


def test_an_unknown_cache_folder_is_made(home: Path, command: Command, tmp_path: Path) -> None:
    path = write(home / "grey.json", grey())
    assert command("run", path, "--cache-dir", str(tmp_path / "kept")).code == 0
    assert list((tmp_path / "kept").rglob("*"))
    assert not (home / "cache").exists()


def test_without_cache_nothing_is_kept(home: Path, command: Command) -> None:
    assert command("run", write(home / "grey.json", grey()), "--no-cache").code == 0
    assert not (home / "cache" / "results").exists()
