"""What ComfyUI's front end does to texts when a workflow is run: dynamic prompts and file name macros."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from graph.document import Node, Workflow
from graph.formats import NodeTypes
from graph.spec import NodeSpec, Text

CHOSEN: Final[Mapping[str, Any]] = {"prompts": "chosen"}
"""In a workflow's `extra`: the texts are meant as they stand."""

_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([{}|])")
_MACRO: Final = re.compile(r"%([^%]+)%")
_DATE_PART: Final = re.compile(r"yyyy|yy|MM?|dd?|hh?|mm?|ss?")
_UNFIT_FOR_FILES: Final = re.compile(r'[/\\?%*:|"<>\x00-\x1f\x7f]')


def has_dynamic_parts(text: str) -> bool:
    """Whether a text holds choices or comments."""
    return "{" in text or "//" in text or "/*" in text


def choose_prompts(workflow: Workflow, types: NodeTypes, seed: int) -> Workflow:
    """The workflow with every dynamic prompt settled: `{a|b}` chosen by `seed`, comments gone.

    Only texts of inputs that say so (`Text(dynamic_prompts=True)`) are touched, and only once.
    """
    if workflow.extra.get("prompts") == CHOSEN["prompts"]:
        return workflow
    nodes = {id: _chosen_node(id, node, types.get(node.type), seed) for id, node in workflow.nodes.items()}
    if all(nodes[id] is node for id, node in workflow.nodes.items()):
        return workflow
    return replace(workflow, nodes=nodes, extra={**workflow.extra, **CHOSEN})


def _chosen_node(id: str, node: Node, spec: NodeSpec | None, seed: int) -> Node:
    changed = dict[str, str]()
    for input in spec.inputs if spec else ():
        text = node.inputs.get(input.name)
        dynamic = isinstance(input.widget, Text) and input.widget.dynamic_prompts
        if dynamic and isinstance(text, str) and has_dynamic_parts(text):
            changed[input.name] = choose(text, random.Random(f"{seed}:{id}:{input.name}"))
    return replace(node, inputs={**node.inputs, **changed}) if changed else node


def choose(text: str, dice: random.Random) -> str:
    r"""One reading of a dynamic prompt: comments gone, `{a|{b|c}}` chosen, `\{`, `\|` and `\}` plain."""
    groups: list[list[list[str]]] = [[[]]]
    for part in re.findall(r"\\[{}|]|[{}|]|[^\\{}|]+|\\", _COMMENT.sub("", text)):
        if part == "{":
            groups.append([[]])
        elif part == "|" and len(groups) > 1:
            groups[-1].append([])
        elif part == "}" and len(groups) > 1:
            _close(groups, dice)
        else:
            groups[-1][-1].append(part)
    while len(groups) > 1:
        _close(groups, dice)
    return _ESCAPED.sub(r"\1", "".join(groups[0][0]))


def _close(groups: list[list[list[str]]], dice: random.Random) -> None:
    options = groups.pop()
    groups[-1][-1].append("".join(dice.choice(options)))


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
