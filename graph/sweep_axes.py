"""The axes of a sweep, read from a line of text or from the `sweep` of a document."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn, cast

from graph.document import Workflow
from graph.problems import Problem, WorkflowError
from graph.suggestions import shown
from graph.sweep import Axis, Stop

MOST_STOPS: Final = 10_000
_LONGEST_LABEL: Final = 40
_FORMS: Final = (
    "Write node.input=1,2,3, node.input=START:STOP:STEP, node.input=@FILE.csv:COLUMN or @FILE.csv."
)

Table = Sequence[Mapping[str, str]]
"""The rows of a CSV file, by column."""
ReadTable = Callable[[str], Table]


def read_axis(text: str, read_table: ReadTable) -> Axis:
    """An axis as written on a command line.

    `sampler.cfg=3:9:2` is a range, its end included; `sampler.cfg=3,5,7` and `prompt=["a cat", "a dog"]` are
    lists; `prompt=@people.csv:name` is a column; `@people.csv` sets one input a column, row by row. Raises
    WorkflowError with a sentence.
    """
    if text.startswith("@"):
        return _table_axis(text[1:], read_table)
    address, separator, values = text.partition("=")
    if not separator or not address.strip() or not values.strip():
        _refuse(f"{shown(text)} is no sweep.", _FORMS)
    return _axis(address.strip(), _values(values.strip(), read_table))


def axes_of(workflow: Workflow, read_table: ReadTable) -> list[Axis]:
    """The axes that a document's `sweep` lists. Raises WorkflowError with a sentence.

    Each is {"input": address, "values": [...]}, {"input": address, "range": [start, stop, step]},
    {"input": address, "table": FILE, "column": NAME}, {"table": FILE} or {"inputs": {address: [...]}}.
    """
    given = workflow.extra.get("sweep", [])
    if not isinstance(given, list):
        _refuse(
            f"The sweep is {shown(given)}, not a list.", 'Write "sweep": [{"input": ..., "values": [...]}].'
        )
    return [_document_axis(item, read_table) for item in cast(list[Any], given)]


def document_axis(axis: Axis) -> dict[str, Any]:
    """An axis as a document lists it."""
    names = dict.fromkeys(name for stop in axis.stops for name in stop.values)
    return {"inputs": {name: [stop.values.get(name) for stop in axis.stops] for name in names}}


def _document_axis(item: Any, read_table: ReadTable) -> Axis:
    words = shown(item)
    given = cast(Mapping[str, Any], item) if isinstance(item, Mapping) else dict[str, Any]()
    address, file = given.get("input"), given.get("table")
    match sorted(given), given:
        case ["input", "values"], {"values": list()} if isinstance(address, str):
            return _axis(address, given["values"])
        case ["input", "range"], {"range": [_, _] | [_, _, _]} if isinstance(address, str):
            return _axis(address, _range([str(end) for end in given["range"]]))
        case ["column", "input", "table"], {"column": str(column)} if isinstance(address, str):
            return _axis(address, _column(str(file), column, read_table))
        case ["inputs"], {"inputs": dict()}:
            return _together(given["inputs"])
        case ["table"], {"table": str()}:
            return _table_axis(str(file), read_table)
        case _:
            fix = 'Give "input" with "values", "range" or "table" and "column", or "inputs" or "table" alone.'
            _refuse(f"{words} is no axis of a sweep.", fix)


def _axis(address: str, values: Sequence[Any]) -> Axis:
    return _checked(Axis(tuple(Stop({address: value}, _label(address, value)) for value in values)), address)


def _together(columns: Mapping[str, Any]) -> Axis:
    lengths = {len(cast(list[Any], item)) if isinstance(item, list) else -1 for item in columns.values()}
    if len(lengths) != 1 or -1 in lengths:
        _refuse("The inputs of one axis need lists of one length.", "Give each input as many values.")
    rows = zip(*columns.values(), strict=True)
    return _rows([dict(zip(columns, row, strict=True)) for row in rows], ", ".join(columns))


def _table_axis(file: str, read_table: ReadTable) -> Axis:
    return _rows(read_table(file), file)


def _rows(rows: Sequence[Mapping[str, Any]], what: str) -> Axis:
    stops = (Stop(dict(row), ", ".join(_label(*pair) for pair in row.items())) for row in rows)
    return _checked(Axis(tuple(stops)), what)


def _checked(axis: Axis, what: str) -> Axis:
    if not axis.stops:
        _refuse(f"The sweep of {what[:80]} has no values.", _FORMS)
    if len(axis.stops) > MOST_STOPS:
        _refuse(f"The sweep of {what[:80]} has {len(axis.stops):,} values.", f"Give {MOST_STOPS:,} at most.")
    return axis


def _label(address: str, value: Any) -> str:
    text = f"{address.rpartition('.')[2]} {value}"
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _values(text: str, read_table: ReadTable) -> Sequence[Any]:
    if text.startswith("@"):
        file, _, column = text[1:].rpartition(":")
        return (
            _column(file, column, read_table) if file else _refuse(f"{shown(text)} names no column.", _FORMS)
        )
    if text.startswith("["):
        return _json_list(text)
    if _is_range(parts := [part.strip() for part in text.split(":")]):
        return _range(parts)
    return [part.strip() for part in text.split(",")]


def _json_list(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        _refuse(f"{shown(text)} is no JSON list.", 'Write ["a", "b"].')
    if not isinstance(value, list):
        _refuse(f"{shown(text)} is no list.", 'Write ["a", "b"].')
    return cast(list[Any], value)


def _column(file: str, column: str, read_table: ReadTable) -> list[str]:
    rows = read_table(file)
    if rows and column not in rows[0]:
        _refuse(f"{file} has no column {column}.", f"It has {', '.join(rows[0])}.")
    return [row[column] for row in rows]


def _is_range(parts: Sequence[str]) -> bool:
    return 2 <= len(parts) <= 3 and all(_number(part) is not None for part in parts)


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _range(parts: Sequence[str]) -> list[int | float]:
    """Numbers from the first to the second, it included, by the third (1)."""
    start, stop, step = ([_number(part) for part in parts] + [Decimal(1)])[:3]
    if start is None or stop is None or not step or (stop - start) / step < 0:
        _refuse(
            f"{':'.join(parts)} is no range.",
            "Write START:STOP:STEP, with a step that leads from one to the other.",
        )
    count = int((stop - start) / step) + 1
    if count > MOST_STOPS:
        _refuse(f"{':'.join(parts)} are {count:,} values.", f"Give {MOST_STOPS:,} at most.")
    whole = all("." not in part and "e" not in part.lower() for part in parts)
    return [int(start + step * index) if whole else float(start + step * index) for index in range(count)]


def _refuse(message: str, fix: str) -> NoReturn:
    raise WorkflowError([Problem("bad_sweep", message, fix=fix)])
