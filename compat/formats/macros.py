"""What ComfyUI's front end fills into the names of files when a workflow is run."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from graph.document import Workflow

_MACRO: Final = re.compile(r"%([^%]+)%")
_DATE_PART: Final = re.compile(r"yyyy|yy|MM?|dd?|hh?|mm?|ss?")
_UNFIT_FOR_FILES: Final = re.compile(r'[/\\?%*:|"<>\x00-\x1f\x7f]')


def fill_prefixes(workflow: Workflow, now: datetime) -> Workflow:
    """The workflow with `%date:yyyy-MM-dd%` and `%Node title.input%` filled in wherever files are named."""
    nodes = dict(workflow.nodes)
    for id, node in workflow.nodes.items():
        prefix = node.inputs.get("filename_prefix")
        if isinstance(prefix, str) and "%" in prefix:
            filled = _MACRO.sub(lambda found: _macro(found, workflow, now), prefix)
            nodes[id] = replace(node, inputs={**node.inputs, "filename_prefix": filled})
    return replace(workflow, nodes=nodes)


def _macro(found: re.Match[str], workflow: Workflow, now: datetime) -> str:
    name = found[1]
    if name.startswith("date:"):
        return _DATE_PART.sub(lambda part: _date_part(part[0], now), name.removeprefix("date:"))
    title, _, input = name.rpartition(".")
    for node in workflow.nodes.values():
        value = node.inputs.get(input)
        if title and title in (node.title, node.type) and isinstance(value, str | int | float):
            return _UNFIT_FOR_FILES.sub("_", str(value))
    return found[0]


def _date_part(part: str, now: datetime) -> str:
    if part[0] == "y":
        return f"{now.year:04}"[-len(part) :]
    value = {"M": now.month, "d": now.day, "h": now.hour, "m": now.minute, "s": now.second}[part[0]]
    return f"{value:0{len(part)}}"
