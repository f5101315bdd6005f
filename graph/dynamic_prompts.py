"""Dynamic prompts: texts with choices `{a|b}` and comments, settled by a seed before a workflow runs."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from graph.document import Node, Workflow
from graph.formats import NodeTypes
from graph.spec import NodeSpec, Text
from graph.sweep_marks import COPY_OF

CHOSEN: Final[Mapping[str, Any]] = {"prompts": "chosen"}
"""In a workflow's `extra`: the texts are meant as they stand."""

Pick = Callable[[Sequence[str], random.Random], str]

_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([{}|])")


def has_dynamic_parts(text: str) -> bool:
    """Whether a text holds choices or comments."""
    return "{" in text or "//" in text or "/*" in text


def choose_prompts(workflow: Workflow, types: NodeTypes, seed: int) -> Workflow:
    """The workflow with every dynamic prompt settled: `{a|b}` chosen by `seed`, comments gone.

    Only texts of inputs that say so (`Text(dynamic_prompts=True)`) are touched, and only once. All copies of
    a node that a sweep made choose alike.
    """
    if workflow.extra.get("prompts") == CHOSEN["prompts"]:
        return workflow
    nodes = {
        id: _chosen_node(node.extra.get(COPY_OF, id), node, types.get(node.type), seed)
        for id, node in workflow.nodes.items()
    }
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


def one_of(options: Sequence[str], dice: random.Random) -> str:
    """Any of some options, all as likely."""
    return dice.choice(options)


def choose(text: str, dice: random.Random, pick: Pick = one_of) -> str:
    r"""One reading of a dynamic prompt: comments gone, `{a|{b|c}}` chosen, `\{`, `\|` and `\}` plain.

    pick: chooses among the options of one pair of braces; what stood in braces inside them is settled.
    """
    groups: list[list[list[str]]] = [[[]]]
    for part in re.findall(r"\\[{}|]|[{}|]|[^\\{}|]+|\\", _COMMENT.sub("", text)):
        if part == "{":
            groups.append([[]])
        elif part == "|" and len(groups) > 1:
            groups[-1].append([])
        elif part == "}" and len(groups) > 1:
            _close(groups, dice, pick)
        else:
            groups[-1][-1].append(part)
    while len(groups) > 1:
        _close(groups, dice, pick)
    return _ESCAPED.sub(r"\1", "".join(groups[0][0]))


def _close(groups: list[list[list[str]]], dice: random.Random, pick: Pick) -> None:
    options = ["".join(option) for option in groups.pop()]
    groups[-1][-1].append(pick(options, dice))
