"""Counting what happens, for Prometheus. A few lines of text are all there is to its format."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import psutil

from host.jobs.model import Live, NumberedEvent
from host.jobs.service import JobService

MEDIA: Final = "text/plain"
_WORKER_STATES: Final = ("starting", "idle", "busy", "restarting", "stopped")


class Metrics:
    """Counters since the server started."""

    def __init__(self, jobs: JobService) -> None:
        self._jobs = jobs
        self._ended = Counter[str]()
        self._nodes = Counter[str]()
        self._seconds = 0.0
        self._crashes = 0
        jobs.subscribe(self._count)

    def _count(self, live: Live) -> None:
        if not isinstance(live, NumberedEvent):
            return
        match live.kind:
            case "finished":
                self._ended[live.data["state"]] += 1
                self._seconds += live.data["seconds"]
            case "node_finished":
                self._nodes[live.data["verdict"]] += 1
            case "interrupted":
                self._crashes += 1
            case _:
                pass

    def text(self) -> str:
        """All of it in Prometheus's text format."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        queue = self._jobs.queue()
        yield from _gauge("darkroom_jobs_running", "Jobs that run.", len(queue.running))
        yield from _gauge("darkroom_jobs_waiting", "Jobs that wait or are paused.", len(queue.pending))
        yield from _counters("darkroom_jobs_ended_total", "Jobs that ended.", "state", self._ended)
        yield from _counters("darkroom_nodes_total", "Nodes by what became of them.", "verdict", self._nodes)
        yield from _head("darkroom_job_seconds_total", "Time that jobs ran.", "counter")
        yield f"darkroom_job_seconds_total {self._seconds:.6f}"
        yield from _head("darkroom_jobs_interrupted_total", "Jobs whose worker went.", "counter")
        yield f"darkroom_jobs_interrupted_total {self._crashes}"
        memory = psutil.Process().memory_info().rss
        yield from _gauge("darkroom_server_memory_bytes", "Memory of the server process.", memory)
        yield from self._workers()

    def _workers(self) -> Iterator[str]:
        workers = list(enumerate(self._jobs.workers()))
        yield from _head("darkroom_worker_state", "1 for the state that a worker is in.", "gauge")
        for number, worker in workers:
            for state in _WORKER_STATES:
                labels = f'worker="{number}",device="{worker.device}",state="{state}"'
                yield f"darkroom_worker_state{{{labels}}} {int(worker.state == state)}"
        facts = {
            "darkroom_worker_memory_bytes": "Memory of a worker process.",
            "darkroom_worker_restarts_total": "How often a worker was started again.",
            "darkroom_cache_bytes": "Results that a worker keeps in memory.",
        }
        for name, help in facts.items():
            yield from _head(name, help, "counter" if name.endswith("_total") else "gauge")
            for number, worker in workers:
                values = {
                    "darkroom_worker_memory_bytes": worker.rss,
                    "darkroom_worker_restarts_total": worker.restarts,
                    "darkroom_cache_bytes": worker.cache.get("bytes", 0),
                }
                yield f'{name}{{worker="{number}",device="{worker.device}"}} {values[name]}'


def _head(name: str, help: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _gauge(name: str, help: str, value: float) -> Iterator[str]:
    yield from _head(name, help, "gauge")
    yield f"{name} {value}"


def _counters(name: str, help: str, label: str, values: Counter[str]) -> Iterator[str]:
    yield from _head(name, help, "counter")
    for key, value in sorted(values.items()):
        yield f'{name}{{{label}="{key}"}} {value}'
