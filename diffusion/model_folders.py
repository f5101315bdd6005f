"""Model folders as diffusers saves them: model_index.json and a folder for each network."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from diffusion import diffusers_layout
from diffusion.errors import DiffusionError
from diffusion.tensor_files import Header, Part, TensorInfo

INDEX: Final = "model_index.json"
NETWORKS: Final = ("unet", "vae", "text_encoder", "text_encoder_2")
_WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_model|pytorch_model|model)(?:\.([a-z]\w*))?"
    r"(?:-(\d{5})-of-(\d{5}))?(?:\.([a-z]\w*))?\.(safetensors|bin)$"
)
_PREDICTIONS: Final = {"v_prediction": "v", "epsilon": "epsilon", "sample": "sample"}


def choose_weights(names: Iterable[str]) -> tuple[str, ...]:
    """The files of a network's folder that hold its weights: fp16 rather than full, safetensors rather than
    pickles, all of a set of shards or none. Empty when there are none."""
    sets: dict[tuple[Any, ...], list[str]] = {}
    for name in sorted(names):
        if found := _WEIGHTS.fullmatch(name):
            variant, part, count, late, ending = found.groups()
            variant = variant or late or ""
            rank = (ending != "safetensors", {"fp16": 0, "": 1}.get(variant, 2), part is not None)
            sets.setdefault((*rank, variant, int(count or 1)), []).append(name)
    whole = [key for key, files in sets.items() if len(files) == key[-1]]
    return tuple(sets[min(whole)]) if whole else ()


def translated(header: Header) -> Header:
    """A file in diffusers' layout that holds a U-Net or an autoencoder alone, under single-file names."""
    names = header.tensors
    if diffusers_layout.is_unet(names) and not any(name.startswith("controlnet_") for name in names):
        return _renamed(header.path, [Part(header, diffusers_layout.unet_single_names(header.shapes))])
    if diffusers_layout.is_vae(names):
        return _renamed(header.path, [Part(header, diffusers_layout.vae_single_names(names))])
    return header


def read_folder(path: Path, read_file: Callable[[Path], Header]) -> Header:
    """The header of a whole model folder, under single-file names; DiffusionError says what is missing."""
    index = _json(path / INDEX)
    if not index:
        raise DiffusionError(
            f"{path.name} is a folder without a readable {INDEX}, so no model folder of diffusers' kind. "
            "Name a model file, or the folder that holds that file."
        )
    present = [name for name in NETWORKS if _is_listed(index, name)]
    parts = list[Part]()
    for name in present:
        prefix = _prefix(path, name, present)
        for header in _network_headers(path, name, read_file):
            parts.append(Part(header, _names(name, header, prefix)))
    parts = _jointly_named(parts)
    return replace(_renamed(path, parts), metadata=_metadata(path))


def _is_listed(index: Mapping[str, Any], name: str) -> bool:
    entry = index.get(name)
    return isinstance(entry, list) and len(entry) == 2 and entry[1] is not None


def _network_headers(path: Path, name: str, read_file: Callable[[Path], Header]) -> list[Header]:
    folder = path / name
    files = choose_weights(file.name for file in folder.iterdir()) if folder.is_dir() else ()
    if not files:
        raise DiffusionError(
            f"{path.name} is not complete: {INDEX} names {name}, but there are no weights in {name}/. "
            "Download the folder again."
        )
    return [read_file(folder / file) for file in files]


def _prefix(path: Path, name: str, present: list[str]) -> str:
    """Where a single file keeps what this network's folder holds."""
    if name == "unet":
        return "model.diffusion_model."
    if name == "vae":
        return "first_stage_model."
    if name == "text_encoder_2":
        number = int("text_encoder" in present)
        return f"conditioner.embedders.{number}.model."
    if "text_encoder_2" in present:
        return "conditioner.embedders.0.transformer."
    activation = _json(path / name / "config.json").get("hidden_act", "quick_gelu")
    return "cond_stage_model.transformer." if activation == "quick_gelu" else "cond_stage_model.model."


def _names(network: str, header: Header, prefix: str) -> dict[str, str]:
    """A text encoder's tensors by their names here; those of the other networks are named all at once."""
    start = prefix if network.startswith("text_encoder") else f"{network}:{prefix}"
    return {name: start + name for name in header.tensors}


def _jointly_named(parts: list[Part]) -> list[Part]:
    """The names of U-Nets and autoencoders depend on all their shards, so they are found in one go."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {"unet": {}, "vae": {}}
    for part in parts:
        for theirs, ours in part.names.items():
            network = ours.partition(":")[0]
            if network in shapes:
                shapes[network][theirs] = part.header.tensors[theirs].shape
    single = {
        "unet": diffusers_layout.unet_single_names(shapes["unet"]),
        "vae": diffusers_layout.vae_single_names(shapes["vae"]),
    }
    return [Part(part.header, {t: _joint(t, o, single) for t, o in part.names.items()}) for part in parts]


def _joint(theirs: str, ours: str, single: Mapping[str, Mapping[str, str]]) -> str:
    network, separator, rest = ours.partition(":")
    if not separator or network not in single:
        return ours
    return rest.removesuffix(theirs) + single[network][theirs]


def _renamed(path: Path, parts: list[Part]) -> Header:
    tensors = dict[str, TensorInfo]()
    for part in parts:
        for theirs, ours in part.names.items():
            tensors[ours] = part.header.tensors[theirs]
    metadata = parts[0].header.metadata if len(parts) == 1 else {}
    size = sum(part.header.size for part in parts)
    return Header(path, tensors, metadata, 0, size, "folder", parts=tuple(parts))


def _metadata(path: Path) -> dict[str, str]:
    """What the folder's schedule says of the network, in modelspec's words."""
    config = _json(path / "scheduler" / "scheduler_config.json")
    found = dict[str, str]()
    if prediction := _PREDICTIONS.get(config.get("prediction_type", "")):
        found["modelspec.prediction_type"] = prediction
    if config.get("rescale_betas_zero_snr") is True:
        found["ztsnr"] = "true"
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
