"""`darkroom convert`: a workflow from one format to another."""

import sys
from pathlib import Path

from graph.formats import format_text
from graph.problems import WorkflowError
from host.cli.console import refuse, say, stop_for
from host.services import Services
from host.sources import STANDARD_INPUT, read_source


def convert_file(services: Services, source: str, target: str, to: str) -> None:
    """Write the workflow in `source` to `target` in the format called `to`."""
    types = services.node_types()
    try:
        workflow = read_source(source, services, types)
        text = format_text(services.format_named(to), workflow, types)
    except WorkflowError as error:
        stop_for(error.problems)
    if target == STANDARD_INPUT:
        sys.stdout.write(text)
        return
    try:
        Path(target).write_text(text, "utf-8")
    except OSError as error:
        refuse(
            f"{target} cannot be written: {error.strerror or error}. Name a file in a folder that is there."
        )
    say(f"wrote {target}", "green")
