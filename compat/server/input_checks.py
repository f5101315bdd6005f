"""The checks of one node's inputs, with the errors that ComfyUI's clients know."""

import math
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from compat.object_info import input_entry, number_options, type_text
from graph.context import Files
from graph.sockets import ANY_NAME, SocketType, names_fit
from graph.spec import Choice, FileChoice, Input, NodeSpec, Number

Error = dict[str, Any]
WRAPPER: Final = "__value__"
_MOST_LISTED: Final = 20
_MOST_TEXT: Final = 4000


@dataclass(frozen=True, slots=True)
class NodeCheck:
    """One node: its errors, links to follow, values that were converted; or what the check itself raised."""

    errors: list[Error] = field(default_factory=list[Error])
    sources: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    raised: Exception | None = None


def error(type: str, message: str, details: str = "", **extra: Any) -> Error:
    """An error as it goes over the wire."""
    return {"type": type, "message": message, "details": details, "extra_info": extra}


def outer_exception(raised: Exception) -> Error:
    """What could not be checked, on an output node."""
    return error(
        "exception_during_validation",
        "Exception when validating node",
        str(raised),
        exception_type=type(raised).__name__,
        traceback=traceback.format_exception_only(raised),
    )


def inner_exception(raised: Exception, name: str, config: Any, link: Any) -> Error:
    """What could not be checked, on a node that another's input `name` needs."""
    return error(
        "exception_during_inner_validation",
        "Exception when validating inner node",
        str(raised),
        input_name=name,
        input_config=config,
        exception_message=str(raised),
        exception_type=type(raised).__name__,
        traceback=traceback.format_exception_only(raised),
        linked_node=link,
    )


@dataclass(frozen=True)
class NodeChecker:
    """Checks the nodes of one prompt, each by itself."""

    prompt: Mapping[str, Any]
    specs: Mapping[str, NodeSpec]
    files: Files

    def check(self, id: str) -> NodeCheck:
        """Everything wrong with a node's inputs; those it does not declare are ignored."""
        check = NodeCheck()
        try:
            inputs = self.prompt[id]["inputs"]
            if not isinstance(inputs, dict):
                raise TypeError(f"inputs is {type(inputs).__name__}, not an object")
            for input in _in_order(self.specs[id].inputs):
                self._check_input(check, input, cast("dict[str, Any]", inputs))
        except (KeyError, IndexError, TypeError) as raised:
            return NodeCheck(raised=raised)
        return check

    def input_config(self, id: str, name: str) -> list[Any]:
        """[TYPE, OPTIONS] of an input."""
        return self._config(next(input for input in self.specs[id].inputs if input.name == name))

    def _config(self, input: Input) -> list[Any]:
        entry = input_entry(input, self.files.names)
        return entry if len(entry) > 1 else [*entry, {}]

    def _check_input(self, check: NodeCheck, input: Input, inputs: Mapping[str, Any]) -> None:
        name = input.name
        if name not in inputs:
            if input.required:
                check.errors.append(
                    error("required_input_missing", "Required input is missing", name, input_name=name)
                )
        elif isinstance(inputs[name], list):
            self._check_link(check, input, inputs[name])
        else:
            self._check_value(check, input, inputs[name])

    def _check_link(self, check: NodeCheck, input: Input, link: Any) -> None:
        name = input.name
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            config = self._config(input)
            check.errors.append(
                error(
                    "bad_linked_input",
                    message,
                    name,
                    input_name=name,
                    input_config=config,
                    received_value=link,
                )
            )
            return
        given = self._given(link)
        if _fits(input, given):
            check.sources.append((name, link))
            return
        wanted = self._config(input)
        details = f"{name}, received_type({type_text(given)}) mismatch input_type({wanted[0]})"
        check.errors.append(
            error(
                "return_type_mismatch",
                "Return type mismatch between linked nodes",
                details,
                input_name=name,
                input_config=wanted,
                received_type=type_text(given),
                linked_node=link,
            )
        )

    def _given(self, link: Sequence[Any]) -> SocketType:
        """The type of what a link brings. Raises KeyError, IndexError or TypeError when it names nothing."""
        node, slot = link
        if node not in self.specs:
            raise KeyError(node)
        if not isinstance(slot, int):
            raise TypeError(f"tuple indices must be integers or slices, not {type(slot).__name__}")
        if not 0 <= slot < len(self.specs[node].outputs):
            raise IndexError("tuple index out of range")
        return self.specs[node].outputs[slot].type

    def _check_value(self, check: NodeCheck, input: Input, raw: Any) -> None:
        value: Any = (
            cast("dict[str, Any]", raw).get(WRAPPER, cast(Any, raw)) if isinstance(raw, dict) else raw
        )
        try:
            converted = _converted(input, value)
        except (ValueError, TypeError, OverflowError) as raised:
            check.errors.append(self._not_convertible(input, value, raised))
            return
        if type(converted) is not type(cast(Any, raw)) or converted != raw:
            check.values[input.name] = _stored(converted)
        if not input.extra.get("unchecked"):
            check.errors.extend(self._out_of_range(input, converted))

    def _not_convertible(self, input: Input, value: Any, raised: Exception) -> Error:
        name = input.name
        return error(
            "invalid_input_type",
            f"Failed to convert an input value to a {type_text(input.type)} value",
            f"{name}, {_short(value)}, {raised}",
            input_name=name,
            input_config=self._config(input),
            received_value=value,
            exception_message=str(raised),
        )

    def _out_of_range(self, input: Input, value: Any) -> Iterable[Error]:
        match input.widget:
            case Number() if isinstance(value, int | float):
                return self._number_errors(input, input.widget, value)
            case Choice(options) if not input.type.is_list:
                return self._choice_errors(input, value, options)
            case FileChoice(kind, upload) if not upload:
                if isinstance(value, str) and self.files.find(kind, value) is not None:
                    return ()
                return self._choice_errors(input, value, self.files.names(kind))
            case _:
                return ()

    def _number_errors(self, input: Input, number: Number, value: float) -> Iterable[Error]:
        bounds = number_options(number, whole="FLOAT" not in input.type.names)
        if "min" in bounds and value < bounds["min"]:
            yield self._fault(
                input, value, "value_smaller_than_min", f"Value {value} smaller than min of {bounds['min']}"
            )
        elif "max" in bounds and value > bounds["max"]:
            yield self._fault(
                input, value, "value_bigger_than_max", f"Value {value} bigger than max of {bounds['max']}"
            )

    def _fault(self, input: Input, value: Any, type: str, message: str) -> Error:
        config = self._config(input)
        return error(
            type, message, input.name, input_name=input.name, input_config=config, received_value=value
        )

    def _choice_errors(self, input: Input, value: Any, options: Sequence[Any]) -> Iterable[Error]:
        if value in options:
            return
        many = len(options) > _MOST_LISTED
        among = f"(list of length {len(options)})" if many else str(list(options))
        yield error(
            "value_not_in_list",
            "Value not in list",
            f"{input.name}: '{_short(value)}' not in {among}",
            input_name=input.name,
            input_config=None if many else self._config(input),
            received_value=value,
        )


def _in_order(inputs: Iterable[Input]) -> list[Input]:
    return sorted(inputs, key=lambda input: not input.required)


def _fits(input: Input, given: SocketType) -> bool:
    """Types meet when they share a name; wider than that only where a choice takes a text."""
    if input.extra.get("unchecked_link"):
        return True
    if isinstance(input.widget, Choice | FileChoice):
        return names_fit(input.type, given)
    wanted = input.type.names
    return ANY_NAME in wanted or ANY_NAME in given.names or not set(wanted).isdisjoint(given.names)


def _converted(input: Input, value: Any) -> Any:
    """A value as ComfyUI's conversions make it. Raises what they raise."""
    names = input.type.names
    if len(names) != 1 or isinstance(input.widget, Choice | FileChoice) or input.type.is_list:
        return value
    convert = _CONVERSIONS.get(names[0])
    return value if convert is None else convert(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is not a finite number")
    return number


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"


def _stored(value: Any) -> Any:
    """A plain list stays wrapped, so that it is never read as a link."""
    return {WRAPPER: cast("list[Any]", value)} if isinstance(value, list) else value


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "INT": int,
    "FLOAT": _finite,
    "STRING": str,
    "BOOLEAN": bool,
}
