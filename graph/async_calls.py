"""Async nodes: their coroutines run on one event loop in a thread of its own, beside the sync nodes."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any, Final

_CLOSING_SECONDS: Final = 5.0

Around = Callable[[], AbstractContextManager[Any]]
Finished = tuple[Any, "Future[list[Any]]"]


class AsyncCalls:
    """Runs coroutines; the thread starts with the first one. Works whether or not the caller has a loop.

    around: a context manager entered once in the thread (`torch.no_grad` is a thread's own).
    """

    __slots__ = ("_around", "_done", "_loop", "_running", "_thread")

    def __init__(self, around: Around) -> None:
        self._around = around
        self._done = SimpleQueue[Finished]()
        self._running = dict[int, Future[list[Any]]]()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._running)

    def start(self, owner: Any, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
        """Run a node's calls at once; `finished` gives their results in order when all are done."""
        future = asyncio.run_coroutine_threadsafe(_together(coroutines), self._started())
        self._running[id(owner)] = future
        future.add_done_callback(lambda done: self._done.put((owner, done)))

    def finished(self, seconds: float) -> Finished | None:
        """The next owner whose calls ended, waiting up to `seconds` for it; or None."""
        try:
            owner, future = self._done.get(timeout=seconds) if seconds else self._done.get_nowait()
        except Empty:
            return None
        del self._running[id(owner)]
        return owner, future

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._serve, name="async nodes", daemon=True)
            self._thread.start()
        return self._loop

    def _serve(self) -> None:
        assert self._loop is not None
        with self._around():
            asyncio.set_event_loop(self._loop)
            self._loop.run_forever()

    def close(self) -> None:
        """Cancel what still runs and end the thread; a coroutine that will not end is left behind."""
        if self._loop is None or self._thread is None:
            return
        for future in self._running.values():
            future.cancel()
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop)
        self._thread.join(_CLOSING_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


async def _together(coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all; the first failure cancels the others and is raised."""
    tasks = [asyncio.ensure_future(item) for item in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _cancel_all() -> None:
    loop = asyncio.get_running_loop()
    others = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=_CLOSING_SECONDS / 2) if others else None
    await loop.shutdown_asyncgens()
    loop.stop()
