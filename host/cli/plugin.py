"""`darkroom plugin`: the plugins there are, and what a pack would bring before it is installed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from host.cli.codes import DONE
from host.cli.console import refuse, results, say
from host.cli.plugin_install import add_commands
from host.folders import PLUGINS, folders_of, installation
from host.plugins.loading import load_all
from host.plugins.packs import Loaded, Pack

_COLOURS = {"loaded": "green", "failed": "red", "crashed": "red", "disabled": "dim", "waiting": "dim"}


def plugin_app() -> typer.Typer:
    """The commands of `darkroom plugin`."""
    app = typer.Typer(name="plugin", help="Look after plugins.", no_args_is_help=True)
    app.command("list")(list_plugins)
    app.command("new")(new)
    app.command("check")(check)
    app.command("scan")(scan)
    add_commands(app)
    return app


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and underscores.")],
) -> None:
    """Write a new plugin that works: a node with a slider and a preview, its test, plugin.toml."""
    from host.plugins.template import NAME, write_plugin

    root = installation() / PLUGINS
    if not NAME.fullmatch(name):
        refuse(
            f"{name} cannot be a plugin's name: use small letters, digits and underscores, such as my_nodes."
        )
    try:
        folder = write_plugin(root, name)
    except FileExistsError:
        refuse(f"{root / name} is there already. Choose another name.")
    print(folder)
    say(f"Next: change nodes.py in it, then ./darkroom plugin check {folder}", "dim")


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A plugin's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Load a plugin in a process of its own, try its nodes, run its tests, and say what to mend."""
    from host.cli.plugin_check import check_folder

    raise typer.Exit(check_folder(path, as_json))


def list_plugins(context: typer.Context) -> None:
    """Load every plugin and say what it brought, or why it did not load."""
    home = installation()
    loaded = load_all(context.obj, context.obj.node_types(), folders_of(home), home / "cache")
    if not loaded.packs:
        results().print(Text(f"There are no plugins in {home / PLUGINS}."))
    _print(loaded)
    raise typer.Exit(DONE)


def scan(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A pack's folder, or one file of Python.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say which nodes of a pack would work here, before it is installed. Its code is read, not run."""
    from host.cli.plugin_scan import scan_path

    raise typer.Exit(scan_path(context.obj, path, as_json))


def _print(loaded: Loaded) -> None:
    if not loaded.packs:
        return
    table = Table("plugin", "state", "nodes", "seconds", "", box=None, pad_edge=False)
    for pack in loaded.packs:
        table.add_row(*_row(pack))
    results().print(table)
    for pack in loaded.packs:
        for note in pack.notes:
            results().print(Text(f"{pack.name}: {note}", "dim"), soft_wrap=True)
        if pack.trace:
            results().print(Text(f"\n{pack.name}: {pack.message}", "bold"), soft_wrap=True)
            results().print(Text(pack.trace.rstrip(), "dim"), soft_wrap=True)


def _row(pack: Pack) -> tuple[Text, Text, str, str, Text]:
    state = Text(pack.state, _COLOURS[pack.state])
    name, message = Text(pack.name, "bold"), Text(pack.message)
    return name, state, str(len(pack.nodes)), f"{pack.seconds:.1f}", message
