"""Handing live events to those who follow them: by job, so that a thousand followers cost little."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from host.jobs.model import Live, NumberedEvent, Preview
from host.jobs.service import JobService

MOST_WAITING: Final = 20_000
"""Events that a follower may be behind before it is cut off; it can ask again from where it was."""


class TooSlow(Exception):
    """A follower does not take its events as fast as they come."""


class Follower:
    """What one client has not been sent yet. Previews are dropped while it is behind."""

    __slots__ = ("_cut", "_ready", "_waiting")

    def __init__(self) -> None:
        self._waiting = deque[Live]()
        self._ready = asyncio.Event()
        self._cut = False

    def put(self, live: Live) -> None:
        """One more thing to send."""
        if isinstance(live, Preview) and len(self._waiting) > 2:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._cut = True
        else:
            self._waiting.append(live)
        self._ready.set()

    async def take(self) -> Live:
        """The next thing to send. Raises TooSlow."""
        while not self._waiting:
            if self._cut:
                raise TooSlow
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()


class EventHub:
    """The followers of single jobs and of everything."""

    def __init__(self, jobs: JobService) -> None:
        self._jobs = jobs
        self._of_job = dict[str, set[Follower]]()
        self._of_all = set[Follower]()
        self._unsubscribe = jobs.subscribe(self._tell)

    def close(self) -> None:
        """Follow no more."""
        self._unsubscribe()

    @property
    def followers(self) -> int:
        """How many there are."""
        return len(self._of_all) + sum(map(len, self._of_job.values()))

    def _tell(self, live: Live) -> None:
        for follower in self._of_all:
            follower.put(live)
        if isinstance(live, NumberedEvent | Preview):
            for follower in self._of_job.get(live.job_id, ()):
                follower.put(live)

    async def follow(self, id: str, number: int = 1) -> AsyncIterator[NumberedEvent | Preview]:
        """A job's events from `number` on, each once and in order, and its previews, to its end.

        Raises UnknownJob, and TooSlow when they are not taken.
        """
        follower = Follower()
        self._of_job.setdefault(id, set()).add(follower)
        try:
            next_number = number
            for event in await self._jobs.events_from(id, number):
                next_number = event.number + 1
                yield event
                if event.kind == "finished":
                    return
            job = await self._jobs.get(id)
            if job is not None and job.is_over and not await self._jobs.events_from(id, next_number):
                return
            while True:
                live = await follower.take()
                if isinstance(live, NumberedEvent):
                    if live.number < next_number:
                        continue
                    next_number = live.number + 1
                    yield live
                    if live.kind == "finished":
                        return
                elif isinstance(live, Preview):
                    yield live
        finally:
            followers = self._of_job[id]
            followers.discard(follower)
            if not followers:
                del self._of_job[id]

    async def follow_all(self) -> AsyncIterator[Live]:
        """Everything from now on. Raises TooSlow."""
        follower = Follower()
        self._of_all.add(follower)
        try:
            while True:
                yield await follower.take()
        finally:
            self._of_all.discard(follower)
