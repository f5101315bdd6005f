"""ComfyUI's API format, read: `{id: {"class_type", "inputs", "_meta"}}` with links `[id, slot]`."""

from collections.abc import Mapping
from typing import Any, Final, cast

from compat.clashes import with_full_types
from compat.formats.shape import kind, mapping
from compat.formats.slots import output_name
from graph.document import Link, Node, Workflow
from graph.dynamic_prompts import CHOSEN, has_dynamic_parts
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from graph.spec import NodeSpec

WRAPPER: Final = "__value__"
EDITOR_ONLY: Final[Mapping[str, Mapping[str, Any]]] = {"PreviewAny": {"preview": ""}}
"""Inputs that ComfyUI's front end adds and no node takes, by node type: written, and dropped on reading."""

_OWN: Final = ("class_type", "inputs", "_meta")


def recognises_api(data: Any) -> bool:
    """Whether this is an API-format workflow, alone or under `prompt` as it is posted."""
    if _is_wrapped(data) and "workflow" in data:
        return False
    return any("class_type" in mapping(entry) for entry in _nodes(data).values())


def read_api(data: Any, types: NodeTypes) -> Workflow:
    """The workflow in API-format data. Raises WorkflowError with everything that cannot be read."""
    entries = _nodes(data)
    problems = [problem for id, entry in entries.items() if (problem := _shape_problem(id, entry))]
    if not entries:
        problems.append(Problem("empty", "The workflow has no nodes.", fix="Save it again from the editor."))
    if problems:
        raise WorkflowError(problems)
    entries = with_full_types(entries, types)
    specs = {id: types.get(entry["class_type"]) for id, entry in entries.items()}
    nodes = {id: _node(entry, specs, specs[id]) for id, entry in entries.items()}
    return Workflow(nodes, extra=_extra(nodes), imported=True)


def _nodes(data: Any) -> dict[str, Any]:
    document = mapping(data)
    entries = mapping(document["prompt"]) if _is_wrapped(data) else document
    return {str(id): entry for id, entry in entries.items()}


def _is_wrapped(data: Any) -> bool:
    """Whether the workflow is posted under `prompt`, which may also be the id of a node."""
    inner = mapping(data).get("prompt")
    return isinstance(inner, Mapping) and "class_type" not in inner


def _shape_problem(id: str, entry: Any) -> Problem | None:
    if not isinstance(entry, Mapping):
        return Problem(
            "bad_node",
            f'Node {id} is {kind(entry)} where an object with "class_type" and "inputs" is expected.',
            node=id,
            fix="Export the workflow again in API format.",
        )
    fields = cast("Mapping[str, Any]", entry)
    type = fields.get("class_type")
    if not isinstance(type, str) or not type:
        return Problem(
            "missing_node_type", f'Node {id} has no "class_type".', node=id, fix="Name its node type."
        )
    if not isinstance(fields.get("inputs", {}), Mapping):
        message = f'The "inputs" of node {id} ({type}) are {kind(fields["inputs"])}, not an object.'
        return Problem("bad_node", message, node=id, fix='Write {"input name": value}.')
    return None


def _node(entry: Mapping[str, Any], specs: Mapping[str, NodeSpec | None], spec: NodeSpec | None) -> Node:
    type = cast(str, entry["class_type"])
    dropped = EDITOR_ONLY.get(type, {})
    inputs = cast("Mapping[Any, Any]", entry.get("inputs", {}))
    values = {str(name): _value(value, specs) for name, value in inputs.items() if name not in dropped}
    rest = {str(key): value for key, value in entry.items() if key not in _OWN}
    return Node(type, values, title=_title(entry, spec), extra={"api": rest} if rest else {})


def _title(entry: Mapping[str, Any], spec: NodeSpec | None) -> str:
    title = mapping(entry.get("_meta")).get("title")
    usual = (entry["class_type"], spec.title if spec else "")
    return title if isinstance(title, str) and title not in usual else ""


def _value(value: Any, specs: Mapping[str, NodeSpec | None]) -> Any:
    if isinstance(value, Mapping):
        held = cast("Mapping[str, Any]", value)
        return held.get(WRAPPER, held)
    link = _link(value, specs)
    return value if link is None else Link(link[0], output_name(specs.get(link[0]), link[1]))


def _link(value: Any, specs: Mapping[str, NodeSpec | None]) -> tuple[str, int] | None:
    """A list of an id and a whole number is a link; ids written as numbers count where the node exists."""
    if not isinstance(value, list) or len(cast("list[Any]", value)) != 2:
        return None
    id, slot = cast("list[Any]", value)
    named = isinstance(id, str) or (type(id) is int and str(id) in specs)
    whole = type(slot) is int or (isinstance(slot, float) and slot.is_integer())
    return (str(id), int(slot)) if named and whole and abs(slot) < 10**9 else None


def _extra(nodes: Mapping[str, Node]) -> dict[str, Any]:
    """The front end chooses dynamic prompts before it posts: what looks like one is meant as it stands."""
    texts = (value for node in nodes.values() for value in node.inputs.values() if isinstance(value, str))
    return dict(CHOSEN) if any(map(has_dynamic_parts, texts)) else {}
