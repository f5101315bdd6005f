"""Names that several packs gave to node types: which one a foreign workflow means."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from graph.registry import CORE, Ambiguous, Registry
from graph.spec import NodeSpec

OURS_ALONE: Final = frozenset(
    {
        "Compare", "CountItems", "DiffusersSampler", "DynamicPrompt", "HubLoader", "IfElse",
        "ImageCompare", "ImageGrid", "InpaintCrop", "InpaintStitch", "JoinImages", "ListImages",
        "LoadNamedImage", "LoopEnd", "LoopNext", "LoopStart", "MathExpression", "NumberRange", "PickItem",
        "PromptSchedule", "PromptWeighting", "SaveImageAdvanced", "Switch", "SweepGrid",
        "TextLines", "WholeNumberRange",
    }
)  # fmt: skip
"""Built-in node types that ComfyUI does not have: packs for it may give these names to nodes of theirs."""


def with_full_types(entries: Mapping[str, Any], types: object) -> Mapping[str, Any]:
    """Nodes in API form, each of an ambiguous type named in full; the same object where none is."""
    if not isinstance(types, Registry):
        return entries
    wanted = {clash.name: clash.full_ids for clash in types.clashes if len(clash.full_ids) > 1}
    if not wanted:
        return entries
    changed = {id: full for id, entry in entries.items() if (full := _full(entry, wanted, types)) is not None}
    if not changed:
        return entries
    return {
        id: {**entry, "class_type": changed[id]} if id in changed else entry for id, entry in entries.items()
    }


def _full(entry: Any, wanted: Mapping[str, Sequence[str]], types: Registry) -> str | None:
    node = cast("Mapping[str, Any]", entry) if isinstance(entry, Mapping) else dict[str, Any]()
    type, inputs = node.get("class_type"), node.get("inputs")
    if not isinstance(type, str) or type not in wanted:
        return None
    names = cast("Collection[str]", inputs) if isinstance(inputs, Mapping) else ()
    specs = [spec for id in wanted[type] if (spec := types.get(id)) is not None]
    best = max(enumerate(specs), key=lambda item: (*_fit(item[1], names), item[1].source == CORE, item[0]))[1]
    return None if best.id == type else best.id


def _fit(spec: NodeSpec, given: Collection[str]) -> tuple[int, int]:
    """How well a node type takes inputs of these names: fewest that it lacks, then fewest that it leaves."""
    declared = {item.name for item in spec.inputs}
    missing = sum(item.required and item.name not in given for item in spec.inputs)
    return -missing, -len(set(given) - declared)


def last_of(name: str, types: Registry) -> str | None:
    """The full id of the last node type that was given an ambiguous name: ComfyUI would have only that."""
    found = types.resolve(name)
    return found.full_ids[-1] if isinstance(found, Ambiguous) else None
