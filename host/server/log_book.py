"""The last lines of the log, for clients that show them."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from host.server.logs import without_secrets

MOST_LINES: Final = 1000


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line. number: counts up from 1; time: seconds since 1970; job, node: what it is about, or ""."""

    number: int
    time: float
    level: str
    logger: str
    message: str
    job: str
    node: str


class LogBook(logging.Handler):
    """Keeps the last 1,000 lines without secrets, and tells each new one to whoever listens."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(logging.INFO)
        self._secrets = tuple(filter(None, secrets))
        self._lines = deque[LogLine](maxlen=MOST_LINES)
        self._number = 0
        self.listener: Callable[[LogLine], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        try:
            text = without_secrets(self.format(record), self._secrets)
        except Exception:  # a log call with wrong arguments must not end what logs
            return
        self._number += 1
        job, node = (str(getattr(record, name, None) or "") for name in ("job", "node"))
        level = record.levelname.lower()
        line = LogLine(self._number, record.created, level, record.name, text, job, node)
        self._lines.append(line)
        if self.listener is not None:
            self.listener(line)

    @property
    def lines(self) -> list[LogLine]:
        """The lines kept, oldest first."""
        return list(self._lines)


LOG_BOOK: Final = web.AppKey("log_book", LogBook)


def keep_log(app: web.Application, secrets: Iterable[str] = ()) -> LogBook:
    """The book of an application's log, written while it runs; made when it is first asked for."""
    if LOG_BOOK not in app:
        app[LOG_BOOK] = LogBook(secrets)
        app.cleanup_ctx.append(_writing)
    return app[LOG_BOOK]


async def _writing(app: web.Application) -> AsyncIterator[None]:
    logging.getLogger().addHandler(app[LOG_BOOK])
    yield
    logging.getLogger().removeHandler(app[LOG_BOOK])
