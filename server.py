"""Puts the parts together and runs the command line. Holds no state, for plugins import it a second time."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from host.cli.app import main as run_command_line
from host.services import Services

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp.web import Application

    from graph.formats import Format
    from graph.registry import Registry
    from graph.spec import NodeSpec
    from host.plugins.packs import Guard, Loaded, Site
    from host.plugins.scans import Scan


def _formats() -> "Sequence[Format]":
    from compat.formats.known import FORMATS, READ_ONLY

    return (*FORMATS, *READ_ONLY)


def _node_types() -> "Registry":
    from host.plugins.built_in import node_types

    return node_types()


def _add_comfyui(app: "Application") -> None:
    from compat.server.routes import add_comfyui

    add_comfyui(app)


def _load_plugins(site: "Site", crashed: frozenset[str], guard: "Guard") -> "Loaded":
    from compat.plugins.loading import load_plugins

    return load_plugins(site, crashed, guard)


def _described_types(descriptions: "Sequence[Mapping[str, Any]]") -> "list[NodeSpec]":
    from compat.plugins.described import specs_of

    return specs_of(descriptions)


def _scan(pack: "Path") -> "Scan":
    from compat.plugins.scanning import scan_pack

    return scan_pack(pack)


SERVICES = Services(_formats, _node_types, _add_comfyui, _load_plugins, _described_types, _scan)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command; without arguments, those that the program was started with."""
    return run_command_line(arguments, SERVICES)


if __name__ == "__main__":
    sys.exit(main())
