"""The folders of an installation: where models, inputs, outputs and caches lie."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from host.extra_paths import EXTRA_PATHS, read_extra_paths

HOME_VARIABLE: Final = "DARKROOM_HOME"
SOURCES: Final = Path(__file__).resolve().parent.parent
"""The folder that holds the code."""

MODEL_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "checkpoints": ("checkpoints",),
    "configs": ("configs",),
    "loras": ("loras",),
    "vae": ("vae",),
    "text_encoders": ("text_encoders", "clip"),
    "diffusion_models": ("diffusion_models", "unet"),
    "clip_vision": ("clip_vision",),
    "style_models": ("style_models",),
    "embeddings": ("embeddings",),
    "diffusers": ("diffusers",),
    "vae_approx": ("vae_approx",),
    "controlnet": ("controlnet", "t2i_adapter"),
    "gligen": ("gligen",),
    "upscale_models": ("upscale_models",),
    "hypernetworks": ("hypernetworks",),
    "photomaker": ("photomaker",),
    "classifiers": ("classifiers",),
    "model_patches": ("model_patches",),
    "audio_encoders": ("audio_encoders",),
}
"""Folders inside models/ by kind, the first being where new files go."""

MODEL_FOLDER: Final = "model_index.json"
"""The file that makes a folder a model, as diffusers saves them."""
SMALL_VAES: Final = ("taesd", "taesdxl")
"""Autoencoders whose halves are two files among vae_approx, chosen as one among vae."""

OTHER_NAMES: Final = {"clip": "text_encoders", "unet": "diffusion_models"}
WORK_KINDS: Final = ("input", "output", "temp")
PLUGINS: Final = "custom_nodes"
"""The folder of an installation that holds plugins."""
HOME_KINDS: Final = (*WORK_KINDS, "wildcards")
MODEL_ENDINGS: Final = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".pkl"})


def installation() -> Path:
    """The folder everything lies in: $DARKROOM_HOME, or the project's own."""
    given = os.environ.get(HOME_VARIABLE)
    return Path(given).expanduser().resolve() if given else SOURCES


@dataclass(frozen=True, slots=True)
class Folders:
    """Finds files by kind and name. Nothing outside the folders of a kind is ever reached by a name.

    places: the folders of each kind, the first being where new files go.
    """

    places: Mapping[str, tuple[Path, ...]]
    _listed: dict[Path, "_Listing"] = field(default_factory=dict[Path, "_Listing"], repr=False)
    _added: dict[str, tuple[Path, ...]] = field(default_factory=dict[str, tuple[Path, ...]], repr=False)
    """Kinds of model files that plugins add, found out while this installation is in use."""

    def add_kinds(self, kinds: Mapping[str, Sequence[str]]) -> None:
        """Know these kinds of model files, each in folders below models/; one that has folders keeps them."""
        self._added.clear()
        models = next((path.parent for path in self.places.get("checkpoints", ())[:1]), None)
        if models is not None:
            new = {kind: names for kind, names in kinds.items() if kind not in self.places}
            self._added.update({kind: _below(models, names) for kind, names in new.items()})

    @property
    def model_kinds(self) -> tuple[str, ...]:
        """Every kind of model file, those of plugins last."""
        return (*MODEL_KINDS, *self._added)

    def _places(self, kind: str) -> tuple[Path, ...]:
        return self.places.get(kind, ()) or self._added.get(kind, ())

    def names(self, kind: str) -> Sequence[str]:
        """All names of a kind, with / as separator, sorted; a name in two folders counts once."""
        kind = OTHER_NAMES.get(kind, kind)
        found = {name for root in self._places(kind) for name in self._files(root)}
        if kind == "diffusers":
            ending = f"/{MODEL_FOLDER}"
            found = {name.removesuffix(ending) for name in found if name.endswith(ending)}
        elif (kind in MODEL_KINDS or kind in self._added) and kind != "configs":
            found = {name for name in found if _ending(name) in MODEL_ENDINGS}
        if kind == "vae":
            found |= {name for name in SMALL_VAES if self.find(kind, name)}
        return sorted(found, key=str.casefold)

    def all_names(self, kind: str) -> set[str]:
        """The names of all files of a kind, whatever they are: pictures beside models too."""
        return {name for root in self.folders(kind) for name in self._files(root)}

    def find(self, kind: str, name: str) -> Path | None:
        """The path of a named file, or None. "cat.png [output]" looks in the output folder.

        A model folder is found by its own path; a small autoencoder by that of its decoder.
        """
        kind, name = _annotated(OTHER_NAMES.get(kind, kind), name)
        wanted = f"{name}/{MODEL_FOLDER}" if kind == "diffusers" else name
        for root in self._places(kind):
            if (path := _inside(root, wanted)) is not None and _is_file(path):
                return path.parent if kind == "diffusers" else path
        return self._small_vae(name) if kind == "vae" and name in SMALL_VAES else None

    def _small_vae(self, name: str) -> Path | None:
        """The decoder of a small autoencoder whose both halves are there."""
        known = self.names("vae_approx")
        halves = [next((n for n in known if n.startswith(f"{name}_{half}.")), None) for half in _HALVES]
        return self.find("vae_approx", halves[1]) if halves[0] and halves[1] else None

    def identity(self, kind: str, name: str) -> str:
        """A digest of the file's size, time and number on disk, "" when it is missing."""
        path = self.find(kind, name)
        if path is None:
            return ""
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        text = "\n".join(map(_mark, files))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def folder(self, kind: str) -> Path:
        """The first folder of a kind, made if it is not there."""
        path = self._places(OTHER_NAMES.get(kind, kind))[0]
        path.mkdir(parents=True, exist_ok=True)
        return path

    def folders(self, kind: str) -> Sequence[Path]:
        """All folders of a kind, whether they exist or not."""
        return self._places(OTHER_NAMES.get(kind, kind))

    def _files(self, root: Path) -> Iterator[str]:
        """All files under a folder, named from it; a folder that has not changed since is not read again."""
        waiting, seen = [(root, "")], set[tuple[int, int]]()
        while waiting:
            folder, prefix = waiting.pop()
            try:
                facts = folder.stat()
            except OSError:
                continue
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            listing = self._listed.get(folder)
            if listing is None or listing.changed != facts.st_mtime_ns:
                listing = self._listed[folder] = _read_folder(folder, facts.st_mtime_ns)
            waiting.extend((folder / name, f"{prefix}{name}/") for name in listing.folders)
            yield from (prefix + name for name in listing.files)


@dataclass(frozen=True, slots=True)
class _Listing:
    """What lies in one folder, and when that last changed."""

    changed: int
    files: tuple[str, ...]
    folders: tuple[str, ...]


def _read_folder(folder: Path, changed: int) -> _Listing:
    files, folders = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (folders if entry.is_dir() else files).append(entry.name)
    except OSError:
        return _Listing(changed, (), ())
    return _Listing(changed, tuple(files), tuple(folders))


_HALVES: Final = ("encoder", "decoder")


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 (thousands of names: a Path each is slow)


def _mark(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"


def _annotated(kind: str, name: str) -> tuple[str, str]:
    """The folder that a name itself asks for: "cat.png [output]"."""
    for work in WORK_KINDS:
        if kind in WORK_KINDS and name.endswith(f"[{work}]"):
            return work, name.removesuffix(f"[{work}]").rstrip()
    return kind, name


def _inside(root: Path, name: str) -> Path | None:
    """The path of a name under a folder; None when the name leads out of it or cannot be one.

    Links inside the folder are followed, for that is how people share model files; the name may not climb.
    """
    parts = name.replace("\\", "/").split("/")
    if not name or "\0" in name or any(map(_climbs, parts)):
        return None
    return root.joinpath(*parts)


def _below(models: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """Folders inside models/; a name that leads out of it counts for nothing."""
    return tuple(path for name in names if (path := _inside(models, name)) is not None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for this file system
        return False


def _climbs(part: str) -> bool:
    return part in ("", ".", "..") or (os.name == "nt" and ":" in part)


def folders_of(home: Path, configs: Iterable[Path] = ()) -> Folders:
    """The folders of the installation at `home`.

    With them those that its extra_model_paths.yaml names, and those of more such files. Raises ValueError
    with a sentence when one cannot be read.
    """
    places = {
        kind: tuple(home / "models" / name for name in names) for kind, names in MODEL_KINDS.items()
    } | {kind: (home / kind,) for kind in (*WORK_KINDS, PLUGINS)}
    own = home / EXTRA_PATHS
    for config in (*([own] if own.is_file() else []), *configs):
        for extra in read_extra_paths(config):
            kind = OTHER_NAMES.get(extra.kind, extra.kind)
            if extra.path not in (before := places.get(kind, ())):
                places[kind] = (extra.path, *before) if extra.first else (*before, extra.path)
    return Folders(places)
