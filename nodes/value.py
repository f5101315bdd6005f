"""Plain values: numbers, texts and switches that stand in a box of their own."""

from typing import Annotated, Any, Final

from graph.node import node
from graph.outcome import Outcome
from graph.spec import Hint, Number
from nodes.sockets import AnyValue, Lines

LARGEST: Final = 2**63 - 1
CATEGORY: Final = "utils/primitive"

BigInt = Annotated[int, Number(-LARGEST, LARGEST, seed=True), Hint("A whole number.")]
BigFloat = Annotated[float, Number(-LARGEST, LARGEST), Hint("A number.")]


@node("PrimitiveInt", title="Int", category=CATEGORY)
def primitive_int(value: BigInt) -> int:
    """A whole number."""
    return value


@node("PrimitiveFloat", title="Float", category=CATEGORY)
def primitive_float(value: BigFloat) -> float:
    """A number with a fraction."""
    return value


@node("PrimitiveString", title="String", category=CATEGORY)
def primitive_string(value: Annotated[str, Hint("A text of one line.")]) -> str:
    """A text."""
    return value


@node("PrimitiveStringMultiline", title="String (Multiline)", category=CATEGORY)
def primitive_string_multiline(value: Annotated[Lines, Hint("A text of any length.")]) -> str:
    """A text of several lines."""
    return value


@node("PrimitiveBoolean", title="Boolean", category=CATEGORY)
def primitive_boolean(value: Annotated[bool, Hint("Yes or no.")]) -> bool:
    """Yes or no."""
    return value


@node("PreviewAny", title="Preview Any", category="utils", output=True)
def preview_any(source: Annotated[AnyValue, Hint("The value to show.")]) -> Outcome:
    """Any value shown as text."""
    text = source if isinstance(source, str) else str(source)
    return Outcome(ui={"text": list[Any]([text])})
