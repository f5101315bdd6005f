"""From the jobs' events to clients' sockets: who is told what, in ComfyUI's order."""

import asyncio
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from aiohttp import web

from compat.server.frames import preview_frame, preview_frame_with_facts, progress_text_frame
from compat.server.sockets import Socket, Sockets, tell
from compat.server.story import JobStory, Message
from host.jobs.model import OWN_MESSAGES, Live, NumberedEvent, Payload, Preview, QueueChanged, WorkerMessage
from host.jobs.service import JobService

LATE: Final = 2.0
"""Seconds for which a socket that opens late still gets the last events of its own prompts."""
_MOST_EXPECTED: Final = 256
_ENDS: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})
_PREVIEW_WAIT: Final = 1.0
_MANY_STATES: Final = 200
_STATES_EVERY: Final = 0.1
_REPLAYED: Final = frozenset(
    {"execution_start", "execution_cached", "executing", "executed", "execution_success", "execution_error",
     "execution_interrupted"}
)  # fmt: skip


@dataclass(slots=True)
class Missed:
    """Messages of a job that its client had no socket for, each with its time; and when the job ended."""

    messages: list[tuple[float, str, Any]] = field(default_factory=list[tuple[float, str, Any]])
    ended: float | None = None


class LiveEvents:
    """Hears of all jobs and tells those whom it concerns. Lives in the server's event loop.

    A job's messages go to its client. One without a client tells everybody how far it is, and nothing else.
    """

    def __init__(self, jobs: JobService) -> None:
        self.sockets = Sockets()
        self.log_readers = set[str]()
        self._jobs = jobs
        self._expected = OrderedDict[str, Payload]()
        self._stories = dict[str, JobStory]()
        self._held = dict[str, deque[Live]]()
        self._progress = dict[str, tuple[Message, str, asyncio.TimerHandle]]()
        self._missed = defaultdict[str, dict[str, Missed]](dict)
        self._tasks = set[asyncio.Task[None]]()
        self._told_at_end: int | None = None

    def expect(self, id: str, payload: Payload) -> None:
        """A job is about to be handed in; its documents need not be read again when it starts."""
        self._expected[id] = payload
        while len(self._expected) > _MOST_EXPECTED:
            self._expected.popitem(last=False)

    def hear(self, item: Live) -> None:
        """Something happened."""
        match item:
            case QueueChanged(remaining):
                if remaining != self._told_at_end:
                    self.tell_status(self.sockets)
                self._told_at_end = None
            case WorkerMessage(name) if name.startswith(OWN_MESSAGES):
                pass  # for our editor
            case WorkerMessage(name, data, client):
                tell(self.sockets.of(client) if client else self.sockets, name, data)
            case NumberedEvent() | Preview():
                if item.job_id in self._held:
                    self._held[item.job_id].append(item)
                else:
                    self._hear_of_job(item)

    def tell_status(self, sockets: Iterable[Socket], **more: str) -> None:
        """How many prompts run or wait."""
        status = {"exec_info": {"queue_remaining": self._jobs.remaining()}}
        tell(sockets, "status", {"status": status, **more})

    def welcome(self, socket: Socket) -> None:
        """What a new socket is told: the status, what it has just missed, what runs."""
        self.sockets.add(socket)
        self.tell_status([socket], sid=socket.id)
        since = monotonic() - LATE
        for missed in self._missed.pop(socket.id, {}).values():
            for at, type, data in missed.messages:
                if (missed.ended or at) >= since:
                    tell([socket], type, data)
        if (running := self._jobs.running_job(socket.id)) is not None and running[1] is not None:
            tell([socket], "executing", {"node": running[1]})

    def tell_log(self, entry: dict[str, str]) -> None:
        """A new line of the log, for those who read it."""
        for client in self.log_readers:
            tell(self.sockets.of(client), "logs", {"entries": [entry], "size": None})

    async def close(self) -> None:
        """The server stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(socket.close() for socket in self.sockets), return_exceptions=True)

    # One job

    def _hear_of_job(self, item: NumberedEvent | Preview) -> None:
        story = self._stories.get(item.job_id)
        if story is None:
            if isinstance(item, NumberedEvent) and item.kind == "started":
                self._begin(item)
            return
        if isinstance(item, Preview):
            self._draw(story, item)
            return
        self._flush(item.job_id)
        client = "" if item.job is None else item.job.client_id
        if item.kind == "log":
            self._tell_text(story, item, client)
        for message in story.tell(item):
            if message.type == "progress_state" and self._is_too_soon(story):
                continue
            if message.type in _ENDS and story.untold:
                self._tell(story.all_states(), client)
            if message.type == "progress" and item.data.get("preview"):
                self._hold_progress(message, client)
            else:
                self._tell(message, client)
        if item.kind == "finished":
            self._end(story, client)

    def _is_too_soon(self, story: JobStory) -> bool:
        """Whether a large graph's states were told a moment ago: each time all of them go over the wire."""
        now = monotonic()
        story.untold = len(story.states) > _MANY_STATES and now - story.told < _STATES_EVERY
        story.told = story.told if story.untold else now
        return story.untold

    def _begin(self, event: NumberedEvent) -> None:
        payload = self._expected.pop(event.job_id, None)
        if payload is not None:
            self._stories[event.job_id] = JobStory.of(event.job_id, payload)
            self._hear_of_job(event)
            return
        self._held[event.job_id] = deque([event])
        task = asyncio.ensure_future(self._read(event.job_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, id: str) -> None:
        """Read a job's documents, while its events wait."""
        try:
            payload = (await self._jobs.payloads([id])).get(id)
        finally:
            held = self._held.pop(id, ())
        if payload is not None:
            self._stories[id] = JobStory.of(id, payload)
            for item in held:
                self._hear_of_job(item)  # pyright: ignore[reportArgumentType]

    def _end(self, story: JobStory, client: str) -> None:
        """The last messages of a job, which by now is in the history."""
        self._stories.pop(story.id, None)
        self.tell_status(self.sockets)
        self._told_at_end = self._jobs.remaining()
        end = Message("executing", {"node": None, "prompt_id": story.id})
        self._tell(end, client)
        if (missed := self._missed.get(client, {}).get(story.id)) is not None:
            missed.ended = monotonic()
            asyncio.get_running_loop().call_later(LATE + 1, self._forget, client, story.id)

    def _forget(self, client: str, job: str) -> None:
        self._missed.get(client, {}).pop(job, None)
        if not self._missed.get(client, True):
            del self._missed[client]

    # Telling

    def _tell(self, message: Message, client: str) -> None:
        """Send a message to those it concerns; keep it for a client who has not come yet."""
        seen = tell(self._audience(client, message.everyone), message.type, message.data)
        if client and not seen and message.type in _REPLAYED:
            missed = self._missed[client].setdefault(message.data["prompt_id"], Missed())
            missed.messages.append((monotonic(), message.type, message.data))

    def _audience(self, client: str, everyone: bool) -> Iterable[Socket]:
        if client:
            return self.sockets.of(client)
        return self.sockets if everyone else ()

    def _hold_progress(self, message: Message, client: str) -> None:
        """The picture of a step comes before its `progress`, and a moment later from the worker."""
        id = message.data["prompt_id"]
        timer = asyncio.get_running_loop().call_later(_PREVIEW_WAIT, self._flush, id)
        self._progress[id] = (message, client, timer)

    def _flush(self, id: str) -> None:
        held = self._progress.pop(id, None)
        if held is not None:
            message, client, timer = held
            timer.cancel()
            self._tell(message, client)

    def _draw(self, story: JobStory, preview: Preview) -> None:
        plain = facts = b""
        for socket in self._audience(preview.client_id, True):
            if socket.wants_facts:
                place = {"prompt_id": story.id, **story.place(preview.node, preview.display_node)}
                facts = facts or preview_frame_with_facts(place, preview.type, preview.data)
                socket.send(facts)
            else:
                plain = plain or preview_frame(preview.type, preview.data)
                socket.send(plain)
        self._flush(story.id)

    def _tell_text(self, story: JobStory, event: NumberedEvent, client: str) -> None:
        node, message = event.data.get("node", ""), event.data.get("message", "")
        if node:
            frame = progress_text_frame(node, message)
            for socket in self._audience(client, True):
                socket.send(frame)


LIVE: Final = web.AppKey("live", LiveEvents)
