"""Model folders and the files in them, as lists, with facts, with preview pictures."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from compat.server.replies import both, told
from compat.server.surroundings import Surroundings, surroundings
from host.covers import cover_of
from host.folders import MODEL_ENDINGS, WORK_KINDS
from host.paths import inside
from host.safetensors_header import safetensors_texts

_LISTED: Final = (
    "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models",
    "clip_vision", "style_models", "embeddings", "diffusers", "vae_approx", "controlnet",
    "gligen", "upscale_models", "custom_nodes", "hypernetworks", "photomaker", "classifiers",
    "model_patches", "audio_encoders",
)  # fmt: skip
"""The folders that ComfyUI's clients expect, in its order."""
_NO_MODELS: Final = ("configs", "custom_nodes")


def routes() -> list[web.RouteDef]:
    """The routes of models."""
    return [
        *both("GET", "/models", list_folders),
        *both("GET", "/models/{folder}", list_models),
        *both("GET", "/embeddings", list_embeddings),
        *both("GET", "/view_metadata/{folder}", metadata),
        *both("GET", "/experiment/models", folders_with_paths),
        *both("GET", "/experiment/models/{folder}", models_with_facts),
        *both("GET", "/experiment/models/preview/{folder}/{index}/{filename:.*}", preview),
    ]


def model_folders(around: Surroundings) -> dict[str, tuple[Path, ...]]:
    """Every model folder's places by its name, in the order that clients expect."""
    places = around.folders.places
    known = {name: places.get(name, ()) for name in _LISTED} | {"custom_nodes": around.plugins}
    more = {name: paths for name, paths in places.items() if name not in (*known, *WORK_KINDS)}
    return {**known, **more}


async def list_folders(request: web.Request) -> web.StreamResponse:
    """The names of model folders."""
    return told(list(model_folders(surroundings(request))))


async def list_models(request: web.Request) -> web.StreamResponse:
    """The files in a model folder."""
    folder = _known(request)
    return told(await asyncio.to_thread(_names, surroundings(request), folder))


async def list_embeddings(request: web.Request) -> web.StreamResponse:
    """The names of embeddings, as prompts write them."""
    names = await asyncio.to_thread(_names, surroundings(request), "embeddings")
    return told([name.rpartition(".")[0] or name for name in names])


async def metadata(request: web.Request) -> web.StreamResponse:
    """The texts in a model file's header."""
    around, name = surroundings(request), request.query.get("filename", "")
    folder = request.match_info["folder"]
    if not name.endswith(".safetensors") or folder in WORK_KINDS:
        raise web.HTTPNotFound
    path = await asyncio.to_thread(around.folders.find, folder, name)
    texts = None if path is None else await asyncio.to_thread(safetensors_texts, path)
    if texts is None:
        raise web.HTTPNotFound
    return told(texts)


async def folders_with_paths(request: web.Request) -> web.StreamResponse:
    """Model folders with their places on disk."""
    folders = model_folders(surroundings(request))
    kept = {name: paths for name, paths in folders.items() if name not in _NO_MODELS}
    return told([{"name": name, "folders": [str(path) for path in paths]} for name, paths in kept.items()])


async def models_with_facts(request: web.Request) -> web.StreamResponse:
    """The files in a model folder with size, times and the number of the place they lie in."""
    places = model_folders(surroundings(request))[_known(request)]
    return told(await asyncio.to_thread(lambda: list(_facts(places))))


async def preview(request: web.Request) -> web.StreamResponse:
    """The picture beside a model, or the cover inside it."""
    places = model_folders(surroundings(request))[_known(request)]
    index = request.match_info["index"]
    if not index.isascii() or not index.isdigit() or int(index) >= len(places):
        raise web.HTTPNotFound
    body = await asyncio.to_thread(_cover, places[int(index)], request.match_info["filename"])
    if body is None:
        raise web.HTTPNotFound
    return web.Response(body=body, content_type="image/webp")


def _known(request: web.Request) -> str:
    folder = request.match_info["folder"]
    if folder not in model_folders(surroundings(request)):
        raise web.HTTPNotFound
    return folder


def _names(around: Surroundings, folder: str) -> list[str]:
    return [] if folder == "custom_nodes" else list(around.folders.names(folder))


def _facts(places: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for index, place in enumerate(places):
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            if path.suffix.lower() in MODEL_ENDINGS and path.is_file():
                facts = path.stat()
                yield {
                    "name": path.relative_to(place).as_posix(),
                    "pathIndex": index,
                    "modified": facts.st_mtime,
                    "created": facts.st_ctime,
                    "size": facts.st_size,
                }


def _cover(place: Path, name: str) -> bytes | None:
    model = inside(place, name)
    return None if model is None or model == place.resolve() else cover_of(model)
