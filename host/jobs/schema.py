"""The tables of the jobs, and opening them: a damaged file is set aside and said so, never deleted."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

VERSION: Final = 2
_BUSY_MS: Final = 2000

_SWITCHES: Final = """
CREATE TABLE switches (name TEXT PRIMARY KEY, is_on INTEGER NOT NULL) WITHOUT ROWID;
"""
_TABLES: Final = f"""{_SWITCHES}
CREATE TABLE jobs (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, number REAL NOT NULL,
    priority INTEGER NOT NULL, placed INTEGER NOT NULL, client_id TEXT NOT NULL, title TEXT NOT NULL,
    created INTEGER NOT NULL, started INTEGER, ended INTEGER, ended_row INTEGER NOT NULL,
    attempts INTEGER NOT NULL, crashes INTEGER NOT NULL, error TEXT, models TEXT NOT NULL,
    webhook TEXT NOT NULL, idempotency_key TEXT NOT NULL, words TEXT NOT NULL, bytes INTEGER NOT NULL
);
CREATE INDEX jobs_ended ON jobs (ended_row) WHERE ended_row > 0;
CREATE INDEX jobs_open ON jobs (row) WHERE ended_row = 0;
CREATE UNIQUE INDEX jobs_key ON jobs (idempotency_key) WHERE idempotency_key != '';
CREATE TABLE payloads (row INTEGER PRIMARY KEY, workflow TEXT NOT NULL, rest TEXT NOT NULL);
CREATE TABLE events (
    row INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (row, number)
) WITHOUT ROWID;
CREATE TABLE outputs (
    row INTEGER NOT NULL, node TEXT NOT NULL, place INTEGER NOT NULL, display_node TEXT NOT NULL,
    ui TEXT NOT NULL, PRIMARY KEY (row, node)
) WITHOUT ROWID;
CREATE TABLE timings (
    row INTEGER NOT NULL, node TEXT NOT NULL, place INTEGER NOT NULL, verdict TEXT NOT NULL,
    reason TEXT NOT NULL, seconds REAL NOT NULL, memory_peak INTEGER NOT NULL, PRIMARY KEY (row, node)
) WITHOUT ROWID;
"""

MIGRATIONS: Final[dict[int, Callable[[sqlite3.Connection], object]]] = {1: lambda db: db.execute(_SWITCHES)}
"""How a database of version n becomes one of n + 1."""


class MalformedDatabase(Exception):
    """A database that is none any more; says where the old file is kept."""

    def __init__(self, path: Path, kept: Path, error: Exception) -> None:
        super().__init__(
            f"The database of jobs {path} is damaged ({error}). It is kept as {kept.name}; an empty one "
            "takes its place. Its history may be read from there with sqlite3's .recover."
        )


class NewerDatabase(Exception):
    """A database of a later Darkroom."""


class LockedDatabase(Exception):
    """Another program holds the database."""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection, the tables made if they are not there. Raises sqlite3.Error, NewerDatabase."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_or_replace(path: Path) -> str:
    """Make sure that the database can be opened; "" or the sentence about the damaged one that was set aside.

    Raises LockedDatabase and NewerDatabase with sentences.
    """
    try:
        connection = open_database(path)
        try:
            connection.execute("SELECT count(*) FROM jobs WHERE ended_row = 0").fetchone()
            for table in ("payloads", "events", "outputs", "timings"):
                connection.execute(f"SELECT max(row) FROM {table}").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LockedDatabase(f"The database of jobs {path} cannot be opened: {error}.") from error
        raise LockedDatabase(
            f"Another program has locked the database of jobs {path}. Close it, or give this server a folder "
            "of its own with --user-directory."
        ) from error
    except sqlite3.DatabaseError as error:
        return str(MalformedDatabase(path, set_aside(path), error))
    return ""


def set_aside(path: Path) -> Path:
    """Rename a database and its journal; gives the new name."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(kept.with_name(kept.name + ending))
    return kept


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version == VERSION:
        return
    if version > VERSION:
        raise NewerDatabase(
            f"{path} was made by a later Darkroom (version {version}; this one reads up to {VERSION}). "
            "Update it, or give this server a folder of its own with --user-directory."
        )
    connection.execute("BEGIN IMMEDIATE")
    try:
        if (version := _version(connection)) == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            version = VERSION
        while version < VERSION:
            MIGRATIONS[version](connection)
            version += 1
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
