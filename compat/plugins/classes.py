"""A pack's node class read: everything that ComfyUI's contract lets it say of itself."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from compat.plugins.described import KNOWN_HIDDEN, hidden_kind
from compat.plugins.values import plain

_NOBODY: Final = "A TYPE THAT NO NODE HAS"
_GROUPS: Final = ("required", "optional", "hidden")


def describe(cls: Any, id: str, pack: str, title: str, digest: str) -> dict[str, Any]:
    """A node class as plain values (`compat.plugins.described`). Raises whatever its own code raises."""
    types: Mapping[str, Any] = cls.INPUT_TYPES()
    groups: dict[str, Any] = {group: types[group] for group in _GROUPS if group in types}
    outputs = list(getattr(cls, "RETURN_TYPES", None) or ())
    inputs = [*_entries(groups, "required"), *_entries(groups, "optional")]
    checked = checked_inputs(cls)
    return {
        "id": id,
        "pack": pack,
        "digest": digest,
        "info": info_of(cls, id, pack, title, groups, outputs),
        "lists": bool(getattr(cls, "INPUT_IS_LIST", False)),
        "async": any(inspect.iscoroutinefunction(getattr(cls, name, None)) for name in _functions(cls)),
        "idempotent": not getattr(cls, "NOT_IDEMPOTENT", False),
        "any_input": takes_any_input(cls, groups),
        "any_inputs": [name for name, entry in inputs if takes_all(type_of(entry))],
        "any_outputs": [place for place, kind in enumerate(outputs) if takes_all(kind)],
        "unchecked": sorted(checked),
        "checks": hasattr(cls, "VALIDATE_INPUTS"),
        "unchecked_links": "input_types" in checked,
    }


def _functions(cls: Any) -> tuple[str, ...]:
    """What is called when the node runs."""
    own = (str(getattr(cls, "FUNCTION", "")),)
    return (*own, "execute") if hasattr(cls, "GET_SCHEMA") else own


def _entries(groups: Mapping[str, Any], group: str) -> list[tuple[str, Any]]:
    entries: Mapping[str, Any] = groups.get(group) or {}
    return list(entries.items())


def info_of(
    cls: Any, id: str, pack: str, title: str, groups: Mapping[str, Any], outputs: list[Any]
) -> dict[str, Any]:
    """What /object_info says of a node class."""
    tell = {group: {name: plain(_finite(entry)) for name, entry in groups[group].items()} for group in groups}
    lists = getattr(cls, "OUTPUT_IS_LIST", None) or [False] * len(outputs)
    kinds = [plain(kind) for kind in outputs]
    info: dict[str, Any] = {
        "input": tell,
        "input_order": {group: list(inputs) for group, inputs in tell.items()},
        "output": kinds,
        "output_is_list": [bool(item) for item in lists],
        "output_name": plain(list(getattr(cls, "RETURN_NAMES", None) or kinds)),
        "name": id,
        "display_name": title or id,
        "description": str(getattr(cls, "DESCRIPTION", "") or ""),
        "python_module": f"custom_nodes.{pack}",
        "category": str(getattr(cls, "CATEGORY", "sd")),
        "output_node": getattr(cls, "OUTPUT_NODE", False) is True,
    }
    is_newer = hasattr(cls, "GET_SCHEMA")
    flags = {
        name.lower(): bool(getattr(cls, name, False)) for name in ("DEPRECATED", "EXPERIMENTAL", "API_NODE")
    }
    tips = getattr(cls, "OUTPUT_TOOLTIPS", None)
    told = {"output_tooltips": plain(tips)} if tips or is_newer else {}
    return info | told | {name: value for name, value in flags.items() if value or is_newer}


def _finite(entry: Any) -> Any:
    """An input's entry without bounds that JSON cannot say."""
    if not isinstance(entry, list | tuple):
        return entry
    items = list(cast("Iterable[Any]", entry))
    if len(items) > 1 and isinstance(items[1], dict):
        endless = (float("inf"), float("-inf"))
        options = cast("dict[str, Any]", items[1])
        items[1] = {key: value for key, value in options.items() if not _among(value, endless)}
    return items


def _among(value: Any, numbers: tuple[float, ...]) -> bool:
    return isinstance(value, float) and value in numbers


def type_of(entry: Any) -> Any:
    """The type that an input's entry names."""
    items = cast("list[Any]", entry) if isinstance(entry, list | tuple) else []
    return items[0] if items else cast(Any, entry)


def takes_all(kind: Any) -> bool:
    """Whether a type says that it differs from no other: a text with a comparison of its own."""
    if not isinstance(kind, str) or type(kind) is str:
        return False
    try:
        return not (kind != _NOBODY)  # noqa: SIM202 (packs override this very comparison)
    except Exception:  # a pack's comparison
        return False


def takes_any_input(cls: Any, groups: Mapping[str, Any]) -> bool:
    """Whether the inputs are a mapping that has every name, or the class accepts all of them."""
    if getattr(cls, "ACCEPT_ALL_INPUTS", False):
        return True
    return any(_has_all(groups[group]) for group in ("required", "optional") if group in groups)


def _has_all(names: Any) -> bool:
    try:
        return type(names) is not dict and _NOBODY in names
    except Exception:  # a pack's mapping
        return False


def checked_inputs(cls: Any) -> set[str]:
    """The inputs that a class checks itself; "*" stands for all."""
    function = getattr(cls, "VALIDATE_INPUTS", None)
    if function is None:
        return set()
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set()
    names = {item.name for item in parameters if item.kind is not item.VAR_KEYWORD}
    return names | ({"*"} if any(item.kind is item.VAR_KEYWORD for item in parameters) else set())


def hidden_names(cls: Any) -> dict[str, str]:
    """The hidden inputs that the engine fills in, by name: their kind."""
    hidden: dict[str, Any] = cls.INPUT_TYPES().get("hidden") or {}
    kinds = {name: hidden_kind(value) for name, value in hidden.items()}
    return {name: kind for name, kind in kinds.items() if kind in KNOWN_HIDDEN}
