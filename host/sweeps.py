"""Sweeps on this machine: tables read from files, and what a sweep that was killed had already made."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from graph.context import Files
from graph.document import Node, Workflow
from graph.document_json import write_workflow
from graph.dynamic_prompts import choose_prompts
from graph.events import Event, NodeFinished
from graph.flat import flat
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.sweep import expand_sweep
from graph.sweep_axes import ReadTable, Table, axes_of
from graph.sweep_marks import POINT
from host.seeds import first_seed

LARGEST_TABLE: Final = 50_000_000
"""Bytes of a table; more is refused."""

Ui = Mapping[str, list[Any]]


def table_reader(find: Callable[[str], Path | None]) -> ReadTable:
    """Reads CSV files by name: `find` says where one lies."""

    def read(name: str) -> Table:
        path = find(name)
        if path is None:
            _refuse(f"There is no table {name}.", "Put it into the input folder, or name its path.")
        return read_table(path)

    return read


def as_it_runs(workflow: Workflow, types: Registry, find: Callable[[str], Path | None]) -> Workflow:
    """A workflow with a copy of its nodes for every point of its sweep, flat, its dynamic prompts chosen.

    Raises WorkflowError when its sweep is wrong. find: where a table lies.
    """
    axes = axes_of(workflow, table_reader(find))
    swept = flat(expand_sweep(workflow, types, axes).workflow, types)
    return choose_prompts(swept, types, first_seed(workflow, types))


def read_table(path: Path) -> Table:
    """The rows of a CSV file whose first line names its columns. Raises WorkflowError with a sentence."""
    try:
        if path.stat().st_size > LARGEST_TABLE:
            _refuse(f"{path.name} is larger than {LARGEST_TABLE // 1_000_000} MB.", "Split it.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        _refuse(f"{path.name} cannot be read as a table: {error}.", "Save it as CSV with UTF-8 text.")
    ragged = [number for number, row in enumerate(rows, 2) if None in row or None in row.values()]
    if ragged:
        _refuse(
            f"{path.name}, line {ragged[0]}: it has not as many values as the first line has names.",
            "Put texts with commas in quotes.",
        )
    return rows


def _refuse(message: str, fix: str) -> NoReturn:
    raise WorkflowError([Problem("bad_table", message, fix=fix)])


@dataclass
class Finished:
    """What the output nodes of a sweep have made so far, kept in a file until the sweep is done.

    A run writes a line for each copy that is done; the next one leaves out those whose files are there still.
    """

    path: Path
    made: dict[str, Ui] = field(default_factory=dict[str, Ui])

    def note(self, event: Event) -> None:
        """Keep what an output node has made; a disk that is full costs this record, not the run."""
        if isinstance(event, NodeFinished) and event.ui and event.verdict in ("ran", "cached"):
            self.made[event.node] = event.ui
            with suppress(OSError):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"node": event.node, "ui": event.ui}) + "\n")

    def forget(self) -> None:
        """The sweep is done: its next run starts anew."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def finished_before(folder: Path, workflow: Workflow, output: Path, files: Files) -> Finished:
    """What an earlier run of this sweep into this output folder has made and is still there."""
    text = f"{write_workflow(replace(workflow, lock={}, layout={}))}\0{output}"
    path = folder / f"{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}.jsonl"
    return Finished(path, {node: ui for node, ui in _lines(path) if _is_there(ui, files)})


def _lines(path: Path) -> Iterator[tuple[str, Ui]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            found = cast(dict[str, Any], json.loads(line))
            yield str(found["node"]), found["ui"]


def _is_there(ui: Ui, files: Files) -> bool:
    try:
        pictures = cast(Sequence[Mapping[str, str]], ui.get("images", []))
        return bool(pictures) and all(
            (files.folder(item["type"]) / item["subfolder"] / item["filename"]).is_file() for item in pictures
        )
    except (KeyError, TypeError, AttributeError):
        return False


def without(workflow: Workflow, types: Registry, made: Mapping[str, Any]) -> Workflow:
    """The swept workflow without the copies of output nodes that are done."""

    def is_done(id: str, node: Node) -> bool:
        spec = types.get(node.type)
        return id in made and POINT in node.extra and spec is not None and spec.output

    return replace(workflow, nodes={id: node for id, node in workflow.nodes.items() if not is_done(id, node)})
