"""GET /system_stats and /features: what this machine and this server are. No torch is loaded for it."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import psutil
from aiohttp import web

from compat.server.replies import both, told
from compat.server.surroundings import COMFYUI, FRONT_END, surroundings
from host.jobs.model import WorkerState
from host.server.settings import Settings

_TEMPLATES: Final = "comfyui-workflow-templates"
_REQUIRED_TEMPLATES: Final = "0.1.94"

_DEVICE: Final = (
    "name", "type", "index", "vram_total", "vram_free", "torch_vram_total", "torch_vram_free"
)  # fmt: skip


def routes() -> list[web.RouteDef]:
    """The routes of the system."""
    return [*both("GET", "/system_stats", system_stats), *both("GET", "/features", features)]


async def system_stats(request: web.Request) -> web.StreamResponse:
    """Versions, memory and devices; bytes."""
    memory = psutil.virtual_memory()
    around = surroundings(request)
    devices = [_device(worker) for worker in around.jobs.workers() if worker.facts]
    arguments = around.settings.arguments
    system = _system(arguments) | {"ram_total": memory.total, "ram_free": memory.available}
    return told({"system": system, "devices": devices or [_cpu(memory.total, memory.available)]})


async def features(request: web.Request) -> web.StreamResponse:
    """What this server can do beyond the oldest protocol."""
    return told(feature_flags(surroundings(request).settings))


def feature_flags(settings: Settings) -> dict[str, Any]:
    """The server's side of the feature flags."""
    return {"supports_preview_metadata": True, "max_upload_size": settings.largest_upload}


def _system(arguments: Sequence[str]) -> dict[str, Any]:
    return {
        "os": os.name,
        "comfyui_version": COMFYUI,
        "required_frontend_version": FRONT_END,
        "installed_templates_version": _version(_TEMPLATES),
        "required_templates_version": _REQUIRED_TEMPLATES,
        "python_version": sys.version,
        "pytorch_version": _version("torch") or "",
        "embedded_python": False,
        "argv": list(arguments) or list(sys.argv),
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _device(worker: WorkerState) -> dict[str, Any]:
    return {key: worker.facts.get(key) for key in _DEVICE}


def _cpu(total: int, free: int) -> dict[str, Any]:
    """The device of a machine whose worker has not said yet; the memory figures repeat."""
    sizes = {
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }
    return {"name": "cpu", "type": "cpu", "index": None, **sizes}
