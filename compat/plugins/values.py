"""What packs' functions return and raise, turned into what the engine knows."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, cast

from graph.context import NodeContext
from graph.document import Link, Node
from graph.expansion import DISPLAY
from graph.outcome import Blocker, Outcome
from graph.registry import Registry
from graph.spec import NodeSpec

CURRENT: Final[ContextVar[NodeContext | None]] = ContextVar("running node", default=None)
"""The node that runs here; progress bars and interrupts of packs refer to it."""
IMPORTING: Final[ContextVar[bool]] = ContextVar("a pack is imported", default=False)
"""Whether a pack's modules run for the first time here."""
_NUMBERED: Final = "output "


class InterruptProcessing(Exception):
    """What packs raise and catch when a run is stopped."""


class ExecutionBlocker:
    """A pack's value that stops what depends on it; with a message the user is told."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message


@dataclass(frozen=True, slots=True)
class Slots:
    """Links in ComfyUI's form, [node id, number of the output], and in ours. find: a node by id."""

    types: Registry
    find: Callable[[str], Node | None]

    def named(self, link: Sequence[Any], among: Mapping[str, Any]) -> Link:
        """Our form of a link into `among`, nodes in API form, or to a node that runs."""
        id, slot = str(link[0]), int(link[1])
        entry = among.get(id)
        node = None if entry is not None else self.find(id)
        kind = entry["class_type"] if entry is not None else node.type if node is not None else ""
        spec = self.types.get(kind)
        outputs = spec.outputs if spec else ()
        return Link(id, outputs[slot].name if 0 <= slot < len(outputs) else f"{_NUMBERED}{slot}")

    def numbered(self, link: Link) -> list[Any]:
        """ComfyUI's form of a link."""
        node = self.find(link.node)
        spec = self.types.get(node.type) if node is not None else None
        names = [output.name for output in spec.outputs] if spec else []
        if link.output in names:
            return [link.node, names.index(link.output)]
        number = link.output.removeprefix(_NUMBERED)
        return [link.node, int(number) if number.isdigit() else 0]

    def api_node(self, node: Node) -> dict[str, Any]:
        """A node in API form."""
        spec = self.types.get(node.type)
        bare = spec.id.removeprefix(f"{spec.source}/") if spec else node.type
        inputs = {
            name: self.numbered(value) if isinstance(value, Link) else value
            for name, value in node.inputs.items()
        }
        return {"class_type": bare, "inputs": inputs, "_meta": {"title": node.title or bare}}


def is_link(value: Any) -> bool:
    """Whether a value of a graph in API form is a link."""
    if not isinstance(value, list) or len(cast("list[Any]", value)) != 2:
        return False
    id, slot = cast("list[Any]", value)
    return isinstance(id, str) and isinstance(slot, int | float) and not isinstance(slot, bool)


def outcome_of(result: Any, spec: NodeSpec, slots: Slots) -> Outcome:
    """What a pack's function returned, as an Outcome."""
    result = getattr(result, "as_result", lambda: result)()
    ui, expand = dict[str, list[Any]](), dict[str, Any]()
    if isinstance(result, dict):
        told = cast("dict[str, Any]", result)
        ui = shown(told.get("ui"))
        expand = dict(told.get("expand") or {})
        result = told.get("result", ())
    values = _values(result, len(spec.outputs), _told(spec))
    return Outcome(
        tuple(
            _value(value, spec.outputs[place].is_list, expand, slots) for place, value in enumerate(values)
        ),
        ui,
        {id: _node(entry, expand, slots) for id, entry in expand.items()},
    )


def _told(spec: NodeSpec) -> int:
    """How many outputs a class says are lists or not: as in ComfyUI the others give None."""
    info = cast("Mapping[str, Any]", spec.extra.get("info") or {})
    return len(info.get("output_is_list", spec.outputs))


def _values(result: Any, count: int, told: int) -> list[Any]:
    """One value an output: what is missing is None, what is too much is left out."""
    if isinstance(result, ExecutionBlocker | Blocker):
        return [result] * count
    if result is None or not count:
        return [None] * count
    try:
        given = [result[place] for place in range(min(len(result), count, told))]
    except (TypeError, KeyError):
        given = [result]
    return [*given, *[None] * (count - len(given))][:count]


def _value(value: Any, is_list: bool, expand: Mapping[str, Any], slots: Slots) -> Any:
    if isinstance(value, ExecutionBlocker):
        return Blocker(value.message or "")
    if expand and is_link(value):
        return slots.named(value, expand)
    if is_list and not isinstance(value, Blocker):
        items: Iterable[Any] = () if value is None else value
        return [_value(item, False, {}, slots) for item in items]
    return value


def _node(entry: Mapping[str, Any], among: Mapping[str, Any], slots: Slots) -> Node:
    inputs = {
        name: slots.named(value, among) if is_link(value) else value
        for name, value in entry["inputs"].items()
    }
    display = entry.get("override_display_id")
    return Node(entry["class_type"], inputs, extra={DISPLAY: str(display)} if display else {})


def shown(ui: Any) -> dict[str, list[Any]]:
    """The `ui` of a result as plain values: what clients are told."""
    told: Any = ui.as_dict() if hasattr(ui, "as_dict") else ui
    if not isinstance(told, dict):
        return {}
    items = cast("dict[Any, Any]", told).items()
    return {str(key): [plain(item) for item in _listed(value)] for key, value in items}


def _listed(value: Any) -> list[Any]:
    """The items of one kind; a text's are its letters, as ComfyUI's clients know it."""
    return list(cast("Iterable[Any]", value)) if isinstance(value, list | tuple | set | str) else [value]


def plain(value: Any) -> Any:
    """A value as JSON holds it; what JSON has no form for becomes text, and endless numbers None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_other))
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _other(value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if isinstance(value, set | frozenset):
        return sorted(cast("set[Any]", value), key=str)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    return str(value)
