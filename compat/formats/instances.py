"""Instances of subgraphs as the editor saves them: which widgets they show, and the values of those."""

from collections.abc import Mapping
from typing import Any, Final

from compat.formats.litegraph import Definition, RawNode, RawSlot
from compat.formats.shape import identity, mapping, sequence, text
from compat.formats.widgets import CONTROLS

BOUNDARY: Final = "-1"
"""Stands for the subgraph's own inputs where shown widgets are listed."""
PROXIES: Final = "proxyWidgets"


def shown_widgets(node: RawNode, definition: Definition) -> list[tuple[str, str]]:
    """The widgets an instance shows, in order: an inner node's id and widget, or "-1" and an input's name."""
    if definition.promoted is not None:
        return [(BOUNDARY, name) for name in definition.promoted]
    proxies = [sequence(item) for item in sequence(mapping(node.data.get("properties")).get(PROXIES))]
    if proxies:
        return [(identity(item[0]), text(item[1])) for item in proxies if len(item) >= 2]
    shown = {slot.name: slot.widget for slot in node.inputs}
    return [
        (BOUNDARY, slot.name)
        for index, slot in enumerate(definition.inputs)
        if (shown[slot.name] if slot.name in shown else definition.feeds_widget(index))
    ]


def shown_values(node: RawNode, definition: Definition) -> Mapping[tuple[str, str], Any]:
    """The values of the widgets that an instance shows."""
    places, values = shown_widgets(node, definition), node.values
    if isinstance(values, Mapping):
        return {place: values[place[1]] for place in places if place[1] in values}
    return dict(zip(places, _without_controls(values, len(places)), strict=False))


def _without_controls(values: list[Any], count: int) -> list[Any]:
    """Values less those that tell what happens after a run, where there are more values than widgets."""
    return [value for value in values if value not in CONTROLS] if len(values) > count else values


def outer_link(node: RawNode, inputs: tuple[RawSlot, ...], number: int) -> str:
    """The link into an instance for an input of its subgraph, by name: unlinked ones may be left out."""
    named = [end.link for end in node.inputs if end.name == inputs[number].name]
    if named:
        return named[0]
    return node.inputs[number].link if len(node.inputs) == len(inputs) else ""
