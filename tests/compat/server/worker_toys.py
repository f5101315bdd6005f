"""Node types of a worker under test: pictures while they run, nodes that make nodes, lists, failures."""

import time
from pathlib import Path
from typing import Annotated

from graph.context import Context
from graph.document import Link, Node
from graph.node import node as node_type
from graph.node import spec_of
from graph.outcome import Blocker, Outcome
from graph.registry import Registry
from graph.spec import Number, Outputs
from tests.host.toys import toy_types

Seconds = Annotated[float, Number(0.0, 60.0)]


class NotToday(Exception):
    """An exception of a module of its own."""


@node_type("Number")
def number(value: int = 0) -> int:
    """A number."""
    return value


@node_type("Draw")
def draw(
    value: int, context: Context, count: int = 2, seconds: Annotated[float, Number(0.0, 60.0)] = 0.0
) -> int:
    """The number, after steps that show a picture each."""
    from PIL import Image

    for step in range(count):
        time.sleep(seconds)
        context.progress(step + 1, count, Image.new("RGB", (64, 32), (step, 0, 0)))
    return value


@node_type("Expand")
def expand(value: int) -> Annotated[Outcome, Outputs("INT")]:
    """The number, by way of nodes made while running: one that fails if it is 13."""
    kind = "Raise" if value == 13 else "Number"
    made = {"inner": Node(kind, {"value": value}), "last": Node("Number", {"value": Link("inner", "INT")})}
    return Outcome((Link("last", "INT"),), expand=made)


@node_type("Raise")
def raises(value: int) -> int:
    """Never anything."""
    raise NotToday(f"not {value}")


@node_type("Block")
def block(value: int, reason: str = "") -> Annotated[Outcome, Outputs("INT")]:
    """A blocker in place of the number."""
    return Outcome((Blocker(reason),))


@node_type("Say", output=True)
def say(value: int, context: Context) -> Annotated[Outcome, Outputs()]:
    """The number, said and shown."""
    context.log(f"it is {value}")
    return Outcome(ui={"text": [str(value)]})


@node_type("Picture", output=True)
def picture(colour: int, context: Context, filename_prefix: str = "x") -> Annotated[Outcome, Outputs()]:
    """A small picture of one colour, saved with the job's texts."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    for key, value in context.job.metadata.items():
        texts.add_text(key, value)
    folder, _, prefix = filename_prefix.rpartition("/")
    place = context.job.files.folder("output") / folder
    place.mkdir(parents=True, exist_ok=True)
    name = f"{prefix}_{len(list(place.iterdir())):05}_.png"
    Image.new("RGB", (8, 8), (colour >> 16, colour >> 8 & 255, colour & 255)).save(
        place / name, pnginfo=texts
    )
    return Outcome(ui={"images": [{"filename": name, "subfolder": folder, "type": "output"}]})


@node_type("Numbers")
def numbers(count: int) -> list[int]:
    """The numbers below one."""
    return list(range(count))


@node_type("Touch", output=True)
def touch(value: int, file: str) -> Annotated[Outcome, Outputs()]:
    """Writes that it ran."""
    Path(file).write_text(str(value))
    return Outcome()


def worker_types() -> Registry:
    """These and those of other servers under test."""
    made = (number, draw, expand, raises, block, say, picture, numbers, touch)
    return toy_types().with_specs(spec for function in made if (spec := spec_of(function)) is not None)
