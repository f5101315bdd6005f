"""Node types for servers under test: they wait, fail, die and hang on request, and need no torch."""

import os
import signal
import time
from pathlib import Path
from typing import Annotated, Literal

from graph.context import Context
from graph.node import node as node_type
from graph.node import spec_of
from graph.outcome import Outcome
from graph.registry import Registry
from graph.spec import Number, Outputs

Seconds = Annotated[float, Number(0.0, 1000.0)]


@node_type("Count")
def count(file: str, value: int = 0) -> int:
    """A number, made anew; each time a line is added to a file."""
    with Path(file).open("a") as opened:
        opened.write("x\n")
    return value


@node_type("Steps")
def steps(value: int, context: Context, seconds: Seconds = 0.01, count: int = 5) -> int:
    """A number after some steps that can be cancelled, one more a step."""
    for step in range(count):
        time.sleep(seconds)
        context.progress(step + 1, count)
    return value + count


@node_type("Load")
def load(seconds: Seconds, value: int = 0) -> int:
    """A number after a time in which nothing is heard of the node."""
    time.sleep(seconds)
    return value


@node_type("Die")
def die(value: int, file: str, times: int = 1, how: Literal["KILL", "SEGV", "STOP"] = "KILL") -> int:
    """A number; the first so many times, the process is killed or stopped instead."""
    path = Path(file)
    died = len(path.read_text()) if path.exists() else 0
    if died < times:
        path.write_text("x" * (died + 1))
        os.kill(os.getpid(), getattr(signal, f"SIG{how}"))
        time.sleep(30)
    return value


@node_type("Fail")
def fail(value: int) -> int:
    """Never anything."""
    raise ValueError(f"{value} is not wanted.")


@node_type("Show", output=True)
def show(value: int, tag: str = "") -> Annotated[Outcome, Outputs()]:
    """The number as a text."""
    return Outcome(ui={"text": [f"{tag}{value}"]})


@node_type("ShowFile", output=True)
def show_file(name: str) -> Annotated[Outcome, Outputs()]:
    """A file of the output folder, whether it is there or not."""
    return Outcome(ui={"images": [{"filename": name, "subfolder": "", "type": "output"}]})


def toy_types() -> Registry:
    """These node types."""
    specs = (spec_of(function) for function in (count, steps, load, die, fail, show, show_file))
    return Registry(spec for spec in specs if spec is not None)
