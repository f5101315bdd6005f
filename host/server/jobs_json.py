"""Jobs as our API tells them."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode

from host.folders import WORK_KINDS
from host.jobs.model import Job, JobRecord, NumberedEvent, Output
from host.server.routing import PREFIX


def job_json(job: Job) -> dict[str, Any]:
    """A job."""
    error = job.error
    return {
        "id": job.id,
        "state": job.state,
        "title": job.title,
        "client_id": job.client_id,
        "number": job.number,
        "priority": job.priority,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "attempts": job.attempts,
        "crashes": job.crashes,
        "error": error and {"message": error.message, "node": error.node, "exception": error.exception},
        "models": list(job.models),
    }


def record_json(record: JobRecord) -> dict[str, Any]:
    """A job with what its nodes showed and took."""
    return {
        **job_json(record.job),
        "outputs": [output_json(output) for output in record.outputs],
        "nodes": [
            {
                "node": timing.node,
                "verdict": timing.verdict,
                "reason": timing.reason,
                "seconds": timing.seconds,
                "memory_peak": timing.memory_peak,
            }
            for timing in record.timings
        ],
        "extra": dict(record.payload.extra),
    }


def output_json(output: Output) -> dict[str, Any]:
    """What a node showed, with the addresses of its files."""
    shown = [item for items in output.ui.values() for item in items]
    return {
        "node": output.node,
        "display_node": output.display_node,
        "ui": dict(output.ui),
        "files": [file for item in shown if (file := _file_json(item)) is not None],
    }


def _file_json(item: Any) -> dict[str, str] | None:
    if not isinstance(item, dict):
        return None
    shown = cast("Mapping[str, Any]", item)
    kind, name, folder = shown.get("type"), shown.get("filename"), shown.get("subfolder") or ""
    if kind not in WORK_KINDS or not isinstance(name, str):
        return None
    path = f"{folder}/{name}" if folder else name
    return {
        "name": path,
        "kind": kind,
        "url": f"{PREFIX}/files/{kind}?{urlencode({'name': path}, quote_via=quote)}",
    }


def event_json(event: NumberedEvent) -> dict[str, Any]:
    """An event."""
    return {
        "job": event.job_id,
        "number": event.number,
        "kind": event.kind,
        "data": dict(event.data),
        "at": event.at,
    }
