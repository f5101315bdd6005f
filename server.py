"""Puts the parts together and runs the command line. Holds no state, for plugins import it a second time."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from host.cli.app import main as run_command_line
from host.services import Services

if TYPE_CHECKING:
    from aiohttp.web import Application

    from graph.formats import Format
    from graph.registry import Registry


def _formats() -> "Sequence[Format]":
    from compat.formats.known import FORMATS

    return FORMATS


def _node_types() -> "Registry":
    from nodes import registry

    return registry()


def _add_comfyui(app: "Application") -> None:
    from compat.server.routes import add_comfyui

    add_comfyui(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command; without arguments, those that the program was started with."""
    return run_command_line(arguments, Services(_formats, _node_types, _add_comfyui))


if __name__ == "__main__":
    sys.exit(main())
