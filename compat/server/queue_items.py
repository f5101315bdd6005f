"""How a prompt is kept in a job, and how clients get it back from the queue and the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from compat.server.surroundings import Surroundings
from graph.document import Workflow
from graph.flat import flat
from graph.problems import WorkflowError
from host.jobs.model import Job, Payload

_MARK: Final = "has_info"
"""Says that a job was posted here, and whether what pictures carry came in `extra_data`."""
_INFO: Final = "extra_pnginfo"
_PROMPT: Final = "prompt"


@dataclass(frozen=True, slots=True)
class Posted:
    """A prompt as it was posted and checked: its nodes, `extra_data`, and the output nodes that run."""

    prompt: Mapping[str, Any]
    extra: Mapping[str, Any]
    outputs: tuple[str, ...]


def payload_of(workflow: Workflow, posted: Posted) -> Payload:
    """The documents of a job; what pictures carry is kept once."""
    info = posted.extra.get(_INFO)
    held = cast("dict[str, Any]", info) if isinstance(info, dict) and _PROMPT not in info else None
    rest = {key: value for key, value in posted.extra.items() if key != _INFO or held is None}
    texts = {**(held or {}), _PROMPT: posted.prompt}
    kept = {"extra_data": rest, "outputs": list(posted.outputs), _MARK: held is not None}
    return Payload(workflow, posted.outputs, texts, kept)


def posted_of(payload: Payload, around: Surroundings) -> Posted:
    """The prompt of a job; one from our own API is told in the same form."""
    kept = payload.extra
    if _MARK not in kept:
        return _translated(payload, around)
    info = {key: value for key, value in payload.texts.items() if key != _PROMPT}
    extra = {**kept["extra_data"], **({_INFO: info} if kept[_MARK] else {})}
    return Posted(payload.texts[_PROMPT], extra, tuple(kept["outputs"]))


def item(job: Job, payload: Payload, around: Surroundings) -> list[Any]:
    """A prompt as queue and history list it."""
    posted = posted_of(payload, around)
    return [plain_number(job.number), job.id, posted.prompt, posted.extra, list(posted.outputs)]


def plain_number(number: float) -> float | int:
    """Whole numbers without a fraction, as clients expect of those that the server counted."""
    return int(number) if float(number).is_integer() else number


def _translated(payload: Payload, around: Surroundings) -> Posted:
    types = around.types()
    nodes = flat(payload.workflow, types).nodes
    try:
        prompt = around.services.format_named("api").write(payload.workflow, types)
    except WorkflowError:  # what only our format can say has no form here
        prompt = dict[str, Any]()
    specs = {id: types.get(node.type) for id, node in nodes.items()}
    outputs = payload.targets or tuple(id for id, spec in specs.items() if spec and spec.output)
    return Posted(prompt, {_INFO: dict(payload.texts)}, outputs)
