"""A database of an earlier version is brought up to date when it is opened."""

import sqlite3
from pathlib import Path

from host.jobs import rows, schema


def test_a_database_of_the_first_version_keeps_its_jobs_and_learns_to_stay_paused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    old = sqlite3.connect(path)
    old.executescript(
        "CREATE TABLE jobs (row INTEGER PRIMARY KEY, id TEXT); INSERT INTO jobs VALUES (1, 'a');"
    )
    old.execute("PRAGMA user_version = 1")
    old.close()
    database = schema.open_database(path)
    assert database.execute("SELECT id FROM jobs").fetchall() == [("a",)]
    assert rows.queue_is_paused(database) is False
    rows.pause_queue(database, True)
    assert rows.queue_is_paused(database) is True
    database.close()
