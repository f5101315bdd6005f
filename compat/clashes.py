"""Names that several packs gave to node types: which one a foreign workflow means."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from graph.registry import Ambiguous, Registry
from graph.spec import NodeSpec


def with_full_types(entries: Mapping[str, Any], types: object) -> Mapping[str, Any]:
    """Nodes in API form, each of an ambiguous type named in full; the same object where none is."""
    if not isinstance(types, Registry):
        return entries
    changed = {id: full for id, entry in entries.items() if (full := _full(entry, types)) is not None}
    if not changed:
        return entries
    return {
        id: {**entry, "class_type": changed[id]} if id in changed else entry for id, entry in entries.items()
    }


def _full(entry: Any, types: Registry) -> str | None:
    node = cast("Mapping[str, Any]", entry) if isinstance(entry, Mapping) else {}
    type, inputs = node.get("class_type"), node.get("inputs")
    found = types.resolve(type) if isinstance(type, str) else None
    if not isinstance(found, Ambiguous):
        return None
    names = cast("Collection[str]", inputs) if isinstance(inputs, Mapping) else ()
    specs = [spec for id in found.full_ids if (spec := types.get(id)) is not None]
    return max(enumerate(specs), key=lambda item: (*_fit(item[1], names), item[0]))[1].id


def _fit(spec: NodeSpec, given: Collection[str]) -> tuple[int, int]:
    """How well a node type takes inputs of these names: fewest that it lacks, then fewest that it leaves."""
    declared = {item.name for item in spec.inputs}
    missing = sum(item.required and item.name not in given for item in spec.inputs)
    return -missing, -len(set(given) - declared)


def last_of(name: str, types: Registry) -> str | None:
    """The full id of the last node type that was given an ambiguous name: ComfyUI would have only that."""
    found = types.resolve(name)
    return found.full_ids[-1] if isinstance(found, Ambiguous) else None
