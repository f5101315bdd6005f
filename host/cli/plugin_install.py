"""`darkroom plugin install` and what goes with it: update, rollback, remove, enable, disable."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from host.cli.codes import INVALID
from host.cli.console import refuse, say
from host.folders import PLUGINS, installation

Result = TypeVar("Result")
Name = Annotated[str, typer.Argument(metavar="NAME", help="A plugin's name, as `plugin list` tells it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


def add_commands(app: typer.Typer) -> None:
    """Add the commands that change which plugins there are."""
    for command in (install, update, rollback, remove, enable, disable):
        app.command()(command)


def install(
    source: Annotated[
        str,
        typer.Argument(
            metavar="PATH-or-git-URL",
            help="A folder, a file of Python, or a git URL; URL#BRANCH-or-COMMIT takes that one.",
        ),
    ],
    dry_run: DryRun = False,
) -> None:
    """Copy a plugin into custom_nodes and install what it requires, if that goes with Darkroom's pins."""
    from host.plugins.installing import install_plugin

    _tell(lambda: install_plugin(_root(), source, dry_run), dry_run)


def update(name: Name, dry_run: DryRun = False) -> None:
    """Bring a plugin again from where it came; the version before is kept."""
    from host.plugins.installing import update_plugin

    _tell(lambda: update_plugin(_root(), name, dry_run), dry_run)


def rollback(name: Name) -> None:
    """Bring back the version before the installed one."""
    from host.plugins.installing import roll_back

    entry = _asked(lambda: roll_back(_root(), name))
    say(f"{name} is at {entry.version or entry.commit[:12] or entry.content[:12]} again.", "green")


def remove(name: Name) -> None:
    """Take a plugin away. What it required stays installed."""
    from host.plugins.installing import remove_plugin

    say(f"{_asked(lambda: remove_plugin(_root(), name))} is removed.", "green")


def enable(name: Name) -> None:
    """Load a plugin again that was disabled."""
    from host.plugins.installing import set_enabled

    _asked(lambda: set_enabled(_root(), name, True))
    say(f"{name} is loaded from now on.", "green")


def disable(name: Name) -> None:
    """Load a plugin no more; its files stay."""
    from host.plugins.installing import set_enabled

    _asked(lambda: set_enabled(_root(), name, False))
    say(f"{name} is not loaded from now on.", "green")


def _root() -> Path:
    return installation() / PLUGINS


def _asked(ask: Callable[[], Result]) -> Result:
    from host.plugins.installing import InstallError

    try:
        return ask()
    except InstallError as error:
        refuse(str(error), INVALID)


def _tell(ask: Callable[[], object], dry_run: bool) -> None:
    from host.plugins.installing import Done

    done = _asked(ask)
    assert isinstance(done, Done)
    version = done.entry.version or done.entry.commit[:12] or done.entry.content[:12]
    print(f"{'would install' if dry_run else 'installed'} {done.name} {version}")
    for package in done.plan.new:
        print(f"{'would add' if dry_run else 'added'} {package}")
