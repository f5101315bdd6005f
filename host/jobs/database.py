"""The database: one thread that writes, whole batches at a time, and one that reads."""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from host.jobs.schema import MalformedDatabase, open_database, set_aside
from host.jobs.service import NotStored

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Any]
Tell = Callable[[str], None]

_RETRY_SECONDS: Final = 1.0
_MOST_AT_ONCE: Final = 1000
_MOST_OWED: Final = 200_000


@dataclass(frozen=True, slots=True)
class _Task:
    """Something to write. keep: it is owed until it is stored; otherwise a failure is told and forgotten."""

    work: Work
    future: asyncio.Future[Any] | None
    keep: bool


def _ask_for_room(connection: sqlite3.Connection) -> None:
    """Write and take back what needs room, to find out whether there is any again."""
    connection.execute("CREATE TABLE room (filler BLOB)")
    connection.execute("INSERT INTO room VALUES (zeroblob(65536))")
    connection.execute("DROP TABLE room")


class Database:
    """Jobs on disk. Built and called in the event loop; the connections live in threads of their own.

    tell: is given a sentence, in the event loop, when something is wrong or right again. replaced: called
    there after a damaged file was set aside while running and an empty one took its place.
    """

    def __init__(self, path: Path, tell: Tell, replaced: Callable[[], None]) -> None:
        self.path = path
        self.trouble = ""
        self._tell = tell
        self._replaced = replaced
        self._loop = asyncio.get_running_loop()
        self._tasks = SimpleQueue[_Task | None]()
        self._questions = SimpleQueue[_Task | None]()
        self._owed = deque[_Task]()
        self._connection = open_database(path)
        self._reading = open_database(path)
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._write_all, "jobs, writing"), (self._read_all, "jobs, reading"))
        ]
        for thread in self._threads:
            thread.start()

    async def store(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something in a transaction that is on disk before this returns. Raises NotStored."""
        future = self._loop.create_future()
        self._tasks.put(_Task(work, future, keep=False))
        return await future

    def note(self, work: Work) -> "asyncio.Future[Any]":
        """Write something soon, after all that came before; what cannot be written now is tried again later.

        The future is done after the first try, whether it worked or not, and never raises.
        """
        future = self._loop.create_future()
        self._tasks.put(_Task(work, future, keep=True))
        return future

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Read what is stored; what `store` and `note` said is done is seen. Raises NotStored."""
        future = self._loop.create_future()
        self._questions.put(_Task(work, future, keep=False))
        return await future

    def close(self) -> None:
        """Write what waits, within reason, and end the threads."""
        self._tasks.put(None)
        self._questions.put(None)
        for thread in self._threads:
            thread.join(5.0)

    # In the threads

    def _read_all(self) -> None:
        while (task := self._questions.get()) is not None:
            try:
                self._answer(task, self._look(task.work))
            except sqlite3.Error as error:
                self._refuse(task, NotStored(sentence(error, self.path)))
            except Exception as error:
                self._refuse(task, error)
        self._reading.close()

    def _look(self, work: Work) -> Any:
        """Read everything as it is at one moment."""
        reading = self._reading
        reading.execute("BEGIN")
        try:
            return work(reading)
        finally:
            reading.execute("ROLLBACK")

    def _write_all(self) -> None:
        going = True
        while going:
            batch, going = self._batch()
            tasks = [*self._owed, *batch]
            self._write(tasks if tasks or not self.trouble else [_Task(_ask_for_room, None, keep=False)])
        self._connection.close()

    def _batch(self) -> tuple[list[_Task], bool]:
        """What waits, at least one unless something is owed or wrong; and whether there is more to come."""
        batch = list[_Task]()
        with suppress(Empty):
            task = self._tasks.get(timeout=_RETRY_SECONDS if self._owed or self.trouble else None)
            while task is not None:
                batch.append(task)
                if len(batch) == _MOST_AT_ONCE:
                    return batch, True
                task = self._tasks.get_nowait()
            return batch, False
        return batch, True

    def _write(self, tasks: Sequence[_Task]) -> None:
        self._owed.clear()
        try:
            results = self._commit(tasks)
        except Exception as error:  # find out which of them it was
            if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
                self._replace(error)
            results = None
        if results is None:
            self._write_one_by_one(tasks)
        else:
            self._settle(tasks, results)

    def _settle(self, tasks: Sequence[_Task], results: Sequence[Any]) -> None:
        pairs = [(task.future, result) for task, result in zip(tasks, results, strict=True) if task.future]
        self._call(_resolve_all, pairs)
        if self.trouble and tasks:
            self.trouble = ""
            self._call(self._tell, "The database of jobs can be written again; nothing was lost.")

    def _commit(self, tasks: Sequence[_Task]) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [task.work(connection) for task in tasks]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _write_one_by_one(self, tasks: Sequence[_Task]) -> None:
        for task in tasks:
            try:
                self._answer(task, self._commit([task])[0])
            except sqlite3.OperationalError as error:
                self._put_off(task, error)
            except sqlite3.IntegrityError as error:
                self._refuse(task, error)
            except sqlite3.Error as error:
                self._refuse(task, NotStored(sentence(error, self.path)))
            except Exception as error:
                self._refuse(task, error)

    def _put_off(self, task: _Task, error: sqlite3.Error) -> None:
        said = sentence(error, self.path)
        if said != self.trouble:
            self.trouble = said
            self._call(self._tell, said)
        if not task.keep:
            self._refuse(task, NotStored(said))
            return
        self._answer(task, None)
        if len(self._owed) < _MOST_OWED:
            self._owed.append(_Task(task.work, None, keep=True))

    def _replace(self, error: sqlite3.Error) -> None:
        """Put an empty database in the place of one that turned out damaged while running."""
        self._connection.close()
        kept = set_aside(self.path)
        self._connection = open_database(self.path)
        self._reading = open_database(self.path)
        self._call(self._tell, str(MalformedDatabase(self.path, kept, error)))
        self._call(self._replaced)

    def _answer(self, task: _Task, result: Any) -> None:
        if task.future is not None:
            self._call(_resolve_all, [(task.future, result)])

    def _refuse(self, task: _Task, error: Exception) -> None:
        if task.future is not None:
            self._call(_reject, task.future, None if task.keep else error)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)


def _resolve_all(pairs: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in pairs:
        if not future.done():
            future.set_result(result)


def _reject(future: asyncio.Future[Any], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sentence(error: sqlite3.Error, path: Path) -> str:
    """What is wrong with the database, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return f"The disk with {path} is full: jobs cannot be stored. Make room; the server then goes on."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"Another program has locked {path}: jobs cannot be stored. Close it there."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"{path} cannot be written ({error}). Check the permissions of its folder."
        case _:
            return f"Jobs cannot be stored in {path}: {error}."


def now_ms() -> int:
    """Milliseconds since 1970; for people to read, never for order."""
    return time.time_ns() // 1_000_000
