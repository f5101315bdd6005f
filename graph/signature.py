"""Reads a function's signature: parameters become inputs, the return type becomes outputs."""

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from graph.context import Context
from graph.outcome import Blocker, Outcome
from graph.sockets import ANY, Socket, SocketType, as_list, socket_type, union
from graph.spec import (
    MISSING,
    Choice,
    FileChoice,
    Hidden,
    Hint,
    Input,
    Number,
    Output,
    Outputs,
    Text,
    Toggle,
    Widget,
)

CONTEXT: Final = "context"
_PLAIN: Final[dict[Any, tuple[str, Widget]]] = {
    bool: ("BOOLEAN", Toggle()),
    int: ("INT", Number()),
    float: ("FLOAT", Number()),
    str: ("STRING", Text()),
}
_PLAIN_HINT: Final = Hint()
_FITTING: Final[dict[str, type[Number | Text | Toggle]]] = {
    "INT": Number,
    "FLOAT": Number,
    "STRING": Text,
    "BOOLEAN": Toggle,
}


class SignatureError(Exception):
    """A function that cannot be a node; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an annotation says of one input or output."""

    type: SocketType
    widget: Widget | None = None
    hint: Hint = _PLAIN_HINT
    optional: bool = False
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's inputs and outputs, the parameters the engine fills in, and how it takes lists."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    hidden: dict[str, str]
    takes_any_input: bool


def read_signature(function: Callable[..., Any]) -> Signature:
    """The inputs and outputs a function declares. Raises SignatureError with a sentence."""
    hints = _hints(function)
    inputs, hidden, takes_any = list[Input](), dict[str, str](), False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise SignatureError(f"parameter *{parameter.name} cannot be an input: give each input a name")
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
            continue
        reading = _parameter(parameter, hints)
        if reading.hidden:
            hidden[parameter.name] = reading.hidden
        else:
            inputs.append(_input(parameter, reading))
    if "return" not in hints:
        raise SignatureError("it has no return annotation: write what it returns, or -> None")
    return Signature(tuple(inputs), read_outputs(hints["return"]), hidden, takes_any)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise SignatureError(f"its annotations cannot be read: {error}") from error


def _parameter(parameter: inspect.Parameter, hints: dict[str, Any]) -> Reading:
    if parameter.name not in hints:
        raise SignatureError(
            f"parameter {parameter.name} has no annotation: write {parameter.name}: its type"
        )
    try:
        return read_annotation(hints[parameter.name])
    except SignatureError as error:
        raise SignatureError(f"parameter {parameter.name}: {error}") from error


def _input(parameter: inspect.Parameter, reading: Reading) -> Input:
    given: Any = parameter.default
    default = MISSING if given is inspect.Parameter.empty else given
    plain = Input(parameter.name, reading.type, widget=reading.widget, hint=reading.hint)
    if default is MISSING:
        return replace(plain, required=False, default=None) if reading.optional else plain
    try:
        checked = _default(reading, default)
    except SignatureError as error:
        raise SignatureError(f"parameter {parameter.name}: {error}") from error
    return replace(plain, required=not (default is None or reading.hint.optional), default=checked)


def _default(reading: Reading, default: Any) -> Any:
    if default is None:
        if not reading.optional and reading.type != ANY:
            raise SignatureError("its default is None, so annotate it as optional: X | None = None")
        return None
    if reading.type.is_list:
        return default
    match reading.widget:
        case Number() as number:
            return _number_default(reading.type, number, default)
        case Choice(options=options) if not _among(default, options):
            listed = ", ".join(map(repr, options))
            raise SignatureError(f"its default {default!r} is not among its choices: {listed}")
        case Toggle() if not isinstance(default, bool):
            raise SignatureError(f"its default {default!r} is not True or False")
        case Text() | FileChoice() if not isinstance(default, str):
            raise SignatureError(f"its default {default!r} is not text")
        case None if reading.type != ANY and not reading.hint.link_only:
            raise SignatureError(f"{reading.type} only comes by link, so its default can only be None")
        case _:
            return default


def _among(value: Any, options: tuple[Any, ...]) -> bool:
    return any(value == option and type(value) is type(option) for option in options)


def _number_default(kind: SocketType, number: Number, default: Any) -> Any:
    whole = "FLOAT" not in kind.names
    if isinstance(default, bool) or not isinstance(default, int if whole else (int, float)):
        raise SignatureError(f"its default {default!r} is not {'a whole' if whole else 'a'} number")
    if number.minimum is not None and default < number.minimum:
        raise SignatureError(f"its default {default} is below its minimum {number.minimum}")
    if number.maximum is not None and default > number.maximum:
        raise SignatureError(f"its default {default} is above its maximum {number.maximum}")
    return default if "INT" in kind.names else float(default)


def read_annotation(annotation: Any) -> Reading:
    """What one annotation says. Raises SignatureError with a sentence."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *marks = get_args(annotation)
        return _marked(base, marks)
    if origin in (Union, types.UnionType):
        return _union(list(get_args(annotation)))
    if origin is Literal:
        return Reading(SocketType(("COMBO",)), Choice(get_args(annotation)))
    if origin in (list, Sequence):
        item = read_annotation(get_args(annotation)[0])
        return replace(item, type=as_list(item.type))
    return _bare(annotation)


def _bare(annotation: Any) -> Reading:
    if annotation is Any or annotation is object:
        return Reading(ANY)
    if annotation is Context:
        return Reading(ANY, hidden=CONTEXT)
    if annotation is list:
        return Reading(as_list(ANY))
    if annotation in _PLAIN:
        name, widget = _PLAIN[annotation]
        return Reading(SocketType((name,)), widget)
    name = getattr(annotation, "__name__", str(annotation))
    raise SignatureError(
        f'{name} is no socket type: write Annotated[{name}, Socket("{name.upper()}")], or use an alias of one'
    )


def _union(arms: list[Any]) -> Reading:
    readings = [read_annotation(arm) for arm in arms if arm is not types.NoneType]
    optional = len(readings) < len(arms) or any(reading.optional for reading in readings)
    if len(readings) == 1:
        return replace(readings[0], optional=optional)
    kind = union(tuple(reading.type for reading in readings))
    widget = next((reading.widget for reading in readings if reading.widget), None)
    numbers = all(isinstance(reading.widget, Number) for reading in readings)
    return Reading(kind, widget if numbers else None, optional=optional)


def _marked(base: Any, marks: list[Any]) -> Reading:
    sockets = [mark for mark in marks if isinstance(mark, Socket)]
    hidden = [mark for mark in marks if isinstance(mark, Hidden)]
    if hidden:
        return Reading(ANY, hidden=hidden[-1].kind)
    if sockets:
        reading = Reading(socket_type(sockets[-1].name, sockets[-1].facts), optional=_takes_none(base))
    else:
        reading = read_annotation(base)
    for mark in marks:
        if isinstance(mark, Number | Text | Choice | FileChoice | Toggle):
            reading = _with_widget(reading, mark)
        elif isinstance(mark, Hint):
            reading = replace(reading, hint=mark)
    return replace(reading, widget=None) if reading.hint.link_only else reading


def _takes_none(base: Any) -> bool:
    return get_origin(base) in (Union, types.UnionType) and types.NoneType in get_args(base)


def _with_widget(reading: Reading, widget: Widget) -> Reading:
    if isinstance(widget, Choice | FileChoice):
        return replace(reading, type=replace(reading.type, names=("COMBO",)), widget=widget)
    fitting = {kind for name, kind in _FITTING.items() if name in reading.type.names}
    if fitting and type(widget) not in fitting:
        raise SignatureError(f"a {type(widget).__name__} widget does not fit {reading.type}")
    return replace(reading, widget=widget)


def read_outputs(annotation: Any) -> tuple[Output, ...]:
    """The outputs a return annotation declares. Raises SignatureError with a sentence."""
    if get_origin(annotation) is Annotated:
        declared = [mark for mark in get_args(annotation)[1:] if isinstance(mark, Outputs)]
        if declared:
            return tuple(Output(name, socket_type(kind)) for name, kind in declared[-1].items)
    if get_origin(annotation) in (Union, types.UnionType):
        arms = [arm for arm in get_args(annotation) if arm not in (Outcome, Blocker)]
        if len(arms) < len(get_args(annotation)):
            return () if arms in ([], [types.NoneType]) else read_outputs(Union[tuple(arms)])  # noqa: UP007
    if annotation in (None, types.NoneType, Outcome):
        return ()
    if get_origin(annotation) is tuple:
        return tuple(_output("", arm) for arm in get_args(annotation) if arm is not Ellipsis)
    if hasattr(annotation, "_fields"):
        fields = typing.get_type_hints(annotation, include_extras=True)
        return tuple(_output(name, fields[name]) for name in cast(tuple[str, ...], annotation._fields))
    return (_output("", annotation),)


def _output(name: str, annotation: Any) -> Output:
    try:
        reading = read_annotation(annotation)
    except SignatureError as error:
        raise SignatureError(f"return type: {error}") from error
    is_list = reading.type.is_list
    return Output(name or "|".join(reading.type.names), reading.type, is_list, reading.hint.tooltip)
