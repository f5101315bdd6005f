"""The workflow document as JSON: read with every fault named, written the same way every time."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.document import FORMAT, INPUTS, OUTPUTS, Boundary, Link, Mode, Node, Port, Subgraph, Workflow
from graph.json_text import LARGEST, read_json
from graph.problems import Problem, WorkflowError, capped
from graph.suggestions import shown

MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""How a document of version n becomes one of version n + 1. darkroom/1 is the first: there are none yet."""

_VERSION: Final = int(FORMAT.split("/")[1])
_Name = Annotated[str, Field(min_length=1)]


class NodeShape(BaseModel):
    """One node as JSON."""

    model_config = ConfigDict(extra="allow", strict=True)
    type: _Name
    inputs: dict[str, Any] = Field(default_factory=dict[str, Any])
    title: str = ""
    mode: Mode = "run"


class PortShape(BaseModel):
    """One port as JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)
    node: _Name
    input: str = ""
    output: str = ""


class BoundaryShape(BaseModel):
    """An input or output of a subgraph as JSON."""

    model_config = ConfigDict(extra="allow", strict=True)
    link: Any = None
    type: str = ""
    label: str = ""


class SubgraphShape(BaseModel):
    """A subgraph as JSON."""

    model_config = ConfigDict(extra="allow", strict=True)
    title: str = ""
    inputs: dict[str, BoundaryShape] = Field(default_factory=dict[str, BoundaryShape])
    outputs: dict[str, BoundaryShape] = Field(default_factory=dict[str, BoundaryShape])
    nodes: dict[str, NodeShape]
    layout: dict[str, Any] = Field(default_factory=dict[str, Any])
    groups: list[Any] = Field(default_factory=list[Any])
    notes: list[Any] = Field(default_factory=list[Any])


class DocumentShape(BaseModel):
    """A whole document as JSON."""

    model_config = ConfigDict(extra="allow", strict=True)
    format: str
    nodes: dict[str, NodeShape]
    subgraphs: dict[_Name, SubgraphShape] = Field(default_factory=dict[_Name, SubgraphShape])
    ports: dict[str, PortShape] = Field(default_factory=dict[str, PortShape])
    layout: dict[str, Any] = Field(default_factory=dict[str, Any])
    groups: list[Any] = Field(default_factory=list[Any])
    notes: list[Any] = Field(default_factory=list[Any])
    lock: dict[str, Any] = Field(default_factory=dict[str, Any])


def parse_workflow(data: str | bytes | Mapping[str, Any]) -> Workflow:
    """The workflow in a JSON text or object of the format darkroom/1.

    Raises WorkflowError, and nothing else, with every fault of form; unknown keys are kept in `extra`.
    """
    shape = _shape(migrate(_document(read_json(data))))
    problems = list[Problem]()
    nodes = _nodes(shape.nodes, problems)
    subgraphs = {id: _subgraph(id, item, problems) for id, item in shape.subgraphs.items()}
    if problems:
        raise WorkflowError(capped(problems))
    return Workflow(
        nodes=nodes,
        subgraphs=subgraphs,
        ports={name: Port(port.node, port.input, port.output) for name, port in shape.ports.items()},
        layout=shape.layout,
        groups=tuple(shape.groups),
        notes=tuple(shape.notes),
        lock=shape.lock,
        extra=shape.model_extra or {},
    )


def load_workflow(path: Path) -> Workflow:
    """The workflow in a file. Raises WorkflowError with a sentence, also when there is no such file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise WorkflowError([Problem("no_file", f"Cannot read {path}: {_reason(path, error)}.")]) from error
    return parse_workflow(data)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    said = error.strerror if isinstance(error, OSError) else None
    return said[:1].lower() + said[1:] if said else str(error)


def migrate(
    document: dict[str, Any],
    migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS,
    newest: int = _VERSION,
) -> dict[str, Any]:
    """A document of any earlier version brought up to the newest. Raises WorkflowError for a newer one."""
    version = _version(document.get("format"), newest)
    while version < newest:
        document = migrations[version](document) | {"format": f"darkroom/{version + 1}"}
        version += 1
    return document


def _version(given: Any, newest: int) -> int:
    name, _, number = given.partition("/") if isinstance(given, str) else ("", "", "")
    if name != "darkroom" or not (
        number.isascii() and number.isdigit() and 0 < len(number) < 6 and int(number)
    ):
        message = f"The format is {shown(given)}; expected {shown(FORMAT)}."
        raise WorkflowError([Problem("unknown_format", message, fix=f'Set "format" to "{FORMAT}".')])
    if int(number) > newest:
        message = f"The workflow has the format {given}; this Darkroom reads up to darkroom/{newest}."
        raise WorkflowError([Problem("newer_format", message, fix="Update Darkroom to open it.")])
    return int(number)


def _document(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        message = f"This is no workflow: it is {shown(value)}, not an object."
        raise WorkflowError([Problem("not_a_workflow", message)])
    document = dict(cast(Mapping[str, Any], value))
    if "format" not in document:
        message = f'This is no workflow: it has no "format" ("{FORMAT}").'
        raise WorkflowError([Problem("not_a_workflow", message)])
    return document


def _shape(document: dict[str, Any]) -> DocumentShape:
    try:
        return DocumentShape.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=True)
        raise WorkflowError(
            capped(
                _form_problem(
                    item["loc"], _expected(item["type"], item["msg"], item.get("ctx", {})), item["input"]
                )
                for item in faults
            )
        ) from None


_WANTED: Final = {
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
}


def _expected(kind: str, message: str, details: Mapping[str, Any]) -> str:
    """What a place in a document must hold, told in our words."""
    if kind in ("missing", "extra_forbidden"):
        return kind
    return f"must be {details['expected']}" if kind == "literal_error" else _WANTED.get(kind, message)


def _form_problem(place: tuple[int | str, ...], expected: str, given: Any) -> Problem:
    """A fault of form, told by the place in the document where it is."""
    told = {"missing": "is missing", "extra_forbidden": "is not known here"}
    what = told.get(expected) or f"{expected}, not {shown(given)}"
    match place:
        case ("nodes", str(key), *rest):
            where = "".join(f", {part}" for part in rest)
            return Problem("bad_form", f"Node {key[:80]}{where} {what}.", node=key)
        case ("subgraphs", str(key), "nodes", str(node), *rest):
            where = "".join(f", {part}" for part in rest)
            return Problem("bad_form", f"In subgraph {key[:80]}: Node {node[:80]}{where} {what}.")
        case _:
            return Problem("bad_form", f"In the workflow, {'.'.join(map(str, place))} {what}.")


def _nodes(shapes: Mapping[str, NodeShape], problems: list[Problem]) -> dict[str, Node]:
    nodes = {key: _node(key, node, problems) for key, node in shapes.items()}
    if "" in nodes:
        problems.append(Problem("empty_id", "A node has an empty id.", node="", fix="Give it a name."))
    return nodes


def _subgraph(id: str, shape: SubgraphShape, problems: list[Problem]) -> Subgraph:
    own = list[Problem]()
    nodes = _nodes(shape.nodes, own)
    own += [_reserved(key) for key in (INPUTS, OUTPUTS) if key in nodes]
    inputs = {name: _boundary(name, item, own) for name, item in shape.inputs.items()}
    outputs = {name: _boundary(name, item, own) for name, item in shape.outputs.items()}
    where = f"In subgraph {(shape.title or id)[:80]}: "
    problems.extend(replace(item, message=where + item.message, node=None) for item in own)
    return Subgraph(
        nodes,
        shape.title,
        inputs,
        outputs,
        shape.layout,
        tuple(shape.groups),
        tuple(shape.notes),
        shape.model_extra or {},
    )


def _reserved(key: str) -> Problem:
    message = f"A node is called {key}, which stands for the boundary of the subgraph."
    return Problem("reserved_id", message, fix="Give it another name.")


def _boundary(name: str, shape: BoundaryShape, problems: list[Problem]) -> Boundary:
    link = None if shape.link is None else _read_link(OUTPUTS, name, {"link": shape.link}, problems)
    return Boundary(link, shape.type, shape.label, shape.model_extra or {})


def _node(key: str, shape: NodeShape, problems: list[Problem]) -> Node:
    inputs = {name: _read_input(key, name, value, problems) for name, value in shape.inputs.items()}
    return Node(shape.type, inputs, shape.title, shape.mode, shape.model_extra or {})


def _read_input(node: str, name: str, value: Any, problems: list[Problem]) -> Any:
    if type(value) is not dict:
        return value
    wrapped = cast(dict[str, Any], value)
    if "link" in wrapped:
        return _read_link(node, name, wrapped, problems)
    return wrapped["value"] if wrapped.keys() == {"value"} else wrapped


def _read_link(node: str, name: str, wrapped: dict[str, Any], problems: list[Problem]) -> Link | None:
    match wrapped:
        case {"link": [str(source), str(output)]} if len(wrapped) == 1:
            return Link(source, output)
        case {"link": [str(source), int(slot)]}:
            message = f"Node {node}, input {name}: the link to node {source} counts outputs ({slot})."
            fix = "Name the output instead."
        case _:
            message = f"Node {node}, input {name}: this is no link."
            fix = 'Write {"link": [node, output]}, or {"value": …} around a value that has a key "link".'
    problems.append(Problem("bad_link", message, node=node, input=name, fix=fix))
    return None


def write_workflow(workflow: Workflow) -> str:
    """The document as JSON text, ending in a newline: one line an input, sections in a fixed order.

    Order within sections is the workflow's own, so reading and writing again gives the same text.
    Raises WorkflowError when a value is none that JSON can hold.
    """
    try:
        return "{\n" + ",\n".join(_sections(workflow)) + "\n}\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise WorkflowError(
            [Problem("unwritable", f"The workflow cannot be written as JSON: {error}.")]
        ) from error


def _sections(workflow: Workflow) -> Iterable[str]:
    yield _section("format", _inline(FORMAT))
    yield _section("nodes", _nodes_text(workflow.nodes, "  "))
    if workflow.subgraphs:
        texts = {id: _block(_subgraph_texts(item), "    ") for id, item in workflow.subgraphs.items()}
        yield _section("subgraphs", _block(texts, "  "))
    if workflow.ports:
        yield _section(
            "ports", _block({name: _port_text(port) for name, port in workflow.ports.items()}, "  ")
        )
    if workflow.layout:
        yield _section("layout", _lines(workflow.layout))
    if workflow.groups:
        yield _section("groups", _items(workflow.groups))
    if workflow.notes:
        yield _section("notes", _items(workflow.notes))
    if workflow.lock:
        yield _section("lock", _lines(workflow.lock))
    yield from (_section(name, _inline(value)) for name, value in workflow.extra.items())


def _subgraph_texts(subgraph: Subgraph) -> dict[str, str]:
    """The parts of a subgraph, in their order, as texts that stand six spaces in."""
    found = dict[str, str]()
    if subgraph.title:
        found["title"] = _inline(subgraph.title)
    for name, sockets in (("inputs", subgraph.inputs), ("outputs", subgraph.outputs)):
        if sockets:
            found[name] = _block({key: _boundary_text(item) for key, item in sockets.items()}, "      ")
    found["nodes"] = _nodes_text(subgraph.nodes, "      ")
    if subgraph.layout:
        found["layout"] = _lines(subgraph.layout, "      ")
    if subgraph.groups:
        found["groups"] = _items(subgraph.groups, "      ")
    if subgraph.notes:
        found["notes"] = _items(subgraph.notes, "      ")
    return found | {name: _inline(value) for name, value in subgraph.extra.items()}


def _boundary_text(item: Boundary) -> str:
    link = {"link": [item.link.node, item.link.output]} if item.link else {}
    told = {name: text for name, text in (("type", item.type), ("label", item.label)) if text}
    return _inline({**link, **told, **item.extra})


def _section(name: str, text: str) -> str:
    return f"  {_inline(name)}: {text}"


def _lines(section: Mapping[str, Any], indent: str = "  ") -> str:
    return _block({key: _inline(value) for key, value in section.items()}, indent)


def _items(items: Iterable[Any], indent: str = "  ") -> str:
    return "[\n" + ",\n".join(f"{indent}  {_inline(item)}" for item in items) + f"\n{indent}]"


def _block(entries: Mapping[str, str], indent: str) -> str:
    inner = ",\n".join(f"{indent}  {_inline(key)}: {text}" for key, text in entries.items())
    return "{\n" + inner + f"\n{indent}}}" if inner else "{}"


def _nodes_text(nodes: Mapping[str, Node], indent: str) -> str:
    return _block({key: _node_text(node, indent + "  ") for key, node in nodes.items()}, indent)


def _node_text(node: Node, indent: str) -> str:
    entries = {"type": _inline(node.type)}
    if node.inputs:
        texts = {name: _input_text(value) for name, value in node.inputs.items()}
        entries["inputs"] = _block(texts, indent + "  ")
    if node.title:
        entries["title"] = _inline(node.title)
    if node.mode != "run":
        entries["mode"] = _inline(node.mode)
    return _block(entries | {name: _inline(value) for name, value in node.extra.items()}, indent)


def _input_text(value: Any) -> str:
    if isinstance(value, Link):
        return _inline({"link": [value.node, value.output]})
    if isinstance(value, dict) and ("link" in value or cast(dict[str, Any], value).keys() == {"value"}):
        return _inline({"value": value})
    return _inline(value)


def _port_text(port: Port) -> str:
    ends = {"node": port.node, "input": port.input, "output": port.output}
    return _inline({name: value for name, value in ends.items() if value})


_inline: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def save_workflow(workflow: Workflow, path: Path) -> None:
    """Write a workflow so that the file is, at every moment, either the old one or the new one, whole.

    Raises WorkflowError with a sentence when it cannot be written; the old file is then as it was.
    """
    text = write_workflow(workflow).encode("utf-8")
    half = path.with_name(f".{path.name[:100]}.{uuid4().hex}")
    try:
        _write_whole(half, text)
        half.replace(path)
    except OSError as error:
        raise WorkflowError(
            [Problem("unwritable", f"Cannot write {path}: {_reason(path, error)}.")]
        ) from error
    finally:
        half.unlink(missing_ok=True)


def _write_whole(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
