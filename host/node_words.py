"""What is told of a node type's inputs and outputs, in words: for the terminal and for the pages of docs/."""

from collections.abc import Iterable, Iterator
from typing import Any

from graph.registry import Registry
from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Output, Text
from graph.suggestions import listed
from host.examples import example, example_text
from nodes.shapes import shape_of


def first_line(text: str) -> str:
    """The first line of a description: the sentence that says what a node gives."""
    return text.strip().partition("\n")[0]


def default_words(item: Input) -> str:
    """An input's default; nothing where a value has to be given."""
    if item.default is MISSING:
        return "" if item.required else "none"
    return "none" if item.default is None else repr(item.default)


def value_words(item: Input) -> str:
    """Which values an input takes: a range, choices, a kind of file; for links the form of what comes."""
    match item.widget:
        case Number(minimum, maximum, step):
            steps = f", in steps of {_short(step)}" if step not in (None, 1) else ""
            return _range(minimum, maximum) + steps
        case Choice(options):
            return listed(map(str, options), most=60)
        case FileChoice(kind):
            return f"a file in {kind}"
        case Text(multiline=True):
            return "text of several lines"
        case None:
            return shape_of(item.type.names, item.type.is_list)
        case _:
            return shape_of(item.type.names)


def output_words(item: Output) -> str:
    """What an output gives: its own words and the form of its values."""
    shape = shape_of(item.type.names, item.is_list)
    return (
        f"{item.tooltip} {shape[:1].upper()}{shape[1:]}." if item.tooltip and shape else item.tooltip or shape
    )


def _range(low: Any, high: Any) -> str:
    if low is None and high is None:
        return "any number"
    if high is None:
        return f"at least {_short(low)}"
    return f"up to {_short(high)}" if low is None else f"{_short(low)} to {_short(high)}"


def _short(number: Any) -> str:
    powers = {2**64 - 1: "2^64 - 1", 2**63 - 1: "2^63 - 1", 1 - 2**63: "1 - 2^63"}
    return powers.get(number, f"{number:g}" if isinstance(number, float) else str(number))


def page(types: Registry, title: str, specs: Iterable[NodeSpec]) -> str:
    """A page of docs/ in Markdown: every node type of one kind."""
    parts = ("\n".join(_section(types, spec)) for spec in sorted(specs, key=lambda spec: spec.id))
    note = "Made by `python tools/node_pages.py` from the node types themselves."
    return f"# Nodes: {title}\n\n{note}\n\n" + "\n".join(parts)


def _section(types: Registry, spec: NodeSpec) -> Iterator[str]:
    yield f"## {spec.id}\n"
    yield f"{spec.description.strip()}\n"
    if spec.deprecated:
        yield f"Deprecated: {spec.deprecated}\n"
    if spec.inputs:
        yield "| input | type | default | values | what it is |\n|---|---|---|---|---|"
        for item in spec.inputs:
            name = item.name if item.required else f"{item.name} (optional)"
            told = (name, str(item.type), default_words(item), value_words(item), item.hint.tooltip)
            yield _row(told)
        yield ""
    if spec.outputs:
        yield "| output | type | what it is |\n|---|---|---|"
        yield from (_row((item.name, str(item.type), output_words(item))) for item in spec.outputs)
        yield ""
    yield f"```json\n{example_text(example(types, spec))}\n```\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def index(pages: Iterable[tuple[str, str, list[NodeSpec]]]) -> str:
    """The page that lists all node types, with a link to each: (title, file, types) a page."""
    rows = ["# Nodes", "", "What each node gives. `./darkroom nodes NAME` tells the same in a terminal.", ""]
    for title, file, specs in pages:
        rows += [f"## {title}", ""]
        rows += [_line(spec, file) for spec in sorted(specs, key=lambda spec: spec.id)]
        rows.append("")
    return "\n".join(rows)


def _line(spec: NodeSpec, file: str) -> str:
    anchor = spec.id.lower().replace(" ", "-")
    return f"- [{spec.id}]({file}#{anchor}): {first_line(spec.description)}"
