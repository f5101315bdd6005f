"""Widgets as ComfyUI's front end makes them: which inputs have one, in what order, with what default."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Text, Toggle

CONTROLS: Final = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
"""What may happen to a value after a run."""

_SEED_NAMES: Final = ("seed", "noise_seed")
_WIDGET_TYPES: Final = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of `widgets_values`: an input's value, its control after generate, or one without meaning."""

    input: Input
    holds: Literal["value", "control", "upload", "forced"]


def front_order(spec: NodeSpec) -> list[Input]:
    """The inputs in the order of `input_order`: the required ones, then the optional ones."""
    return sorted(spec.inputs, key=lambda input: not input.required)


def has_widget(input: Input) -> bool:
    """Whether the front end draws a widget for an input."""
    return input.widget is not None and not input.hint.link_only


def socket_order(spec: NodeSpec) -> list[Input]:
    """The inputs as slots of a node: those without a widget first."""
    return sorted(front_order(spec), key=has_widget)


def has_control(input: Input) -> bool:
    """Whether a value that says what happens after a run follows an input's own."""
    if isinstance(input.widget, Number) and input.type.names == ("INT",):
        return input.widget.seed or input.name in _SEED_NAMES
    return bool(input.extra.get("control_after_generate"))


def has_upload(input: Input) -> bool:
    """Whether an upload button follows an input's widget."""
    if isinstance(input.widget, FileChoice) and input.widget.upload:
        return True
    return any(value is True for key, value in input.extra.items() if key.endswith("_upload"))


def places(spec: NodeSpec, uploads: bool = True, forced: bool = False) -> list[Place]:
    """The entries of a node type's `widgets_values` in order; upload buttons come last.

    Old files lack those of upload buttons, or hold `forced` ones: an entry for each input that would have a
    widget if it did not only take links.
    """
    found, buttons = list[Place](), list[Place]()
    for input in front_order(spec):
        if has_widget(input):
            found.append(Place(input, "value"))
            found += [Place(input, "control")] if has_control(input) else []
            buttons += [Place(input, "upload")] if uploads and has_upload(input) else []
        elif forced and input.type.names[0] in _WIDGET_TYPES:
            found.append(Place(input, "forced"))
    return found + buttons


def default_value(input: Input) -> Any:
    """What the front end's widget holds at first, or MISSING when that cannot be known (a file)."""
    if input.default is not MISSING and input.default is not None:
        return input.default
    match input.widget:
        case Choice(options):
            return options[0] if options else MISSING
        case Number(minimum=minimum):
            return max(0, minimum or 0)
        case Text():
            return ""
        case Toggle():
            return False
        case _:
            return MISSING
