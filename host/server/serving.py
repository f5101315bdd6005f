"""A server from its start to its end: folders, jobs, workers, sockets, signals."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import ssl
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
from aiohttp import web

from host.folders import MODEL_KINDS, PLUGINS, Folders, folders_of
from host.jobs.board import DATABASE, Board, Retention, open_board
from host.jobs.schema import LockedDatabase, NewerDatabase
from host.plugins.remembered import RememberedTypes
from host.server.app import build_app
from host.server.keys import HUB
from host.server.logs import log_jobs, set_up_logs
from host.server.plugin_watch import watch_plugins
from host.server.settings import Settings
from host.server.webhooks import Webhooks
from host.services import Services
from host.worker.options import WorkerOptions
from host.worker.supervisor import DEFAULT_COMMAND, WorkerProcess

if TYPE_CHECKING:
    from graph.registry import Registry

LOG: Final = logging.getLogger("darkroom.server")
STOP_SECONDS: Final = 3.5
"""Time that jobs have to finish their step when the server stops; all is over within five seconds."""
MEMORY_SHARE: Final = 0.5
"""The share of this machine's memory that the results of all workers may take."""
_SWITCH_SECONDS: Final = 0.0005
"""How long the event loop may keep the thread that writes the jobs waiting."""
_BEATS_IN_SILENCE: Final = 5
_WORKERS_AFTER: Final = 0.2
"""Seconds after listening until workers start: loading torch would slow down the first answers."""


class CannotServe(Exception):
    """Why a server cannot start; the message is a sentence with its cure."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens: its jobs, and the port of each address."""

    board: Board
    ports: tuple[int, ...]


def serve(services: Services, settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. Raises CannotServe."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    set_up_logs(settings.log_json, (*settings.tokens, settings.webhook_secret))
    with sole_use(user_folder(settings)):
        asyncio.run(_serve_until_told(services, settings))
    return 0


async def _serve_until_told(services: Services, settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(services, settings) as server:
        for address in addresses(settings, server.ports):
            print(f"Darkroom is at {address}", flush=True)
        await stop.wait()
        LOG.info("The server stops: jobs finish their step and are kept.")


@asynccontextmanager
async def running(services: Services, settings: Settings) -> AsyncGenerator[Running]:
    """A server that listens, with its workers. Raises CannotServe."""
    folders = server_folders(settings)
    empty_temp(folders)
    cache = settings.home / "cache"
    types = RememberedTypes(made_once(services.node_types), cache, services.described_types, folders)
    try:
        board = await open_board(
            user_folder(settings) / DATABASE,
            folders,
            types,
            Retention(settings.keep_jobs, settings.keep_days),
        )
    except (LockedDatabase, NewerDatabase) as error:
        raise CannotServe(str(error)) from error
    board.subscribe(log_jobs)
    hooks = Webhooks(board, settings.webhook_secret)
    app = build_app(services, settings, folders, board, types)
    web_runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
    await web_runner.setup()
    try:
        ports = await _listen(web_runner, settings)
        asyncio.get_running_loop().call_later(
            _WORKERS_AFTER, start_workers, board, settings, folders, types, ports
        )
        watching = asyncio.create_task(watch_plugins(board, folders)) if settings.dev else None
        yield Running(board, tuple(ports))
        if watching is not None:
            watching.cancel()
    finally:
        app[HUB].close()
        await hooks.close()
        await board.close(STOP_SECONDS)
        await web_runner.cleanup()
        empty_temp(folders)


def made_once(make: "Callable[[], Registry]") -> "Callable[[], Registry]":
    """The same, made at the first call; others that come meanwhile wait for that."""
    lock, made = threading.Lock(), list["Registry"]()

    def get() -> "Registry":
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return get


async def _listen(runner: web.AppRunner, settings: Settings) -> list[int]:
    """Bind every address; gives the ports, the same for all addresses."""
    tls, port, ports = tls_context(settings), settings.port, list[int]()
    for host in settings.listen:
        try:
            found = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
            )
        except OSError as error:
            raise CannotServe(
                f"The server cannot listen at {host} port {port}: {error.strerror or error}. "
                "Choose another with --port, or end the program that has it."
            ) from error
        port = found.getsockname()[1]
        ports.append(port)
        await web.SockSite(runner, found, ssl_context=tls).start()
    return ports


def start_workers(
    board: Board,
    settings: Settings,
    folders: Folders,
    types: "Callable[[], Registry]",
    ports: Sequence[int],
) -> None:
    """Start a worker for each device, and read the node types meanwhile."""
    names = settings.devices
    board.runner.workers = [
        WorkerProcess(
            name,
            worker_options(settings, folders, name, len(names), ports),
            board.runner,
            settings.worker_command or DEFAULT_COMMAND,
            settings.silence,
        )
        for name in names
    ]
    for worker in board.runner.workers:
        worker.start()
    asyncio.get_running_loop().run_in_executor(None, types)


def worker_options(
    settings: Settings, folders: Folders, device: str, count: int, ports: Sequence[int]
) -> WorkerOptions:
    """What one of `count` workers is told."""
    total = psutil.virtual_memory().total
    several_cpus = device == "cpu" and settings.devices.count("cpu") > 1
    return WorkerOptions(
        device=device,
        places={kind: tuple(map(str, paths)) for kind, paths in folders.places.items()},
        cache=str(settings.home / "cache"),
        memory=int(total * MEMORY_SHARE / count),
        keep=settings.cache,
        cache_lru=settings.cache_lru,
        previews=0 if settings.preview_method == "none" else settings.preview_size,
        metadata=settings.metadata,
        precision=settings.precision,
        beat=min(2.0, settings.silence / _BEATS_IN_SILENCE),
        threads=max((os.cpu_count() or 1) // settings.devices.count("cpu"), 1) if several_cpus else 0,
        listen=settings.listen[0],
        port=ports[0],
    )


# Folders


def user_folder(settings: Settings) -> Path:
    """Where what users save lies, and the database of jobs."""
    return settings.user or settings.home / "user"


def server_folders(settings: Settings) -> Folders:
    """The folders as the command line moved them. Raises CannotServe."""
    try:
        places = dict(folders_of(settings.home, settings.extra_configs).places)
    except ValueError as error:
        raise CannotServe(str(error)) from error
    if settings.models is not None:
        own = settings.home / "models"
        for kind in MODEL_KINDS:
            places[kind] = tuple(_moved(path, own, settings.models) for path in places[kind])
    if settings.plugins:
        places[PLUGINS] = settings.plugins
    chosen = {"input": settings.input, "output": settings.output, "temp": settings.temp}
    places |= {kind: (path,) for kind, path in chosen.items() if path is not None}
    return Folders(places)


def _moved(path: Path, old: Path, new: Path) -> Path:
    return new / path.relative_to(old) if path.is_relative_to(old) else path


def empty_temp(folders: Folders) -> None:
    """Remove what lies in the temp folder; what cannot be removed stays."""
    for root in folders.places["temp"]:
        for item in root.iterdir() if root.is_dir() else ():
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item, ignore_errors=True)
            else:
                with suppress(OSError):
                    item.unlink()


@contextmanager
def sole_use(folder: Path) -> Generator[None]:
    """Holds a lock on a folder of jobs, so that no two servers run the same jobs. Raises CannotServe."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "server.lock").open("w")
    except OSError as error:
        raise CannotServe(
            f"{folder} cannot be written: {error.strerror or error}. Name a folder with --user-directory."
        ) from error
    with file:
        if not _lock(file.fileno()):
            raise CannotServe(
                f"Another server uses {folder}. Give this one a folder of its own with --user-directory."
            )
        yield


def _lock(descriptor: int) -> bool:
    """Take a lock that the system lets go of when the process ends."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# Addresses


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What HTTPS needs, None for HTTP. Raises CannotServe."""
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise CannotServe(
            f"The TLS certificate {settings.tls_cert} cannot be used: {error.strerror or error}. "
            "Give PEM files with --tls-cert and --tls-key."
        ) from error
    return context


def addresses(settings: Settings, ports: Sequence[int]) -> list[str]:
    """Where a browser finds the server."""
    scheme = "https" if settings.tls_cert else "http"
    names = ["127.0.0.1" if host in ("0.0.0.0", "::") else host for host in settings.listen]
    shown = [f"[{name}]" if ":" in name else name for name in names]
    return [f"{scheme}://{name}:{port}" for name, port in dict(zip(shown, ports, strict=True)).items()]
