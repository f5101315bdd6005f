"""Every shipped workflow is sound, and gives the same picture in all three formats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import server
from graph.document import Workflow
from graph.document_json import load_workflow, write_workflow
from graph.editing import set_input
from graph.spec import MISSING
from graph.validation import validate
from host.folders import folders_of
from nodes import registry

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "workflows").glob("*.json"))
TYPES = registry()
FIRST = {"txt2img", "img2img", "hires", "two-stage"}
SMALL = {
    "area-composition": {"steps": 3, "width": 256, "height": 64},
    "loop": {"sampler.steps": 2, "rounds": 2},
    "sdxl-refiner": {"first.steps": 4, "first.end_at_step": 3, "second.steps": 4, "second.start_at_step": 3},
    "two-stage": {"first.steps": 4, "first.end_at_step": 2, "second.steps": 4, "second.start_at_step": 2},
    "hires": {"steps": 2, "refine.steps": 2},
}
"""What makes a workflow quick, where it is not its port for steps."""


def by_name(path: Path) -> str:
    return path.stem


@pytest.fixture(autouse=True)
def installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_HOME", str(ROOT))


def test_there_are_workflows_to_test() -> None:
    assert {path.stem for path in SHIPPED} >= {"txt2img", "img2img", "hires", "two-stage"}


@pytest.mark.parametrize("path", SHIPPED, ids=by_name)
def test_a_shipped_workflow_has_no_problems(path: Path) -> None:
    assert validate(load_workflow(path), TYPES, folders_of(ROOT)) == []


@pytest.mark.parametrize("path", SHIPPED, ids=by_name)
def test_a_shipped_workflow_is_titled_laid_out_and_has_ports(path: Path) -> None:
    workflow = load_workflow(path)
    assert workflow.extra["title"]
    assert workflow.layout.keys() == workflow.nodes.keys()
    assert all(node.title for node in workflow.nodes.values())
    assert {"prompt", "negative", "width", "height", "image"} <= workflow.ports.keys()
    assert ("seed" in workflow.ports) is (path.stem != "loop"), "a loop's seeds are the numbers of its rounds"
    assert path.stem in FIRST or workflow.notes, "a person reads what it shows"
    for node in workflow.nodes.values():
        spec = TYPES.get(node.type)
        assert spec is not None
        assert {item.name for item in spec.inputs if item.default is MISSING} <= node.inputs.keys()


@pytest.mark.parametrize("path", SHIPPED, ids=by_name)
def test_a_shipped_workflow_is_saved_as_it_would_be_written(path: Path) -> None:
    assert write_workflow(load_workflow(path)) == path.read_text("utf-8")


def twins(path: Path) -> dict[str, str]:
    """The formats that can say all of a workflow, with a mark of each: ComfyUI's knows no sweep."""
    return {} if path.stem == "sweep" else {"api": "class_type", "editor": "last_node_id"}


def small(path: Path) -> Workflow:
    """A shipped workflow with few steps at half the size."""
    workflow = load_workflow(path)
    changes: dict[str, int] = {"width": 64, "height": 64} | SMALL.get(path.stem, {"steps": 3})
    for address, value in changes.items():
        workflow = set_input(workflow, TYPES, address, value)
    return workflow


def picture(path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    code = server.main(["run", str(path), "--out", str(out), "--no-cache", "--quiet"])
    said = capsys.readouterr()
    assert code == 0, said.err
    pictures = [line for line in said.out.splitlines() if line.endswith(".png")]
    with Image.open(pictures[-1]) as saved:
        return np.array(saved)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", SHIPPED, ids=by_name)
def test_the_same_picture_comes_of_every_format(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "ours.json"
    ours.write_text(write_workflow(small(path)), "utf-8")
    wanted = picture(ours, tmp_path, capsys)
    assert wanted.std() > 0
    for form, mark in twins(path).items():
        twin = tmp_path / f"{form}.json"
        assert server.main(["convert", str(ours), str(twin), "--to", form]) == 0
        assert mark in twin.read_text("utf-8")
        assert np.array_equal(picture(twin, tmp_path, capsys), wanted)
