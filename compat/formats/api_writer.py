"""ComfyUI's API format, written as its front end does: no mutes or bypasses, every widget's value told."""

from datetime import datetime
from typing import Any

from compat.formats.api_reader import EDITOR_ONLY, WRAPPER
from compat.formats.macros import fill_prefixes
from compat.formats.modes import true_source
from compat.formats.shape import mapping
from compat.formats.slots import class_name, output_slot
from compat.formats.widgets import default_value, front_order, has_widget
from graph.document import Link, Node, Workflow
from graph.dynamic_prompts import choose_prompts
from graph.flat import flat
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from graph.sockets import ANY_NAME
from graph.spec import MISSING, NodeSpec


def write_api(
    workflow: Workflow, types: NodeTypes, seed: int = 0, now: datetime | None = None
) -> dict[str, Any]:
    """The workflow in API format, ready for ComfyUI's `POST /prompt`.

    Dynamic prompts are chosen by `seed`, dates in file names are those of `now`. Raises WorkflowError when a
    link cannot be told by number.
    """
    settled = choose_prompts(flat(workflow, types), types, seed)
    workflow = fill_prefixes(settled, now or datetime.now())
    problems = list[Problem]()
    written = {
        id: _entry(workflow, types, id, problems) for id, node in workflow.nodes.items() if node.mode == "run"
    }
    if problems:
        raise WorkflowError(problems)
    return written


def _entry(workflow: Workflow, types: NodeTypes, id: str, problems: list[Problem]) -> dict[str, Any]:
    node = workflow.nodes[id]
    spec = types.get(node.type)
    inputs = _widget_values(node, spec)
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            _write_link(workflow, types, (id, name, value), inputs, problems)
    title = node.title or (spec.title if spec else "") or node.type
    return {
        "inputs": inputs,
        "class_type": class_name(node.type, types),
        "_meta": {"title": title},
        **mapping(node.extra.get("api")),
    }


def _widget_values(node: Node, spec: NodeSpec | None) -> dict[str, Any]:
    """Every value but links: those of widgets in their order (or their default), then the rest."""
    literals = {name: value for name, value in node.inputs.items() if not isinstance(value, Link)}
    hidden = mapping(node.extra.get("hidden_values"))
    given = {name: hidden[name] for name in node.inputs if name in hidden} | literals
    values = dict[str, Any](EDITOR_ONLY.get(node.type, {}))
    for input in filter(has_widget, front_order(spec) if spec else ()):
        values[input.name] = given[input.name] if input.name in given else default_value(input)
    values |= literals
    return {name: _literal(value) for name, value in values.items() if value is not MISSING}


def _literal(value: Any) -> Any:
    """A list would be taken for a link, so it is wrapped."""
    return {WRAPPER: value} if type(value) in (list, tuple) or WRAPPER in mapping(value) else value


def _write_link(
    workflow: Workflow,
    types: NodeTypes,
    end: tuple[str, str, Link],
    inputs: dict[str, Any],
    problems: list[Problem],
) -> None:
    """Put a link into `inputs`: nothing if it ends at nothing, no value either if it ends at a muted node."""
    id, name, link = end
    source = true_source(workflow, types, link, _wanted(types.get(workflow.nodes[id].type), name))
    if source is None:
        return
    node = workflow.nodes.get(source.node)
    slot = output_slot(types.get(node.type) if node else None, source.output)
    if node is not None and node.mode == "mute":
        inputs.pop(name, None)
    elif slot is None:
        problems.append(_unknown_output(id, name, source, node))
    else:
        inputs[name] = [source.node, slot]


def _wanted(spec: NodeSpec | None, name: str) -> tuple[str, ...]:
    found = (input.type.names for input in spec.inputs if input.name == name) if spec else iter(())
    return next(found, (ANY_NAME,))


def _unknown_output(id: str, name: str, source: Link, node: Node | None) -> Problem:
    if node is None:
        message = f"Node {id}, input {name}: node {source.node} does not exist."
        return Problem("missing_node", message, node=id, input=name, fix="Link it to another node.")
    message = f"Node {id}, input {name}: node {source.node} ({node.type}) has no output {source.output}."
    return Problem("missing_output", message, node=id, input=name, fix="Link it to an output that is there.")
