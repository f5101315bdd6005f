"""Jobs as rows: every statement there is. Each function takes the connection it works on."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from host.jobs.documents import Texts
from host.jobs.model import (
    HistoryQuery,
    Job,
    JobFailure,
    NodeTiming,
    NumberedEvent,
    Output,
)

_COLUMNS: Final = (
    "id, state, row, number, priority, placed, client_id, title, created, started, ended, ended_row, "
    "attempts, crashes, error, models, webhook, idempotency_key"
)
_NAMES: Final = tuple(_COLUMNS.split(", "))
_CHANGING: Final = ", ".join(f"{name} = ?" for name in _NAMES if name not in ("id", "row"))
_UPDATE: Final = f"UPDATE jobs SET {_CHANGING} WHERE row = ? AND id = ?"
_PARTS: Final = ("payloads", "events", "outputs", "timings")


def insert_job(db: sqlite3.Connection, job: Job, texts: Texts, words: str, replaces: bool = False) -> None:
    """A new job. Raises sqlite3.IntegrityError when its id or idempotency key is taken.

    replaces: an ended job of this id makes room.
    """
    if replaces:
        delete_jobs(db, [job.id], ended=True)
    values = (*_values(job), words, texts.size)
    db.execute(f"INSERT INTO jobs ({_COLUMNS}, words, bytes) VALUES ({_marks(len(values))})", values)
    db.execute("INSERT INTO payloads VALUES (?, ?, ?)", (job.row, texts.workflow, texts.rest))


def update_job(db: sqlite3.Connection, job: Job) -> None:
    """The job as it is now."""
    id, state, row, *rest = _values(job)
    db.execute(_UPDATE, [state, *rest, row, id])


def add_events(db: sqlite3.Connection, row: int, events: Iterable[NumberedEvent]) -> None:
    """Events of a job, and what follows from them: outputs and timings."""
    found = list(events)
    db.executemany(
        "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)",
        [(row, event.number, event.kind, json.dumps(event.data), event.at) for event in found],
    )
    ended = [event for event in found if event.kind == "node_finished"]
    db.executemany("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?)", _shown(row, ended))
    db.executemany("INSERT OR REPLACE INTO timings VALUES (?, ?, ?, ?, ?, ?, ?)", _times(row, ended))


def _shown(row: int, events: Iterable[NumberedEvent]) -> Iterator[tuple[Any, ...]]:
    for event in events:
        data = event.data
        if data["ui"]:
            yield row, data["node"], event.number, data["display_node"], json.dumps(data["ui"])


def _times(row: int, events: Iterable[NumberedEvent]) -> Iterator[tuple[Any, ...]]:
    for event in events:
        data = event.data
        yield (
            row,
            data["node"],
            event.number,
            data["verdict"],
            data["reason"],
            data["seconds"],
            data["memory_peak"],
        )


def job_of(db: sqlite3.Connection, id: str) -> Job | None:
    """The job of an id."""
    found = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (id,)).fetchone()
    return None if found is None else _job(found)


def job_of_key(db: sqlite3.Connection, key: str) -> Job | None:
    """The job that was handed in with an idempotency key."""
    found = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE idempotency_key = ?", (key,)).fetchone()
    return None if found is None else _job(found)


def open_jobs(db: sqlite3.Connection) -> list[tuple[Job, int]]:
    """Every job that has not ended, in the order handed in, with the number of its last event."""
    last = "(SELECT coalesce(max(number), 0) FROM events WHERE events.row = jobs.row)"
    found = db.execute(f"SELECT {_COLUMNS}, {last} FROM jobs WHERE ended_row = 0 ORDER BY row").fetchall()
    return [(_job(line[:-1]), line[-1]) for line in found]


def last_rows(db: sqlite3.Connection) -> tuple[int, int]:
    """The highest row ever used, and the highest of the ended ones."""
    used = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
    ended = db.execute("SELECT coalesce(max(ended_row), 0) FROM jobs").fetchone()
    return (used[0] if used else 0), ended[0]


def queue_is_paused(db: sqlite3.Connection) -> bool:
    """Whether no job is to be started."""
    found = db.execute("SELECT is_on FROM switches WHERE name = 'queue paused'").fetchone()
    return bool(found and found[0])


def pause_queue(db: sqlite3.Connection, is_on: bool) -> None:
    """Remember whether no job is to be started."""
    db.execute("INSERT OR REPLACE INTO switches VALUES ('queue paused', ?)", (is_on,))


def texts_of(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Texts]:
    """The documents of jobs, by id."""
    found = _many(db, "SELECT id, workflow, rest FROM jobs JOIN payloads USING (row) WHERE id IN", ids)
    return {id: Texts(workflow, rest) for id, workflow, rest in found}


def jobs_of(db: sqlite3.Connection, ids: Sequence[str]) -> list[Job]:
    """The jobs of these ids, in no order."""
    return [_job(line) for line in _many(db, f"SELECT {_COLUMNS} FROM jobs WHERE id IN", ids)]


def events_of(db: sqlite3.Connection, id: str, number: int = 1) -> list[NumberedEvent]:
    """The events of a job from `number` on."""
    found = db.execute(
        "SELECT number, kind, data, at FROM events WHERE row = (SELECT row FROM jobs WHERE id = ?) "
        "AND number >= ? ORDER BY number",
        (id, number),
    )
    return [NumberedEvent(id, place, kind, json.loads(data), at) for place, kind, data, at in found]


def outputs_of(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[Output]]:
    """What the nodes of jobs showed, in order, by job."""
    query = "SELECT id, node, display_node, ui, place FROM jobs JOIN outputs USING (row) WHERE id IN"
    found: dict[str, list[Output]] = {}
    for id, node, display, ui, _ in sorted(_many(db, query, ids), key=lambda line: line[4]):
        found.setdefault(id, []).append(Output(id, node, display, json.loads(ui)))
    return found


def timings_of(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[NodeTiming]]:
    """What became of the nodes of jobs, in order, by job."""
    query = (
        "SELECT id, node, verdict, reason, seconds, memory_peak, place FROM jobs JOIN timings USING (row) "
        "WHERE id IN"
    )
    found: dict[str, list[NodeTiming]] = {}
    for line in sorted(_many(db, query, ids), key=lambda line: line[6]):
        found.setdefault(line[0], []).append(NodeTiming(*line[:6]))
    return found


def history(db: sqlite3.Connection, query: HistoryQuery) -> tuple[list[Job], int]:
    """A page of the ended jobs, and how many there are in all."""
    where, values = _conditions(query)
    total = db.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0]
    limit = -1 if query.limit is None else query.limit
    order = "DESC" if query.newest_first else "ASC"
    lines = db.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE {where} ORDER BY ended_row {order} LIMIT ? OFFSET ?",
        [*values, limit, query.offset],
    )
    return [_job(line) for line in lines], total


def _conditions(query: HistoryQuery) -> tuple[str, list[Any]]:
    where, values = ["ended_row > 0"], list[Any]()
    if query.states:
        where.append(f"state IN ({_marks(len(query.states))})")
        values.extend(query.states)
    if query.client_id:
        where.append("client_id = ?")
        values.append(query.client_id)
    for word in query.search.split():
        where.append("(words || ' ' || coalesce(error, '')) LIKE ? ESCAPE '\\'")
        values.append(f"%{_escaped(word)}%")
    return " AND ".join(where), values


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def delete_jobs(db: sqlite3.Connection, ids: Sequence[str], ended: bool) -> list[str]:
    """Forget those of these jobs that have ended (or have not); gives their ids."""
    sign = ">" if ended else "="
    found = _many(db, f"SELECT id, row FROM jobs WHERE ended_row {sign} 0 AND id IN", ids)
    _delete_rows(db, [row for _, row in found])
    return [id for id, _ in found]


def clear_history(db: sqlite3.Connection) -> int:
    """Forget every ended job."""
    rows = [row for (row,) in db.execute("SELECT row FROM jobs WHERE ended_row > 0")]
    _delete_rows(db, rows)
    return len(rows)


def delete_old(db: sqlite3.Connection, most: int, before: int, most_bytes: int) -> int:
    """Forget the oldest ended jobs beyond `most` of them, ended before a time, or beyond so many bytes."""
    lines = db.execute(
        "SELECT row, ended, bytes FROM jobs WHERE ended_row > 0 ORDER BY ended_row DESC"
    ).fetchall()
    rows, total = list[int](), 0
    for place, (row, ended, size) in enumerate(lines):
        total += size
        if place >= most or (before and ended < before) or total > most_bytes:
            rows.append(row)
    _delete_rows(db, rows)
    return len(rows)


def _delete_rows(db: sqlite3.Connection, rows: Iterable[int]) -> None:
    marks = [(row,) for row in rows]
    for table in (*_PARTS, "jobs"):
        db.executemany(f"DELETE FROM {table} WHERE row = ?", marks)


def count_states(db: sqlite3.Connection) -> Mapping[str, int]:
    """How many jobs there are in each state."""
    return dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())


def _many(db: sqlite3.Connection, query: str, ids: Sequence[str]) -> list[Any]:
    found = list[Any]()
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        found.extend(db.execute(f"{query} ({_marks(len(part))})", part))
    return found


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _values(job: Job) -> tuple[Any, ...]:
    return (
        job.id,
        job.state,
        job.row,
        job.number,
        job.priority,
        int(job.placed),
        job.client_id,
        job.title,
        job.created,
        job.started,
        job.ended,
        job.ended_row,
        job.attempts,
        job.crashes,
        None if job.error is None else json.dumps(asdict(job.error), ensure_ascii=False),
        json.dumps(job.models),
        job.webhook,
        job.idempotency_key,
    )


def _job(line: Sequence[Any]) -> Job:
    named = dict(zip(_NAMES, line, strict=True))
    error = named.pop("error")
    models, placed = named.pop("models"), named.pop("placed")
    return Job(
        **named,
        placed=bool(placed),
        models=tuple(json.loads(models)),
        error=None if error is None else JobFailure(**json.loads(error)),
    )
