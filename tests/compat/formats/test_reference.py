"""Real workflows and what the official front end makes of them. They are not ours, so they stay outside."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from compat.formats.api_reader import read_api
from compat.formats.api_writer import write_api
from compat.formats.editor_reader import read_editor
from graph.registry import Registry
from nodes import registry
from tests.compat.toys import NO_REFERENCE, REFERENCE, standard_types

EDITOR = [*REFERENCE.glob("editor-workflows/*.ui.json"), *REFERENCE.glob("editor-workflows/*.embedded.json")]
TEMPLATES = [path for path in REFERENCE.glob("templates/*.json") if not path.name.endswith(".api.json")]
PAIRS = [
    (path, path.with_name(path.name.split(".")[0] + ".api.json")) for path in sorted((*EDITOR, *TEMPLATES))
]
OURS = registry()
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=NO_REFERENCE)
pairs = pytest.mark.parametrize(("editor", "api"), PAIRS, ids=[path.stem for path, _ in PAIRS])


@cache
def standard() -> Registry:
    return standard_types()


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def plain(api: Any, titled: set[str] | None = None) -> Any:
    """An API workflow less the titles that come from node types, which the reference does not list."""
    return {
        id: {"class": entry["class_type"], "inputs": entry["inputs"], "title": entry["_meta"]["title"]}
        if id in (titled or ())
        else {"class": entry["class_type"], "inputs": entry["inputs"]}
        for id, entry in api.items()
    }


def test_the_reference_holds_both_kinds() -> None:
    assert len(EDITOR) >= 12
    assert len(TEMPLATES) >= 13


@pairs
def test_an_editor_workflow_becomes_what_the_front_end_makes_of_it(editor: Path, api: Path) -> None:
    data = load(editor)
    titled = {str(node["id"]) for node in data["nodes"] if node.get("title")}
    written = write_api(read_editor(data, standard()), standard())
    assert plain(written, titled) == plain(load(api), titled)


@pairs
def test_an_api_workflow_is_written_as_it_was_read(editor: Path, api: Path) -> None:
    data = load(api)
    assert write_api(read_api(data, standard()), standard()) == data


@pairs
def test_our_own_node_types_give_the_same(editor: Path, api: Path) -> None:
    """As `darkroom convert` writes it, with the node types that really exist."""
    assert plain(write_api(read_editor(load(editor), OURS), OURS)) == plain(load(api))
