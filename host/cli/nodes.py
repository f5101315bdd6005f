"""`darkroom nodes`: the node types there are, or everything about one."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graph.registry import Ambiguous
from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Widget
from graph.spec import Text as TextWidget
from graph.suggestions import did_you_mean, listed
from host.cli.console import refuse, results
from host.services import Services


def list_nodes(services: Services, name: str) -> None:
    """Print all node types, or everything about the one of this name."""
    types = services.node_types()
    console = results()
    if not name:
        console.print(_listing(types))
        return
    spec = types.resolve(name)
    if isinstance(spec, Ambiguous):
        refuse(f"{name} is in several plugins. Write one of {listed(spec.full_ids)}.")
    if spec is None:
        known = [item.id for item in types]
        refuse(
            f"There is no node type {name}. {did_you_mean(name, known) or 'darkroom nodes lists them all.'}"
        )
    _describe(console, spec)


def _listing(types: Iterable[NodeSpec]) -> Table:
    table = Table("node", "category", "what it gives", box=None, pad_edge=False)
    for spec in sorted(types, key=lambda item: (item.category, item.id)):
        table.add_row(Text(spec.id, "bold"), Text(spec.category, "dim"), Text(_first_line(spec.description)))
    return table


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _describe(console: Console, spec: NodeSpec) -> None:
    console.print(Text.assemble((spec.id, "bold"), f"  {spec.title}" if spec.title != spec.id else ""))
    console.print(Text(spec.description.strip()))
    console.print(
        Text(f"category {spec.category or 'none'}, version {spec.version}, from {spec.source}", "dim")
    )
    if spec.deprecated:
        console.print(Text(f"deprecated: {spec.deprecated}", "yellow"))
    if spec.inputs:
        console.print()
        console.print(_inputs(spec))
    console.print()
    console.print(_outputs(spec))


def _inputs(spec: NodeSpec) -> Table:
    table = Table("input", "type", "default", "values", "what it is", box=None, pad_edge=False)
    for item in spec.inputs:
        name = Text(item.name, "bold")
        if not item.required:
            name.append(" (optional)", "dim")
        table.add_row(name, str(item.type), _default(item), _values(item.widget), Text(item.hint.tooltip))
    return table


def _default(item: Input) -> str:
    if item.default is MISSING:
        return "" if item.required else "none"
    return "none" if item.default is None else repr(item.default)


def _values(widget: Widget | None) -> str:
    match widget:
        case Number():
            step = f", in steps of {_short(widget.step)}" if widget.step not in (None, 1) else ""
            return _range(widget.minimum, widget.maximum) + step
        case Choice(options):
            return listed(map(str, options), most=60)
        case FileChoice(kind):
            return f"a file in {kind}"
        case TextWidget(multiline=True):
            return "text of several lines"
        case _:
            return ""


def _range(low: Any, high: Any) -> str:
    if low is None or high is None:
        return (
            "any number"
            if low is high
            else f"at least {_short(low)}"
            if high is None
            else f"up to {_short(high)}"
        )
    return f"{_short(low)} to {_short(high)}"


def _short(number: Any) -> str:
    powers = {2**64 - 1: "2^64 - 1", 2**63 - 1: "2^63 - 1", 1 - 2**63: "1 - 2^63"}
    return powers.get(number, f"{number:g}" if isinstance(number, float) else str(number))


def _outputs(spec: NodeSpec) -> Table | Text:
    if not spec.outputs:
        return Text("no outputs: it is what a run is for" if spec.output else "no outputs")
    table = Table("output", "type", "what it is", box=None, pad_edge=False)
    for item in spec.outputs:
        table.add_row(Text(item.name, "bold"), str(item.type), Text(item.tooltip))
    return table
