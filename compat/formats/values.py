"""`widgets_values`: the values of a node's widgets as ComfyUI's front end lists them, read and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from compat.formats.litegraph import RawNode
from compat.formats.widgets import (
    CONTROLS,
    Place,
    default_value,
    front_order,
    has_control,
    has_widget,
    places,
)
from graph.spec import MISSING, FileChoice, Input, NodeSpec

UPLOAD_BUTTON: Final = "image"
OLD_CONTROLS: Final[Mapping[bool, str]] = {True: "randomize", False: "fixed"}
"""What very old files hold in place of a word."""


@dataclass(frozen=True, slots=True)
class Values:
    """Values by input, and by input what happens to them after a run. `unnamed` could not be told apart."""

    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    controls: Mapping[str, str] = field(default_factory=dict[str, str])
    unnamed: Sequence[Any] = ()


def read_values(node: RawNode, spec: NodeSpec | None) -> Values:
    """The values of a node's widgets by input name."""
    if isinstance(node.values, Mapping):
        return _named(node.values, spec)
    if spec is None:
        return _untyped(node, node.values)
    return _placed(node.values, _fitting(spec, node.values))


def _named(values: Mapping[str, Any], spec: NodeSpec | None) -> Values:
    """Values kept by name. Of a known type only inputs are: the rest belongs to the front end."""
    known = {input.name: input for input in spec.inputs} if spec else None
    found = {name: value for name, value in values.items() if known is None or name in known}
    control = _control(values.get("control_after_generate"))
    seeds = [name for name in found if known and has_control(known[name])] if control else []
    return Values(found, dict.fromkeys(seeds[:1], control))


def _fitting(spec: NodeSpec, values: Sequence[Any]) -> list[Place]:
    """The places that a list of values was written for, told by its length and where a button's value is."""
    usual = places(spec)
    if len(values) != len(usual):
        old = (places(spec, uploads, forced=True) for uploads in (True, False))
        with_forced = (found for found in old if len(found) == len(values))
        return next((found for found in with_forced if _holds(found, "forced")), usual)
    if _holds(usual, "upload") and not _is_button(values[-1]):
        return _button_moved(usual, values)
    return usual


def _holds(found: Sequence[Place], what: str) -> bool:
    return any(place.holds == what for place in found)


def _is_button(value: Any) -> bool:
    return value is None or value == UPLOAD_BUTTON


def _button_moved(usual: list[Place], values: Sequence[Any]) -> list[Place]:
    """The places with the upload button's value where it is, if it is not last."""
    rest = [place for place in usual if place.holds != "upload"]
    buttons = [place for place in usual if place.holds == "upload"]
    chosen = next((index for index, place in enumerate(rest) if place.input == buttons[0].input), 0)
    for index in range(chosen + 1, len(values)):
        if _is_button(values[index]):
            return [*rest[:index], buttons[0], *rest[index:]]
    return usual


def _placed(values: Sequence[Any], into: Sequence[Place]) -> Values:
    found, controls, at = dict[str, Any](), dict[str, str](), 0
    for place in into:
        if at >= len(values):
            break
        value = values[at]
        if place.holds == "control":
            if not _control(value) and len(values) < len(into):
                continue
            controls[place.input.name] = _control(value)
        elif place.holds == "value" and not (value is None and _fills_up(place.input)):
            found[place.input.name] = value
        at += 1
    return Values(found, {name: word for name, word in controls.items() if word})


def _fills_up(input: Input) -> bool:
    """Whether null stands for "not told" rather than for a value."""
    return input.default is not None


def _control(value: Any) -> str:
    """A control after generate as a word, or "" when the value is none."""
    if isinstance(value, bool):
        return OLD_CONTROLS[value]
    return value if isinstance(value, str) and value in CONTROLS else ""


def _untyped(node: RawNode, values: list[Any]) -> Values:
    """Without a node type the file's own widget inputs name the values, if it lists them all.

    Files embedded in pictures list only those that are linked, so one that is not tells that all are there.
    """
    slots = [slot for slot in node.inputs if slot.widget]
    if len(slots) != len(values) and all(slot.link for slot in slots):
        return Values(unnamed=values)
    found, controls, at = dict[str, Any](), dict[str, str](), 0
    for slot in slots[: len(values)]:
        found[slot.name] = values[at]
        at += 1
        surplus = len(values) - at > len(slots) - len(found)
        if surplus and values[at] in CONTROLS and slot.types[0] in ("INT", "COMBO"):
            controls[slot.name] = values[at]
            at += 1
    return Values(found, controls, values[at:])


def write_values(spec: NodeSpec, given: Mapping[str, Any], controls: Mapping[str, Any]) -> list[Any]:
    """The values of a node's widgets in order, defaults where none is given."""
    return [_written(place, given, controls) for place in places(spec)]


def _written(place: Place, given: Mapping[str, Any], controls: Mapping[str, Any]) -> Any:
    input = place.input
    match place.holds:
        case "control":
            return controls.get(input.name, "fixed")
        case "upload":
            kind = input.widget.upload if isinstance(input.widget, FileChoice) else ""
            return kind or UPLOAD_BUTTON
        case _:
            value = given[input.name] if input.name in given else default_value(input)
            return "" if value is MISSING else value


def widget_inputs(spec: NodeSpec) -> list[Input]:
    """The inputs that have a widget, in the front end's order."""
    return [input for input in front_order(spec) if has_widget(input)]
