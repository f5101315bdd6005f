"""Node types as ComfyUI's `/object_info` tells them to clients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from compat.clashes import last_of
from graph.registry import CORE, Registry, bare_name
from graph.sockets import SocketType
from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Text, Toggle

FileNames = Callable[[str], Sequence[str]]
"""Names of the files of a kind: "checkpoints", "input", ... (`Files.names`)."""

_OURS: Final = ("context",)
_PRIVATE: Final = ("unchecked", "unchecked_link")
_TYPED: Final = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


def object_infos(types: Registry, names: FileNames) -> dict[str, Any]:
    """Every node type by the name that ComfyUI's clients know it by."""
    return {class_id(spec, types): object_info(spec, types, names) for spec in types}


def class_id(spec: NodeSpec, types: Registry) -> str:
    """A node type's bare name, or its full id where a later type has that name."""
    bare = bare_name(spec)
    return bare if types.get(bare) is spec or last_of(bare, types) == spec.id else spec.id


def object_info(spec: NodeSpec, types: Registry, names: FileNames) -> dict[str, Any]:
    """One node type. Keys that ComfyUI leaves out unless set are left out too.

    A plugin's says it itself, as its class has it.
    """
    if (told := spec.extra.get("info")) is not None:
        return {**told, "name": class_id(spec, types)}
    groups = _groups(spec, names)
    info: dict[str, Any] = {
        "input": groups,
        "input_order": {group: list(inputs) for group, inputs in groups.items()},
        "output": [type_text(output.type) for output in spec.outputs],
        "output_is_list": [output.is_list for output in spec.outputs],
        "output_name": [output.name for output in spec.outputs],
        "name": class_id(spec, types),
        "display_name": spec.title or bare_name(spec),
        "description": spec.description,
        "python_module": "nodes" if spec.source == CORE else f"custom_nodes.{spec.source}",
        "category": spec.category,
        "output_node": spec.output,
    }
    tooltips = [output.tooltip for output in spec.outputs]
    set_only = {
        "output_tooltips": tooltips if any(tooltips) else None,
        "deprecated": bool(spec.deprecated),
        "experimental": spec.experimental,
    }
    return info | {key: value for key, value in set_only.items() if value}


def _groups(spec: NodeSpec, names: FileNames) -> dict[str, dict[str, Any]]:
    """The inputs by group; `required` is always there, the others where they hold any."""
    required = {input.name: input_entry(input, names) for input in spec.inputs if input.required}
    optional = {input.name: input_entry(input, names) for input in spec.inputs if not input.required}
    hidden: dict[str, Any] = {name: kind for name, kind in spec.hidden.items() if kind not in _OURS}
    rest = {group: inputs for group, inputs in (("optional", optional), ("hidden", hidden)) if inputs}
    return {"required": required, **rest}


def input_entry(input: Input, names: FileNames) -> list[Any]:
    """One input as [TYPE] or [TYPE, OPTIONS]; the TYPE of a choice is the list of what can be chosen."""
    type = _choices(input, names)
    options = _options(input)
    entry: list[Any] = [type_text(input.type) if type is None else type]
    return [*entry, options] if options else entry


def type_text(type: SocketType) -> str:
    """A socket type as clients compare it: "IMAGE", "IMAGE,MASK", "*"."""
    return ",".join(type.names)


def _choices(input: Input, names: FileNames) -> list[Any] | None:
    match input.widget:
        case Choice(options):
            return list(options)
        case FileChoice(kind):
            return list(names(kind))
        case _:
            return None


def _options(input: Input) -> dict[str, Any]:
    hint = input.hint
    default = {} if input.default is MISSING or input.default is None else {"default": input.default}
    flags = {
        "lazy": hint.lazy,
        "rawLink": hint.raw_link,
        "forceInput": hint.link_only and input.type.names[0] in _TYPED,
        "advanced": hint.advanced,
    }
    told = {key: True for key, value in flags.items() if value}
    told |= {"tooltip": hint.tooltip} if hint.tooltip else {}
    told |= {"display_name": hint.label} if hint.label else {}
    passed = {key: value for key, value in input.extra.items() if key not in _PRIVATE}
    return {**default, **_look(input), **told, **passed}


def _look(input: Input) -> Mapping[str, Any]:
    match input.widget:
        case Number():
            return number_options(input.widget, whole="FLOAT" not in input.type.names)
        case Text(multiline, dynamic, placeholder):
            told = {"multiline": multiline, "dynamicPrompts": dynamic, "placeholder": placeholder}
        case Toggle(on, off):
            told = {"label_on": on, "label_off": off}
        case FileChoice(_, upload):
            told = {f"{upload}_upload": True} if upload else {}
        case _:
            return {}
    return {key: value for key, value in told.items() if value}


def number_options(number: Number, whole: bool) -> dict[str, Any]:
    """The bounds, step and look of a number widget by ComfyUI's names."""
    bounds = {"min": number.minimum, "max": number.maximum, "step": number.step, "round": number.round}
    told: dict[str, Any] = {
        key: int(value) if whole else value for key, value in bounds.items() if value is not None
    }
    told |= {"display": number.look} if number.look != "number" else {}
    return told | ({"control_after_generate": True} if number.seed else {})
