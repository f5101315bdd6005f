"""Ctrl-C: the first asks the run to stop after its step, the second ends the program at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from host.cli.codes import CANCELLED
from host.cli.console import say

Result = TypeVar("Result")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
LOOK_AGAIN: Final = 0.2
"""Seconds between looks for a signal while a run is on."""


@contextmanager
def cancelling(cancel: threading.Event) -> Generator[None]:
    """While inside, Ctrl-C and SIGTERM set `cancel`; once more ends the program with exit code 4."""

    def handle(number: int, frame: Any) -> None:
        if cancel.is_set():
            sys.stdout.flush()
            os._exit(CANCELLED)
        cancel.set()
        say(
            "Stopping after this step; what is finished is kept. Press Ctrl-C again to stop at once.",
            "yellow",
        )

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_thread(work: Callable[[], Result]) -> Result:
    """The result of work done in a thread, while this one is free to hear signals; exceptions pass on."""
    done: list[Result] = []
    wrong: list[BaseException] = []

    def target() -> None:
        try:
            done.append(work())
        except BaseException as error:
            wrong.append(error)

    thread = threading.Thread(target=target, name="run", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_AGAIN)
    if wrong:
        raise wrong[0]
    return done[0]
