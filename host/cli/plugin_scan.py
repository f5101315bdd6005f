"""`darkroom plugin scan`: which nodes of a pack will work here, read from its text."""

import json
from pathlib import Path

from rich.table import Table
from rich.text import Text

from host.cli.codes import DONE, INVALID
from host.cli.console import refuse, results, say
from host.plugins.scans import Scan
from host.services import Services


def scan_path(services: Services, path: Path, as_json: bool) -> int:
    """Say which nodes of a pack would work; the exit code."""
    if not path.exists():
        refuse(f"There is no {path}.")
    found = services.scan(path.resolve())
    works = sum(node.works for node in found.nodes)
    if as_json:
        nodes = [node.to_json() for node in found.nodes]
        print(
            json.dumps({"nodes": nodes, "works": works, "why": found.why, "unread": found.unread}, indent=2)
        )
    else:
        _print(found, works)
    return DONE if works == len(found.nodes) and not found.why else INVALID


def _print(found: Scan, works: int) -> None:
    table = Table("node", "", "why not", box=None, pad_edge=False)
    for node in found.nodes:
        state = Text("works", "green") if node.works else Text("does not work", "red")
        table.add_row(Text(node.node, "bold"), state, Text("; ".join(node.why)))
    if found.nodes:
        results().print(table)
    for why in found.why:
        say(f"The pack does not load: {why}.", "red")
    for file in found.unread:
        say(f"{file} is no Python that can be read; it was left out.", "yellow")
    say(f"{works} of {len(found.nodes)} nodes will work here, as far as their text tells.")
