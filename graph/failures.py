"""Failures: what an exception in a node becomes for the person who reads it."""

import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from graph.events import NodeFailed
from graph.mapping import Failure, WrongResult
from graph.plan import Step

_SELF_EXPLAINING: Final = (WrongResult, RuntimeError, ValueError, OSError)
_LONGEST_MESSAGE: Final = 1000
_LONGEST_TRACE: Final = 20_000
_LONGEST_VALUE: Final = 100
_MOST_INPUTS: Final = 40


def failed(step: Step, error: BaseException, inputs: Mapping[str, list[Any]]) -> NodeFailed:
    """The event that tells of a node's failure: one sentence, the exception and its trace, the inputs."""
    return NodeFailed(
        node=step.id,
        message=f"Node {step.name}: {sentence(error)}",
        exception=full_name(type(error)),
        trace="" if isinstance(error, WrongResult) else trace(error),
        inputs={name: summary(items) for name, items in list(inputs.items())[:_MOST_INPUTS]},
        display_node=step.display,
    )


def failed_item(step: Step, failure: Failure, item: int, items: int) -> NodeFailed:
    """The event that tells of a failure with one item of a list: `item` of `items`, counted from 1."""
    event = failed(step, failure.error, {name: [value] for name, value in failure.call.items()})
    words = f"Node {step.name}, item {item} of {items}: {sentence(failure.error)}"
    return replace(event, message=words)


def full_name(kind: type) -> str:
    """A class by its module and name ("torch.OutOfMemoryError"); built-in ones by their name."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def sentence(error: BaseException) -> str:
    """What went wrong, as one sentence: the exception's own words, with its name where they need it."""
    if out_of_memory(error):
        return "It ran out of memory. Cached results were freed; try a smaller size or a smaller batch."
    if isinstance(error, RecursionError):
        return "It called itself too often (RecursionError)."
    if isinstance(error, SystemExit):
        return f"It tried to end the program (exit code {error.code})."
    words = _words(error)
    if not words:
        return f"It failed with {type(error).__name__}."
    if isinstance(error, _SELF_EXPLAINING):
        return words if words[-1] in ".!?" else f"{words}."
    return f"{type(error).__name__}: {words}"


def _words(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # a plugin's exception may fail even at this
        return ""
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory, of any device, ran out."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def trace(error: BaseException) -> str:
    """The exception's trace as text, its end kept when it is long."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # formatting calls str() of a plugin's exception
        return ""
    return text if len(text) <= _LONGEST_TRACE else "…" + text[-_LONGEST_TRACE:]


def summary(items: list[Any]) -> str:
    """An input's value in a few words: its text, or its type and shape."""
    if len(items) == 1:
        return _summary(items[0])
    return f"{len(items)} items" + (f", first {_summary(items[0])}" if items else "")


def _summary(value: Any) -> str:
    if value is None or isinstance(value, int | float | str | bool):
        text = repr(value) if not isinstance(value, int) or value.bit_length() < 1000 else "a huge number"
        return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
    kind = type(value).__name__
    if isinstance(value, list | tuple | dict):
        return f"{kind} of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
    try:
        shape = "×".join(map(str, value.shape))
        return f"{kind} {shape} {getattr(value, 'dtype', '')}".strip()
    except Exception:  # any object may be here
        return kind
