"""The order in which waiting jobs run: by priority, then by number, clients in turn."""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from itertools import count

from host.jobs.model import Job

Place = tuple[float, int]
"""A job's number and row: who comes first among equals."""


class WaitingLine:
    """Waiting jobs. The next one is found in the time of a few clients, however many jobs wait.

    Within a priority the clients are served in turn, each in the order of its jobs' numbers; a job whose
    number a person chose goes strictly by it. Jobs that were running before go first of all.
    """

    __slots__ = ("_heads", "_jobs", "_resumed", "_served", "_turns")

    def __init__(self) -> None:
        self._jobs = dict[str, Job]()
        self._heads = defaultdict[int, dict[str, list[tuple[Place, str]]]](dict)
        self._resumed = dict[str, None]()
        self._served = dict[str, int]()
        self._turns = count(1)

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, id: str) -> bool:
        return id in self._jobs

    def add(self, job: Job, resumed: bool = False) -> None:
        """Let a job wait; once more with another number or priority moves it."""
        self._jobs[job.id] = job
        if resumed:
            self._resumed[job.id] = None
        heap = self._heads[job.priority].setdefault(job.client_id, [])
        heapq.heappush(heap, (_place(job), job.id))

    def remove(self, id: str) -> bool:
        """Take a job out; gives whether it waited."""
        self._resumed.pop(id, None)
        return self._jobs.pop(id, None) is not None

    def take(self) -> Job | None:
        """Take out the job that is to run next."""
        job = self._next()
        if job is not None:
            self.remove(job.id)
            self._served.pop(job.client_id, None)
            self._served[job.client_id] = next(self._turns)
            if len(self._served) > 10_000:
                del self._served[next(iter(self._served))]
        return job

    def _next(self) -> Job | None:
        if self._resumed:
            return self._jobs[next(iter(self._resumed))]
        for priority in sorted(self._heads, reverse=True):
            if heads := self._clean(priority):
                return self._among(heads)
            del self._heads[priority]
        return None

    def _clean(self, priority: int) -> list[Job]:
        """The first waiting job of each client."""
        clients, found = self._heads[priority], list[Job]()
        for client in list(clients):
            heap = clients[client]
            while heap and not self._is_current(heap[0], priority):
                heapq.heappop(heap)
            if heap:
                found.append(self._jobs[heap[0][1]])
            else:
                del clients[client]
        return found

    def _is_current(self, entry: tuple[Place, str], priority: int) -> bool:
        job = self._jobs.get(entry[1])
        return job is not None and job.priority == priority and _place(job) == entry[0]

    def _among(self, heads: list[Job]) -> Job:
        first = min(heads, key=_place)
        if first.placed:
            return first
        return min(heads, key=lambda job: (self._served.get(job.client_id, 0), _place(job)))

    def in_order(self) -> Iterator[Job]:
        """All that wait, by priority and number; turns between clients are not foreseen."""
        resumed = [self._jobs[id] for id in self._resumed]
        rest = [job for id, job in self._jobs.items() if id not in self._resumed]
        yield from resumed
        yield from sorted(rest, key=lambda job: (-job.priority, _place(job)))


def _place(job: Job) -> Place:
    return job.number, job.row
