"""The server's log: for people in a terminal, one JSON object a line elsewhere; secrets are cut out."""

import json
import logging
import sys
import time
from collections.abc import Iterable
from typing import Any, Final

from host.jobs.model import Live, NumberedEvent

ROOT: Final = "darkroom"
LOG: Final = logging.getLogger("darkroom.jobs")
_FACTS: Final = ("job", "node", "worker")
_HIDDEN: Final = "•••"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the job, node and worker it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name in _FACTS if (value := getattr(record, name, None))}
        if record.exc_info:
            told["trace"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class WithoutSecrets(logging.Filter):
    """Cuts secrets out of what is logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(filter(None, secrets))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, without secrets."""
        message = record.getMessage()
        if any(secret in message for secret in self._secrets):
            record.msg, record.args = without_secrets(message, self._secrets), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = record.exc_text and without_secrets(record.exc_text, self._secrets)
        return True


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text in which each secret is replaced by dots."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def set_up_logs(as_json: bool, secrets: Iterable[str]) -> None:
    """Log to standard error from now on."""
    handler = _handler(as_json)
    handler.addFilter(WithoutSecrets(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(ROOT).setLevel(logging.INFO)


def _handler(as_json: bool) -> logging.Handler:
    if not as_json and sys.stderr.isatty():
        from rich.logging import RichHandler

        return RichHandler(show_path=False, markup=False, rich_tracebacks=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    return handler


def log_jobs(live: Live) -> None:
    """Log what matters of jobs: their start, failing nodes, their end."""
    if not isinstance(live, NumberedEvent):
        return
    data, facts = live.data, {"job": live.job_id, "node": live.data.get("node")}
    match live.kind:
        case "started":
            LOG.debug("Job %s started on %s.", live.job_id, data["device"], extra=facts)
        case "node_failed":
            LOG.error("Node %s failed: %s", data["node"], data["message"], extra=facts)
        case "log":
            LOG.info("%s", data["message"], extra=facts)
        case "interrupted":
            LOG.warning("Job %s was interrupted: %s", live.job_id, data["reason"], extra=facts)
        case "finished":
            LOG.info("Job %s is %s after %.2f s.", live.job_id, data["state"], data["seconds"], extra=facts)
        case _:
            pass
