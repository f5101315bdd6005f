"""A run's events as messages to the server; previews as small pictures, progress not too often."""

import io
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from graph.events import (
    Event,
    JobFinished,
    JobStarted,
    NodeFailed,
    NodeFinished,
    NodeItem,
    NodeLog,
    NodeProgress,
    NodeStarted,
)
from host.worker.memory import Peak

if TYPE_CHECKING:
    from PIL import Image

Send = Callable[[Mapping[str, Any], bytes, bool], None]
"""Sends a message and bytes: at once, or (True) soon, together with others."""

_QUALITY: Final = 95
_SECONDS_BETWEEN: Final = 0.005
"""Progress that comes faster is left out, but for a node's first and last step."""


class Teller:
    """The `emit` of one attempt at a job. previews: the longest side of a preview, 0 for none.

    plugins: the plugin of each node that has one, to be named when the process dies of it.
    """

    __slots__ = (
        "_attempt", "_device", "_displays", "_job", "_last", "_peak", "_plugins", "_previews", "_send",
    )  # fmt: skip

    def __init__(
        self,
        job: str,
        attempt: int,
        device: str,
        previews: int,
        send: Send,
        peak: Peak,
        plugins: Mapping[str, str],
    ) -> None:
        self._plugins = plugins
        self._job = job
        self._attempt = attempt
        self._device = device
        self._previews = previews
        self._send = send
        self._displays = dict[str, str]()
        self._last = 0.0
        self._peak = peak

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        match event:
            case JobStarted(nodes, cached):
                data = {"nodes": nodes, "cached": cached, "attempt": self._attempt, "device": self._device}
                self._tell("started", data)
            case NodeStarted(node, reason, display, quick):
                self._displays[node] = display or node
                self._peak.reset()
                plugin = self._plugins.get(display or node, "")
                named = {"plugin": plugin} if plugin else {}
                self._tell("node_started", {**self._names(node), "reason": reason, **named}, soon=quick)
            case NodeProgress():
                self._progress(event)
            case NodeItem(node, item, items):
                self._tell("item", {**self._names(node), "item": item, "items": items})
            case NodeLog(node, message):
                self._tell("log", {"node": node, "message": message})
            case NodeFinished():
                self._finished(event)
            case NodeFailed(node, message, exception, trace, inputs):
                told = {"message": message, "exception": exception, "trace": trace, "inputs": dict(inputs)}
                self._tell("node_failed", {**self._names(node), **told})
            case JobFinished():
                pass  # told with how the attempt ended

    def _finished(self, event: NodeFinished) -> None:
        told = {"verdict": event.verdict, "reason": event.reason, "seconds": event.seconds}
        ran = event.verdict in ("ran", "disk", "failed", "cancelled")
        peak = {"ui": dict(event.ui), "memory_peak": self._peak.bytes() if ran else 0}
        names = {"node": event.node, "display_node": event.display_node or event.node}
        self._tell("node_finished", {**names, **told, **peak})

    def _progress(self, event: NodeProgress) -> None:
        now = time.monotonic()
        is_end = event.done <= 1 or event.done >= event.total
        if event.preview is None and not is_end and now - self._last < _SECONDS_BETWEEN:
            return
        self._last = now
        names = self._names(event.node)
        picture = self._picture(event.preview)
        told = {"done": event.done, "total": event.total, "preview": picture is not None}
        self._tell("progress", {**names, **told})
        if picture is not None:
            self._send({"type": "preview", "job": self._job, **names, "mime": "image/jpeg"}, picture, True)

    def _picture(self, preview: Any) -> bytes | None:
        if not self._previews or preview is None or not hasattr(preview, "save"):
            return None
        return jpeg(preview, self._previews)

    def _names(self, node: str) -> dict[str, str]:
        return {"node": node, "display_node": self._displays.get(node, node)}

    def _tell(self, kind: str, data: Mapping[str, Any], soon: bool = True) -> None:
        self._send({"type": "event", "job": self._job, "kind": kind, "data": data}, b"", soon)


def jpeg(picture: "Image.Image", side: int) -> bytes:
    """A picture as a JPEG file, no side longer than `side`."""
    picture = picture.convert("RGB")
    if max(picture.size) > side:
        picture.thumbnail((side, side))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
