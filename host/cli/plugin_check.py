"""`darkroom plugin check`: what was found, in a table or as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from host.cli.codes import DONE, INVALID
from host.cli.console import refuse, results, say
from host.plugins.check.checking import check_plugin
from host.plugins.check.findings import Finding

_COLOURS: Final = {"good": "green", "warning": "yellow", "error": "red", "skipped": "dim"}


def check_folder(path: Path, as_json: bool) -> int:
    """Check a plugin and say what was found; the exit code."""
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        refuse(f"There is no folder {path}. Name the folder of a plugin.")
    say(f"Trying the nodes of {folder.name} and running its tests: this takes some seconds.", "dim")
    found = check_plugin(folder)
    passed = not any(item.state == "error" for item in found)
    if as_json:
        told = {"plugin": folder.name, "passed": passed, "findings": [item.to_json() for item in found]}
        print(json.dumps(told, indent=2))
    else:
        _print(found, passed, folder.name)
    return DONE if passed else INVALID


def _print(found: Sequence[Finding], passed: bool, name: str) -> None:
    table = Table("check", "node", "", "", box=None, pad_edge=False)
    for item in found:
        table.add_row(
            item.check, Text(item.node, "bold"), Text(item.state, _COLOURS[item.state]), Text(item.message)
        )
    results().print(table)
    for item in found:
        if item.fix and item.state in ("warning", "error"):
            results().print(
                Text.assemble((f"{item.check} {item.node}".strip(), "bold"), f": {item.fix}"), soft_wrap=True
            )
    say(f"{name} passes." if passed else f"{name} does not pass yet.", "green" if passed else "red")
