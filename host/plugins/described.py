"""Node types of plugins as plain values: written where their code runs, read where it must not."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

from graph.sockets import SocketType
from graph.spec import (
    MISSING,
    Choice,
    FileChoice,
    Hint,
    Input,
    NodeSpec,
    Number,
    Output,
    Text,
    Toggle,
    Widget,
)
from host.plugins.frozen import frozen

NATIVE: Final = "native"
"""The key that tells a description of ours from another contract's."""
_WIDGETS: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind for kind in (Number, Text, Choice, FileChoice, Toggle)
}
_PLAIN: Final = (
    "id", "title", "category", "description", "source", "version", "digest", "output", "takes_lists",
    "is_async", "idempotent", "deprecated", "experimental", "takes_any_input",
)  # fmt: skip
OWN_CODE: Final = "own code"
"""The key of a spec's extra, where its plugin does not run, for what only the plugin's code can say."""
_OWN: Final = ("check", "infer")


def description_of(spec: NodeSpec) -> dict[str, Any]:
    """A node type as plain values."""
    plain = {name: getattr(spec, name) for name in _PLAIN}
    return {
        NATIVE: True,
        **plain,
        "hidden": dict(spec.hidden),
        "extra": dict(spec.extra),
        "inputs": [_input(item) for item in spec.inputs],
        "outputs": [asdict(item) for item in spec.outputs],
        "own": own_code(spec),
    }


def own_code(spec: NodeSpec) -> list[str]:
    """What only the code of a node type's plugin can say of its values, where that code is."""
    return [name for name in _OWN if getattr(spec, name) is not None]


def spec_from(told: Mapping[str, Any]) -> NodeSpec:
    """The node type of a description; running it says that its plugin is not loaded here."""
    return NodeSpec(
        run=_not_here,
        inputs=tuple(map(_input_from, told["inputs"])),
        outputs=tuple(map(_output_from, told["outputs"])),
        hidden=told["hidden"],
        extra={key: frozen(value) for key, value in told["extra"].items()} | _elsewhere(told),
        **{name: told[name] for name in _PLAIN},
    )


def _elsewhere(told: Mapping[str, Any]) -> dict[str, Any]:
    return {OWN_CODE: tuple(told["own"])} if told["own"] else {}


def _not_here(**inputs: Any) -> Any:
    raise RuntimeError("The plugin of this node is not loaded in this process.")


def _input(item: Input) -> dict[str, Any]:
    widget = None if item.widget is None else {"kind": type(item.widget).__name__, **_values(item.widget)}
    return {
        "name": item.name,
        "type": asdict(item.type),
        "required": item.required,
        "default": {} if item.default is MISSING else {"is": item.default},
        "widget": widget,
        "hint": asdict(item.hint),
        "extra": dict(item.extra),
    }


def _values(widget: Widget) -> dict[str, Any]:
    return {field.name: getattr(widget, field.name) for field in fields(widget)}


def _input_from(told: Mapping[str, Any]) -> Input:
    return Input(
        told["name"],
        _type(told["type"]),
        told["required"],
        told["default"].get("is", MISSING),
        _widget(told["widget"]),
        Hint(**told["hint"]),
        told["extra"],
    )


def _output_from(told: Mapping[str, Any]) -> Output:
    return Output(told["name"], _type(told["type"]), told["is_list"], told["tooltip"])


def _widget(told: Mapping[str, Any] | None) -> Widget | None:
    if told is None:
        return None
    values = {key: frozen(value) for key, value in told.items() if key != "kind"}
    return _WIDGETS[told["kind"]](**values)


def _type(told: Mapping[str, Any]) -> SocketType:
    return SocketType(
        tuple(told["names"]), tuple((key, value) for key, value in told["facts"]), told["is_list"]
    )
