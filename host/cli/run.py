"""`darkroom run`: a workflow run in this process, from reading it to the paths of its pictures."""

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import psutil
import typer

from graph.disk_store import DiskStore
from graph.document import Workflow
from graph.editing import set_input
from graph.events import Emit
from graph.executor import execute
from graph.memory_store import MemoryStore
from graph.plan import plan
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.sweep_axes import axes_of, document_axis, read_axis
from graph.validation import validate
from host.cli.codes import CANCELLED, DONE, FAILED, INVALID
from host.cli.console import messages, print_problems, refuse, say
from host.cli.folders import model_folders
from host.cli.interrupt import cancelling, in_thread
from host.cli.views import Bars, Lines, Record, Title, both, explain, failures, json_lines
from host.folders import Folders, installation
from host.headless import HeadlessJob, with_output
from host.lock import HASHES, Hashes
from host.model_map import map_models
from host.plugins.hidden import WrittenWorkflow
from host.plugins.listening import heard_too, say_goodbye
from host.plugins.loading import all_types, complaints
from host.seeds import next_seeds, set_seeds
from host.services import Services
from host.sources import read_source
from host.stand_ins import stand_ins
from host.sweeps import as_it_runs, finished_before, table_reader, without
from nodes.codecs import TensorCodec, measure, weights_in

if TYPE_CHECKING:
    from pluggy import PluginManager

RANDOM: Final = "random"
NEAREST: Final = "auto"
"""As a --model-map: the nearest file there is for each that is missing."""
MEMORY_SHARE: Final = 0.5
"""The share of this machine's memory that results may take."""
STATES: Final = {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked for on the command line."""

    source: str
    sets: Sequence[str] = ()
    prompt: str | None = None
    seed: str | None = None
    out: Path | None = None
    as_json: bool = False
    explain: bool = False
    repeat: int = 1
    precision: str = "auto"
    cache: bool = True
    cache_dir: Path | None = None
    model_map: Sequence[str] = ()
    quiet: bool = False
    sweeps: Sequence[str] = ()
    extra_paths: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """What every run of one command shares."""

    services: Services
    types: Registry
    files: Folders
    options: RunOptions
    memory: MemoryStore
    disk: DiskStore | None
    hashes: Hashes
    cancel: threading.Event
    sweeps: Path
    """The folder that remembers what sweeps that were killed had made."""
    hooks: "PluginManager | None"


def run_file(services: Services, options: RunOptions) -> int:
    """Run a workflow as often as was asked; gives the exit code."""
    _set_up_computing(options.precision)
    bench = _bench(services, options)
    workflow = _prepared(bench)
    code = DONE
    with cancelling(bench.cancel):
        for number in range(options.repeat):
            if number:
                random = options.seed == RANDOM
                workflow = (
                    set_seeds(workflow, bench.types, None) if random else next_seeds(workflow, bench.types)
                )
            code = _run_once(bench, workflow)
            if code != DONE:
                break
    say_goodbye(bench.hooks)
    return code


def _set_up_computing(precision: str) -> None:
    """What torch and the loaders read from the environment, set before they are imported."""
    # Threads that wait for each other spin by default: on a busy machine that costs six times the work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if precision != "auto":
        os.environ["DARKROOM_PRECISION"] = precision


def _bench(services: Services, options: RunOptions) -> Bench:
    home = installation()
    cache = options.cache_dir.expanduser().resolve() if options.cache_dir else home / "cache"
    files = with_output(model_folders(options.extra_paths), options.out)
    try:
        files.folder("output")
    except OSError as error:
        place = options.out or home / "output"
        refuse(f"Pictures cannot be saved in {place}: {error.strerror or error}. Name a folder with --out.")
    types, loaded = all_types(services, files, home / "cache")
    for sentence in complaints(loaded):
        say(sentence, "yellow")
    return Bench(
        services,
        types,
        files,
        options,
        MemoryStore(int(psutil.virtual_memory().total * MEMORY_SHARE), measure, weights_in),
        DiskStore(cache / "results", [TensorCodec()]) if options.cache else None,
        Hashes(cache / HASHES),
        threading.Event(),
        cache / "sweeps",
        loaded.hooks,
    )


def _prepared(bench: Bench) -> Workflow:
    """The workflow with everything set that was asked for, checked; ends the command when it is wrong."""
    options = bench.options
    try:
        workflow = _changed(bench, read_source(options.source, bench.services, bench.types))
        problems = _problems(bench, workflow)
    except WorkflowError as error:
        _stop(error.problems, options)
    if any(problem.severity == "error" for problem in problems):
        _stop(problems, options)
    if not options.quiet and not options.as_json:
        print_problems(problems)
    return workflow


def _problems(bench: Bench, workflow: Workflow) -> list[Problem]:
    """What is wrong with a workflow as written; where nothing is, with the points of its sweep."""
    plain = validate(workflow, bench.types, bench.files)
    if "sweep" not in workflow.extra or any(problem.severity == "error" for problem in plain):
        return plain
    return validate(as_it_runs(workflow, bench.types, _own_file), bench.types, bench.files)


def _stop(problems: Sequence[Problem], options: RunOptions) -> NoReturn:
    if options.as_json:
        for problem in problems:
            sys.stdout.write(json.dumps({"event": "problem", **asdict(problem)}, default=str) + "\n")
    else:
        print_problems(problems)
    raise typer.Exit(INVALID)


def _changed(bench: Bench, workflow: Workflow) -> Workflow:
    options = bench.options
    named = [item for item in options.model_map if item != NEAREST]
    workflow = map_models(workflow, bench.types, dict(map(_pair, named)))
    if len(named) < len(options.model_map):
        workflow = _with_stand_ins(bench, workflow)
    for address, value in map(_pair, options.sets):
        workflow = set_input(workflow, bench.types, address, value)
    if options.prompt is not None:
        workflow = set_input(workflow, bench.types, "prompt", options.prompt)
    if options.seed is not None:
        workflow = set_seeds(workflow, bench.types, _seed(options.seed))
    return _with_sweeps(bench, workflow)


def _with_sweeps(bench: Bench, workflow: Workflow) -> Workflow:
    """The workflow with all that is swept in its document, tables read, so that its pictures carry it."""
    read = table_reader(lambda name: bench.files.find("input", name) or _own_file(name))
    axes = axes_of(workflow, read) + [read_axis(text, read) for text in bench.options.sweeps]
    if not axes:
        return workflow
    return replace(workflow, extra={**workflow.extra, "sweep": list(map(document_axis, axes))})


def _own_file(name: str) -> Path | None:
    path = Path(name).expanduser()
    return path if path.is_file() else None


def _with_stand_ins(bench: Bench, workflow: Workflow) -> Workflow:
    workflow, put = stand_ins(workflow, bench.types, bench.files)
    for item in put if not bench.options.as_json else ():
        say(f"{item.missing} is not here; {item.used} stands in for it (node {item.node}).", "yellow")
    return workflow


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        problem = Problem("bad_argument", f"{text} sets nothing.", fix="Write NAME=VALUE.")
        raise WorkflowError([problem])
    return name.strip(), value


def _seed(text: str) -> int | None:
    if text == RANDOM:
        return None
    if text.isascii() and text.isdigit() and int(text) < 2**64:
        return int(text)
    problem = Problem(
        "bad_argument",
        f"{text or 'An empty text'} is no seed.",
        fix=f"Give a number below 2^64, or {RANDOM}.",
    )
    raise WorkflowError([problem])


def _run_once(bench: Bench, workflow: Workflow) -> int:
    record = Record()
    settled = as_it_runs(workflow, bench.types, _own_file)
    finished = finished_before(bench.sweeps, settled, bench.files.folder("output"), bench.files)
    for ui in finished.made.values():
        _tell_paths(bench, "", ui)
    left = without(settled, bench.types, finished.made)
    emit = both(record, _view(bench, settled))
    job = HeadlessJob(
        workflow,
        settled,
        bench.services,
        bench.types,
        bench.files,
        bench.hashes,
        bench.options.precision,
    )
    result = in_thread(
        lambda: execute(
            plan(left, bench.types),
            bench.types,
            job=job,
            emit=heard_too(both(finished.note, emit) if "sweep" in workflow.extra else emit, bench.hooks),
            cancel=bench.cancel,
            memory=bench.memory,
            disk=bench.disk,
            hidden=WrittenWorkflow(settled, bench.services, bench.types),
        )
    )
    if result.state == "done":
        finished.forget()
    _conclude(bench, settled, record)
    return STATES[result.state]


def _view(bench: Bench, workflow: Workflow) -> Emit:
    options = bench.options
    if options.as_json:
        return json_lines
    if options.quiet:
        return failures
    title = _titles(bench.types, workflow)
    return Bars(title) if messages().is_terminal else Lines(title)


def _titles(types: Registry, workflow: Workflow) -> Title:
    """What a node is called for a person: its title, or its type's; the id of one made while running."""

    def title(node: str) -> str:
        found = workflow.nodes.get(node)
        if found is None:
            return node
        spec = types.get(found.type)
        return found.title or (spec.title if spec else found.type)

    return title


def _conclude(bench: Bench, workflow: Workflow, record: Record) -> None:
    """Tell what the run made: paths and texts on standard output."""
    options = bench.options
    for node, ui in record.shown():
        _tell_paths(bench, node, ui)
        if not options.as_json:
            for text in ui.get("text", []):
                print(text)
    if options.explain and not options.as_json:
        explain(record, _titles(bench.types, workflow))
    if record.state == "cancelled" and not options.as_json:
        say("Cancelled. What was finished is kept; the same command goes on from there.", "yellow")


def _tell_paths(bench: Bench, node: str, ui: Mapping[str, list[Any]]) -> None:
    for path in _paths(bench.files, ui):
        _tell(bench.options, {"event": "saved", "node": node, "path": path}, path)


def _tell(options: RunOptions, event: Mapping[str, str], text: str) -> None:
    print(json.dumps(event) if options.as_json else text, flush=True)


def _paths(files: Folders, ui: Mapping[str, list[Any]]) -> list[str]:
    """The paths of the pictures that a node shows, from where you are when they lie below."""
    found = list[str]()
    for image in ui.get("images", []):
        path = files.folder(image["type"]) / image["subfolder"] / image["filename"]
        here = Path.cwd()
        found.append(str(path.relative_to(here) if path.is_relative_to(here) else path))
    return found
