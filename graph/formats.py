"""Workflow formats: one value a format, and the reading of whatever holds a workflow."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, Protocol, cast

from graph.document import Workflow
from graph.document_json import parse_workflow, write_workflow
from graph.embedded import embedded_texts
from graph.json_text import LARGEST, read_json
from graph.problems import Problem, WorkflowError
from graph.spec import NodeSpec

FormatName = Literal["darkroom", "api", "editor"]
ReadOnly = Literal["parameters"]
LARGEST_PICTURE: Final = 512 * 1024 * 1024
PICTURE_KEYS: Final = ("workflow", "prompt")
"""The text keys of pictures that may hold a workflow, the one to prefer first."""
PLAIN_KEYS: Final = ("parameters",)
"""Keys of plain texts, no JSON, that say how a picture was made."""


class NodeTypes(Protocol):
    """What a format asks of the registry: a node type by its id or bare name, or None."""

    def get(self, type: str, /) -> NodeSpec | None:
        """The node type of this name."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A workflow format.

    recognises(data): whether JSON data looks like it, judged by its shape alone.
    read(data, types): the workflow. write(workflow, types): JSON data. Both raise WorkflowError.
    """

    name: FormatName | ReadOnly
    title: str
    recognises: Callable[[Any], bool]
    read: Callable[[Any, NodeTypes], Workflow]
    write: Callable[[Workflow, NodeTypes], Any]


def _recognises_darkroom(data: Any) -> bool:
    """By `format` alone, so that a newer version is told as such; a node may be called so elsewhere."""
    if not isinstance(data, Mapping):
        return False
    document = cast("Mapping[str, Any]", data)
    return "format" in document and not isinstance(document["format"], Mapping)


def _read_darkroom(data: Any, types: NodeTypes) -> Workflow:
    return parse_workflow(data)


def _write_darkroom(workflow: Workflow, types: NodeTypes) -> Any:
    return json.loads(write_workflow(workflow))


DARKROOM: Final = Format("darkroom", "Darkroom", _recognises_darkroom, _read_darkroom, _write_darkroom)


def format_text(form: Format, workflow: Workflow, types: NodeTypes) -> str:
    """The workflow as text to save in a format, ending in a newline. Raises WorkflowError."""
    if form.name == DARKROOM.name:
        return write_workflow(workflow)
    return json.dumps(form.write(workflow, types), ensure_ascii=False, indent=2) + "\n"


def read_any(
    data: bytes | str | Mapping[str, Any],
    formats: Sequence[Format],
    types: NodeTypes,
    source: str = "This file",
) -> Workflow:
    """The workflow in `data`: JSON of any format, or a picture that carries one.

    `source` is what sentences call it ("cat.png"). Raises WorkflowError, and nothing else.
    """
    if isinstance(data, bytes):
        if len(data) > LARGEST_PICTURE:
            _refuse("too_large", f"{source} is larger than {LARGEST_PICTURE // 2**20} MB.")
        texts = embedded_texts(data)
        if texts is not None:
            return _read_picture(texts, formats, types, source)
    return _read_data(read_json(data), formats, types, source)


def _read_picture(
    texts: Mapping[str, str], formats: Sequence[Format], types: NodeTypes, source: str
) -> Workflow:
    failures = list[WorkflowError]()
    for key in PICTURE_KEYS:
        try:
            if key in texts:
                return _read_data(_embedded_json(texts[key]), formats, types, f'The text "{key}" of {source}')
        except WorkflowError as error:
            failures.append(error)
    for key in PLAIN_KEYS:
        if any(form.recognises(texts.get(key)) for form in formats):
            return _read_data(texts[key], formats, types, f'The text "{key}" of {source}')
    if failures:
        raise failures[0]
    _refuse("no_workflow", f"{source} carries no workflow.", "Take the picture as it was saved, not a copy.")


def _embedded_json(text: str) -> Any:
    """JSON that ComfyUI wrote into a picture. NaN, which it writes for nodes never cached, counts as null."""
    if len(text) > LARGEST:
        return read_json(text)
    try:
        return read_json({"data": json.loads(text, parse_constant=lambda _: None)})["data"]
    except (ValueError, RecursionError):
        return read_json(text)


def _read_data(data: Any, formats: Sequence[Format], types: NodeTypes, source: str) -> Workflow:
    for candidate in (data, *_wrapped(data)):
        for form in formats:
            if form.recognises(candidate):
                return form.read(candidate, types)
    known = ", ".join(form.title for form in formats)
    _refuse("not_a_workflow", f"{source} is no workflow.", f"These formats can be read: {known}.")


def _wrapped(data: Any) -> list[Any]:
    """The texts of a picture, or the body of a request, as a JSON object: `workflow` and `prompt` inside."""
    if not isinstance(data, Mapping):
        return []
    inner = [cast("Mapping[str, Any]", data).get(key) for key in PICTURE_KEYS]
    return [_embedded_json(value) if isinstance(value, str) else value for value in inner]


def _refuse(code: str, message: str, fix: str = "") -> NoReturn:
    raise WorkflowError([Problem(code, message, fix=fix)])
