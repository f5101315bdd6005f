"""Small packs for tests, written where plugins are looked for, and runs of their nodes."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat.formats.api_reader import read_api
from compat.plugins.loading import load_plugins
from graph.events import Event
from graph.executor import execute
from graph.plan import plan
from graph.registry import Registry
from graph.results import JobResult
from graph.validation import validate
from host.folders import folders_of
from host.headless import HeadlessJob
from host.lock import Hashes
from host.plugins.hidden import WrittenWorkflow
from host.plugins.packs import Loaded, Pack, Site
from nodes import registry
from server import SERVICES

TINY = Path(__file__).parents[3] / "models" / "checkpoints"

SHOW = """
class Show:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (ANY, {})}}
    RETURN_TYPES = ()
    FUNCTION = "show"
    OUTPUT_NODE = True
    INPUT_IS_LIST = True
    def show(self, value):
        return {"ui": {"text": [repr(item) for item in value]}}
"""
ANY = """
class Any(str):
    def __ne__(self, other):
        return False
ANY = Any("*")
"""


@dataclass(frozen=True)
class Shelf:
    """A folder of plugins under test."""

    home: Path
    sent: list[tuple[str, Any, str | None]]

    def pack(self, name: str, code: str, **files: str) -> Path:
        """Write a pack; files: more of its files, "__" in a name being a dot."""
        folder = self.home / "custom_nodes" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(textwrap.dedent(code), "utf-8")
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(textwrap.dedent(text), "utf-8")
        return folder

    def load(self) -> Loaded:
        """Load all packs."""
        return load_plugins(Site(folders_of(self.home), BUILT_IN, lambda *told: self.sent.append(told)))

    def types(self) -> Registry:
        """All node types with those of the packs."""
        return BUILT_IN.with_specs(self.load().specs)


BUILT_IN = registry()


def by_name(loaded: Loaded) -> dict[str, Pack]:
    """The packs by name."""
    return {pack.name: pack for pack in loaded.packs}


def ran(
    types: Registry, prompt: Mapping[str, Any], home: Path, events: list[Event] | None = None
) -> JobResult:
    """The result of a prompt in API form; problems of checking it are raised as they are told."""
    workflow = read_api(prompt, types)
    files = folders_of(home)
    wrong = [problem for problem in validate(workflow, types, files) if problem.severity == "error"]
    assert not wrong, wrong
    job = HeadlessJob(workflow, workflow, SERVICES, types, files, Hashes(home / "hashes.json"))
    hidden = WrittenWorkflow(workflow, SERVICES, types)
    heard = events if events is not None else []
    return execute(plan(workflow, types), types, job=job, emit=heard.append, hidden=hidden)


def shown(types: Registry, prompt: Mapping[str, Any], home: Path) -> list[str]:
    """What the Show nodes of a prompt showed; the run must have succeeded."""
    result = ran(types, prompt, home)
    assert result.state == "done", [error.message for error in result.errors]
    return [text for ui in result.outputs.values() for text in ui.get("text", [])]
