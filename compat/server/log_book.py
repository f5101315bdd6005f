"""The last lines of the log, for clients that show a terminal."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

MOST_LINES: Final = 300

Entry = dict[str, str]


class LogBook(logging.Handler):
    """Keeps the last 300 lines, and tells each new one to whoever listens."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._entries = deque[Entry](maxlen=MOST_LINES)
        self.listener: Callable[[Entry], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            text = f"{self.format(record)}\n"
        except Exception:  # a log call with wrong arguments must not end what logs
            return
        entry = {"t": datetime.fromtimestamp(record.created, UTC).isoformat(), "m": text}
        self._entries.append(entry)
        if self.listener is not None:
            self.listener(entry)

    @property
    def entries(self) -> list[Entry]:
        """The lines kept, oldest first."""
        return list(self._entries)


def terminal_size() -> dict[str, Any]:
    """The columns and rows of the terminal the server runs in, as usual where it has none."""
    from shutil import get_terminal_size

    size = get_terminal_size()
    return {"cols": size.columns, "rows": size.lines}
