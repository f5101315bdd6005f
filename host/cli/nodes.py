"""`darkroom nodes`: the node types there are, or everything about one."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graph.registry import Ambiguous, Registry
from graph.spec import NodeSpec
from graph.suggestions import did_you_mean, listed
from host.cli.console import refuse, results
from host.examples import example, example_text
from host.folders import folders_of, installation
from host.node_words import default_words, first_line, output_words, value_words
from host.plugins.loading import all_types
from host.services import Services


def list_nodes(services: Services, name: str) -> None:
    """Print all node types, or everything about the one of this name."""
    home = installation()
    types, _ = all_types(services, folders_of(home), home / "cache")
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
    _describe(console, spec, types)


def _listing(types: Iterable[NodeSpec]) -> Table:
    table = Table("node", "category", "what it gives", box=None, pad_edge=False)
    for spec in sorted(types, key=lambda item: (item.category, item.id)):
        table.add_row(Text(spec.id, "bold"), Text(spec.category, "dim"), Text(first_line(spec.description)))
    return table


def _describe(console: Console, spec: NodeSpec, types: Registry) -> None:
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
    console.print()
    console.print(Text("example", "bold"))
    console.print(Text(example_text(example(types, spec))), soft_wrap=True)


def _inputs(spec: NodeSpec) -> Table:
    table = Table("input", "type", "default", "values", "what it is", box=None, pad_edge=False)
    for item in spec.inputs:
        name = Text(item.name, "bold")
        if not item.required:
            name.append(" (optional)", "dim")
        table.add_row(name, str(item.type), default_words(item), value_words(item), Text(item.hint.tooltip))
    return table


def _outputs(spec: NodeSpec) -> Table | Text:
    if not spec.outputs:
        return Text("no outputs: it is what a run is for" if spec.output else "no outputs")
    table = Table("output", "type", "what it is", box=None, pad_edge=False)
    for item in spec.outputs:
        table.add_row(Text(item.name, "bold"), str(item.type), Text(output_words(item)))
    return table
