"""What is told of a plugin that could not be loaded: a sentence, and where in its files that was raised."""

import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

LONGEST_TRACE: Final = 20_000


def words(error: BaseException) -> str:
    """An error in a sentence."""
    if isinstance(error, SystemExit):
        return f"It tried to end the program (exit code {error.code})."
    text = str(error).strip().partition("\n")[0]
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return said if said.endswith(".") else f"{said}."


def trace_of(error: BaseException, path: Path) -> str:
    """Its traceback from the first of the plugin's own files on; all of it where none of them was reached."""
    began = _first_in(error.__traceback__, path)
    if began is None and not isinstance(error, SyntaxError):  # which names its file and line itself
        began = error.__traceback__
    return "".join(traceback.format_exception(type(error), error, began))[-LONGEST_TRACE:]


def _first_in(step: TracebackType | None, path: Path) -> TracebackType | None:
    while step and not Path(step.tb_frame.f_code.co_filename).is_relative_to(path):
        step = step.tb_next
    return step
