"""The parts of the way to a worker: frames, causes of death, options, environment."""

import io
import signal
import subprocess
import sys
from pathlib import Path

from host.folders import SOURCES
from host.worker.causes import cause
from host.worker.memory import Peak
from host.worker.options import WorkerOptions, options_from
from host.worker.supervisor import environment
from host.worker.wire import FrameProtocol, frame, read_frame

OPTIONS = WorkerOptions("cuda:1", {"output": ("/a",)}, "/cache", 100)


def test_messages_come_whole_however_they_are_cut() -> None:
    sent = [({"type": "event", "text": "grün"}, b""), ({"type": "preview"}, b"\0" * 1000), ({}, b"x")]
    whole = b"".join(frame(message, data) for message, data in sent)
    heard: list[object] = []
    protocol = FrameProtocol(lambda message, data: heard.append((message, data)), lambda: None)
    for place in range(0, len(whole), 7):
        protocol.data_received(whole[place : place + 7])
    assert heard == sent
    file = io.BytesIO(whole[:-1])
    assert [read_frame(file), read_frame(file), read_frame(file)] == [*sent[:2], None]


def test_the_cause_of_a_death_is_told_in_words() -> None:
    assert cause(3, 0) == "it ended by itself with exit code 3"
    assert "SIGSEGV" in cause(-signal.SIGSEGV, 0)
    assert "ran out of memory" in cause(-signal.SIGKILL, -1)
    assert "memory runs out" in cause(-signal.SIGKILL, 10**9)


def test_options_travel_whole_and_choose_the_device() -> None:
    assert options_from(OPTIONS.to_json()) == OPTIONS
    assert OPTIONS.folders.places["output"] == (Path("/a"),)
    assert environment(OPTIONS)["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment(WorkerOptions("cpu", {}, "", 0))["CUDA_VISIBLE_DEVICES"] == ""


def test_the_peak_of_memory_is_counted_anew() -> None:
    peak = Peak()
    held = bytearray(64 * 2**20)
    high = peak.bytes()
    del held
    peak.reset()
    assert peak.bytes() < high - 32 * 2**20


def test_the_server_process_imports_neither_torch_nor_numpy_nor_pillow() -> None:
    program = (
        "import sys, server, host.server.serving, compat.server.routes\n"
        "from nodes import registry; registry()\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'transformers', 'diffusers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SOURCES, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
