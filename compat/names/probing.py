"""Whether a pack asks for a name to use it, or only to learn whether it is there."""

import ast
from functools import lru_cache
from inspect import currentframe
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

_HERE: Final = str(Path(__file__).parent)
_OURS: Final = str(Path(__file__).parents[1])
"""Code of ours that asks, as a scan of a pack does, wants to know what is supported."""
_MACHINERY: Final = "<frozen "
_PROBES: Final = {"hasattr": 2, "getattr": 3}
"""Functions that ask whether a name is there, with the number of arguments by which they do."""
_CAUGHT: Final = (
    "", "ImportError", "ModuleNotFoundError", "AttributeError", "KeyError", "Exception", "BaseException",
)  # fmt: skip
_Lines = tuple[tuple[int, int], ...]


def is_probed() -> bool:
    """Whether the code that asks for a name here is ready for its absence: in a try, or by hasattr."""
    frame = _asking(currentframe())
    if frame is None or frame.f_code.co_filename.startswith(_OURS):
        return False
    line = frame.f_lineno
    return any(first <= line <= last for first, last in _probing_lines(frame.f_code.co_filename))


def _asking(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is neither ours nor the import machinery's."""
    while frame is not None and _is_between(frame.f_code):
        frame = frame.f_back
    return frame


def _is_between(code: CodeType) -> bool:
    return code.co_filename.startswith((_MACHINERY, _HERE)) or "importlib" in code.co_filename


def _is_probe(attempt: ast.Try) -> bool:
    """Whether a try is about one thing, which may not be there."""
    asked = [part for part in attempt.body if isinstance(part, ast.Import | ast.ImportFrom)]
    ready = [handler for handler in attempt.handlers if _catches_absence(handler)]
    return len(asked) <= 1 and bool(ready) and not all(_raises_on(handler) for handler in ready)


def _raises_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only says what is wrong: the code after the try is not ready for the absence."""
    return any(isinstance(part, ast.Raise) for part in handler.body)


def _catches_absence(handler: ast.ExceptHandler) -> bool:
    named = (
        {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)} if handler.type else {""}
    )
    return not named.isdisjoint(_CAUGHT)


def _lines(part: ast.AST) -> tuple[int, int]:
    line: int = getattr(part, "lineno", 0)
    return line, getattr(part, "end_lineno", None) or line


@lru_cache(maxsize=500)
def _probing_lines(file: str) -> _Lines:
    """The first and last line of each place in a file that is ready for a name's absence."""
    try:
        tree = ast.parse(Path(file).read_text("utf-8", "replace"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return ()
    found = list[tuple[int, int]]()
    for item in ast.walk(tree):
        match item:
            case ast.Try() if _is_probe(item):
                found.extend(_lines(part) for part in item.body)
            case ast.Call(func=ast.Name(id=name), args=given) if _PROBES.get(name) == len(given):
                found.append(_lines(item))
            case _:
                pass
    return tuple(found)
