"""A worker process: takes jobs from the server one after the other and runs them with the engine."""

import faulthandler
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import psutil

from graph.disk_store import DiskStore
from graph.document import Workflow
from graph.executor import execute
from graph.memory_store import MemoryStore
from graph.plan import plan
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.results import JobResult
from host.jobs.documents import Texts, from_texts
from host.jobs.model import Payload
from host.lock import HASHES, Hashes
from host.plugins.checks import plugins_in, refuse_values
from host.plugins.listening import heard_too, say_goodbye
from host.plugins.loading import all_types
from host.plugins.packs import Loaded
from host.plugins.routes import FILE as ROUTES
from host.plugins.routes import Routes, write_routes
from host.services import Services
from host.worker.job import Bench, hidden_values, job_for, outputs_left, settled, targets_in
from host.worker.memory import Peak
from host.worker.options import WorkerOptions, options_from
from host.worker.telling import Teller
from host.worker.wire import Message, frame, read_frame
from nodes.codecs import TensorCodec, measure, weights_in

if TYPE_CHECKING:
    from pluggy import PluginManager

_DEATH_SIGNAL: Final = 1
"""Linux's prctl: the signal to get when the parent dies."""
_ORPHANED: Final = 3
_TOGETHER: Final = 0.002
"""Seconds that an event may wait for others to go with it."""
_PATIENCE: Final = 0.02
"""Seconds of finished work that a killed worker may do again; storing them would cost as much."""
PLUGINS_LOADED: Final = "darkroom.plugins"
"""The message by which the editor learns that node types may have changed."""
Learn = Callable[[str], dict[str, Any]]


def work(services: Services, handle: int, options: str, learn: Learn | None = None) -> int:
    """Serve the server at the other end of the socket `handle` until it says exit or goes away.

    learn: loads what nearly every job needs and says what this process computes on (default: torch, `facts`).
    """
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the server decides
    told = options_from(options)
    _die_with(told.parent)
    worker = Worker(services, socket.socket(fileno=handle), told, learn or facts)
    threading.Thread(target=worker.listen, name="wire", daemon=True).start()
    threading.Thread(target=worker.beat, name="beat", daemon=True).start()
    threading.Thread(target=worker.flush_soon, name="flush", daemon=True).start()
    return worker.serve()


class Worker:
    """One worker: the main thread computes, one listens to the server, one tells it that all is well."""

    def __init__(self, services: Services, wire: socket.socket, options: WorkerOptions, learn: Learn) -> None:
        self._services = services
        self._learn = learn
        self._wire = wire
        self._options = options
        self._sending = threading.Lock()
        self._unsent = bytearray()
        self._has_unsent = threading.Event()
        self._orders = SimpleQueue[Message | None]()
        self._cancelled = dict[str, threading.Event]()
        self._memory = MemoryStore(options.memory, measure, weights_in)
        cache = Path(options.cache)
        self._disk = _results_in(cache) if options.keep else None
        self._peak = Peak()
        self._hashes = Hashes(cache / HASHES)
        self._hooks: PluginManager | None = None

    # The threads beside

    def listen(self) -> None:
        """Take orders; when the server is gone, go too."""
        file: BinaryIO = self._wire.makefile("rb")
        try:
            while (got := read_frame(file)) is not None:
                self._hear(got[0])
        except (OSError, ValueError):
            pass
        os._exit(_ORPHANED)

    def _hear(self, message: Message) -> None:
        match message["type"]:
            case "stop_job":
                self._token(message).set()
            case "exit":
                for token in self._cancelled.values():
                    token.set()
                self._orders.put(None)
            case _:
                self._orders.put(message)

    def _token(self, order: Message) -> threading.Event:
        """The cancel token of one attempt at a job; the order to stop may come before the attempt begins."""
        return self._cancelled.setdefault(f"{order['job']} {order['attempt']}", threading.Event())

    def beat(self) -> None:
        """Tell the server again and again that this process lives."""
        process = psutil.Process()
        while True:
            times = process.cpu_times()
            self._send({"type": "beat", "rss": process.memory_info().rss, "cpu": times.user + times.system})
            time.sleep(self._options.beat)

    def flush_soon(self) -> None:
        """Send what was told a moment ago: what happens together goes together."""
        while self._has_unsent.wait():
            time.sleep(_TOGETHER)
            with self._sending:
                self._flush()

    def _tell(self, message: Message, data: bytes = b"", soon: bool = True) -> None:
        """Send a message within a moment; without `soon` now: what is told may end this process."""
        if not soon:
            self._send(message, data)
            return
        with self._sending:
            self._unsent += frame(message, data)
        if not self._has_unsent.is_set():
            self._has_unsent.set()

    def _send(self, message: Message, data: bytes = b"") -> None:
        """Send a message now, after those that wait."""
        packed = frame(message, data)
        with self._sending:
            self._unsent += packed
            self._flush()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, bytearray()
        self._has_unsent.clear()
        try:
            self._wire.sendall(unsent)
        except OSError:
            os._exit(_ORPHANED)

    # The main thread

    def serve(self) -> int:
        """Carry out orders until told to stop."""
        bench = self._bench()
        self._send({"type": "ready", "facts": self._learn(self._options.device)})
        self._tell_browsers(PLUGINS_LOADED, {}, None)
        while (order := self._orders.get()) is not None:
            match order["type"]:
                case "run":
                    self._run(bench, order)
                case "free":
                    self._free(results=bool(order["free_memory"]))
                case _:
                    self._answer(order)
        say_goodbye(self._hooks)
        return 0

    def _bench(self) -> Bench:
        options = self._options
        folders = options.folders
        address = options.listen, options.port
        types, loaded = all_types(self._services, folders, Path(options.cache), self._tell_browsers, address)
        self._hooks = loaded.hooks
        self._answer_for(loaded, types)
        return Bench(self._services, types, folders, self._hashes, options.precision, options.metadata)

    def _answer_for(self, loaded: Loaded, types: Registry) -> None:
        """Answer the requests that plugins want to answer; where that fails, jobs run all the same."""
        cache, plugins = Path(self._options.cache), loaded.web
        if plugins is None:
            if (cache / ROUTES).exists():
                write_routes(cache, Routes())
            return
        from host.worker.plugin_checks import PluginChecks
        from host.worker.plugin_web import routes_of, serve_plugins

        try:
            write_routes(cache, routes_of(plugins))
            address = serve_plugins(plugins, PluginChecks(types, self._options.folders))
        except Exception as error:
            print(f"The routes of plugins are not answered: {error!r}.", flush=True)
            return
        self._send({"type": "plugins", "port": address.port, "secret": address.secret})

    def _tell_browsers(self, event: str, data: Any, client: str | None) -> None:
        """Pass on what a plugin tells one client, or all."""
        self._tell({"type": "message", "name": event, "data": data, "client_id": client or ""})

    def _run(self, bench: Bench, order: Message) -> None:
        job, began = order["job"], time.monotonic()
        token = self._token(order)
        try:
            result = self._result(bench, order, token)
            error = {"node": "", "message": ""} if not result.errors else _first_error(result)
            state = result.state
        except WorkflowError as wrong:
            state, error = "failed", {"node": "", "message": str(wrong)}
        except Exception as wrong:  # the last resort: the engine itself failed, the worker lives on
            faulthandler.dump_traceback()
            state, error = "failed", {"node": "", "message": f"Darkroom failed: {wrong!r}."}
        self._cancelled.pop(f"{job} {order['attempt']}", None)
        self._trim()
        seconds = time.monotonic() - began
        cache = self._cache()
        self._send(
            {
                "type": "end",
                "job": job,
                "state": state,
                "seconds": seconds,
                "error": error,
                "cache": cache,
            }
        )

    def _result(self, bench: Bench, order: Message, token: threading.Event) -> JobResult:
        payload = from_texts(Texts(order["workflow"], order["rest"]))
        workflow = settled(payload, bench)
        refuse_values(workflow, bench.types)
        teller = Teller(
            order["job"],
            order["attempt"],
            self._options.device,
            self._options.previews,
            self._tell,
            self._peak,
            plugins_in(workflow, bench.types),
        )
        return execute(
            plan(workflow, bench.types, self._targets(bench, workflow, payload, order)),
            bench.types,
            job=job_for(bench, payload, workflow),
            memory=self._memory,
            disk=self._disk,
            emit=heard_too(teller, self._hooks, order["job"]),
            cancel=token,
            hidden=hidden_values(payload, bench, workflow),
        )

    def _targets(
        self, bench: Bench, workflow: Workflow, payload: Payload, order: Message
    ) -> tuple[str, ...] | None:
        done = frozenset[str](order["done"])
        return outputs_left(workflow, bench.types, payload, done) if done else targets_in(workflow, payload)

    def _trim(self) -> None:
        """Keep no more results in memory than was asked."""
        if not self._options.keep:
            self._memory.clear()
        while 0 < self._options.cache_lru < len(self._memory):
            held = self._memory.entries()
            for entry in held[: len(held) - self._options.cache_lru]:
                self._memory.drop(bytes.fromhex(entry.key))

    def _free(self, results: bool) -> None:
        """Let go of the models in memory, which then are read from their files again, or of all results."""
        if results:
            self._memory.clear()
        else:
            self._memory.drop_shared()
        gc.collect()
        torch: Any = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._send({"type": "freed", "cache": self._cache()})

    def _cache(self) -> dict[str, Any]:
        memory, models = self._memory, self._memory.shared_parts()
        held = {"bytes": memory.total, "entries": len(memory), "budget": memory.budget}
        return held | {"models": len(models), "model_bytes": sum(models)}

    def _answer(self, order: Message) -> None:
        """Answer what the server asks about this process."""
        questions: Mapping[str, Callable[[], Any]] = {
            "facts": lambda: self._learn(self._options.device),
            "cache": lambda: self._cache() | {"by_node": self._memory.bytes_by_node()},
        }
        question = questions.get(order.get("question", ""))
        if question is None:
            self._send({"type": "answer", "id": order["id"], "error": "A worker does not know that."})
        else:
            self._send({"type": "answer", "id": order["id"], "value": question()})


def _results_in(cache: Path) -> DiskStore:
    return DiskStore(cache / "results", [TensorCodec()], patience=_PATIENCE)


def _first_error(result: JobResult) -> dict[str, str]:
    first = result.errors[0]
    return {"node": first.node, "message": first.message, "exception": first.exception}


def facts(device: str) -> dict[str, Any]:
    """What this process computes on; bytes."""
    import torch

    from diffusion.devices import choose_device, free_memory

    chosen = choose_device().device
    told = {"pytorch_version": torch.__version__, "asked": device, "type": chosen.type}
    if chosen.type != "cuda":
        memory = psutil.virtual_memory()
        totals = {"vram_total": memory.total, "vram_free": memory.available}
        return told | {"name": chosen.type, "index": None, **totals, **_torch_totals(*totals.values())}
    free, total = free_memory(chosen), torch.cuda.mem_get_info(chosen)[1]
    reserved = torch.cuda.memory_reserved(chosen)
    unused = reserved - torch.cuda.memory_allocated(chosen)
    name = f"{chosen} {torch.cuda.get_device_name(chosen)}"
    memory = {"vram_total": total, "vram_free": free + unused, **_torch_totals(reserved, unused)}
    return told | {"name": name, "index": chosen.index or 0, **memory}


def _torch_totals(total: int, free: int) -> dict[str, int]:
    return {"torch_vram_total": total, "torch_vram_free": free}


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when the server goes; elsewhere the closed socket does."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(_ORPHANED)
