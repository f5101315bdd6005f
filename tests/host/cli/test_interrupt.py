"""Work in a thread gives its result or its exception to the one that waits."""

import os
import signal
import threading

import pytest

from host.cli.interrupt import cancelling, in_thread


def test_the_result_of_work_in_a_thread_comes_back() -> None:
    assert in_thread(lambda: threading.current_thread().name) == "run"


def test_an_exception_in_a_thread_comes_back() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_thread(fail)


def test_a_signal_asks_work_to_stop_and_the_old_handler_returns(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    cancel = threading.Event()
    with cancelling(cancel):
        os.kill(os.getpid(), signal.SIGINT)
        assert in_thread(lambda: cancel.wait(5))
    assert "Stopping after this step" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before
