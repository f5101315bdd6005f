"""A run that is stopped, gently or not, keeps what it finished."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import Command
from tests.host.documents import sampled, write

ROOT = Path(__file__).parents[3]
ENDLESS = 9000
"""Steps that nobody waits for."""


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "server.py"), "run", *arguments, "--json"],
        cwd=home,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def until_second_works(process: subprocess.Popen[str]) -> None:
    """Wait until the second sampler has done a step."""
    for event in events(process):
        if event["event"] == "node_progress" and event["node"] == "second":
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.timeout(400)
def test_ctrl_c_stops_between_steps_and_a_killed_run_goes_on_from_the_disk(
    home: Path, command: Command, model: str
) -> None:
    write(home / "flow.json", sampled(model, steps=ENDLESS))
    process = started(home, "flow.json")
    until_second_works(process)
    process.send_signal(signal.SIGINT)
    told = list(events(process))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 4
    assert told[-1]["event"] == "job_finished" and told[-1]["state"] == "cancelled"
    assert "Stopping after this step" in err and "Traceback" not in err

    process = started(home, "flow.json", "--seed", "8")
    until_second_works(process)
    process.kill()
    process.communicate()

    said = command("run", "flow.json", "--seed", "8", "--set", "second.steps=1", "--json")
    verdicts = {
        event["node"]: event["verdict"]
        for event in map(json.loads, said.lines)
        if event["event"] == "node_finished"
    }
    assert said.code == 0
    assert verdicts["sampler"] == verdicts["positive"] == "disk"
    assert verdicts["second"] == "ran"
    stored = command("run", "flow.json", "--seed", "7", "--set", "second.steps=1", "--json")
    assert '"node": "sampler", "verdict": "disk"' in stored.out


def test_a_damaged_store_is_made_anew(home: Path, command: Command, model: str) -> None:
    write(home / "flow.json", sampled(model))
    first = command("run", "flow.json")
    for path in (home / "cache" / "results" / "values").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7])
    again = command("run", "flow.json")
    assert (first.code, again.code) == (0, 0)
    assert "Traceback" not in again.err
    assert (home / again.lines[0]).read_bytes() == (home / first.lines[0]).read_bytes()


def test_a_store_that_cannot_be_written_is_a_sentence_and_the_run_goes_on(
    home: Path, command: Command, model: str
) -> None:
    write(home / "flow.json", sampled(model))
    (home / "blocked").write_text("a file where a folder should be")
    said = command("run", "flow.json", "--cache-dir", str(home / "blocked"))
    assert said.code == 0
    assert "cannot be kept" in said.err and "Traceback" not in said.err
