"""The folders of an installation: where models, inputs, outputs and caches lie."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
}
"""Folders inside models/ by kind, the first being where new files go."""

OTHER_NAMES: Final = {"clip": "text_encoders", "unet": "diffusion_models"}
WORK_KINDS: Final = ("input", "output", "temp")
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

    def names(self, kind: str) -> Sequence[str]:
        """All names of a kind, with / as separator, sorted; a name in two folders counts once."""
        kind = OTHER_NAMES.get(kind, kind)
        endings = MODEL_ENDINGS if kind in MODEL_KINDS and kind != "configs" else None
        found = {
            path.relative_to(root).as_posix()
            for root in self.places.get(kind, ())
            for path in self._files(root)
            if endings is None or path.suffix.lower() in endings
        }
        return sorted(found, key=str.casefold)

    def find(self, kind: str, name: str) -> Path | None:
        """The path of a named file, or None. "cat.png [output]" looks in the output folder."""
        kind, name = _annotated(OTHER_NAMES.get(kind, kind), name)
        for root in self.places.get(kind, ()):
            if (path := _inside(root, name)) is not None and _is_file(path):
                return path
        return None

    def identity(self, kind: str, name: str) -> str:
        """A digest of the file's size, time and number on disk, "" when it is missing."""
        path = self.find(kind, name)
        if path is None:
            return ""
        facts = path.stat()
        text = f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ino}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def folder(self, kind: str) -> Path:
        """The first folder of a kind, made if it is not there."""
        path = self.places[OTHER_NAMES.get(kind, kind)][0]
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _files(self, root: Path) -> Iterator[Path]:
        """All files under a folder; a folder that has not changed since is not read again."""
        waiting, seen = [root], set[tuple[int, int]]()
        while waiting:
            folder = waiting.pop()
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
            waiting.extend(listing.folders)
            yield from listing.files


@dataclass(frozen=True, slots=True)
class _Listing:
    """What lies in one folder, and when that last changed."""

    changed: int
    files: tuple[Path, ...]
    folders: tuple[Path, ...]


def _read_folder(folder: Path, changed: int) -> _Listing:
    files, folders = list[Path](), list[Path]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (folders if entry.is_dir() else files).append(folder / entry.name)
    except OSError:
        return _Listing(changed, (), ())
    return _Listing(changed, tuple(files), tuple(folders))


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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for this file system
        return False


def _climbs(part: str) -> bool:
    return part in ("", ".", "..") or (os.name == "nt" and ":" in part)


def folders_of(home: Path, extra: Mapping[str, Iterable[Path]] | None = None) -> Folders:
    """The folders of the installation at `home`, with more places for some kinds."""
    places = {
        kind: tuple(home / "models" / name for name in names) for kind, names in MODEL_KINDS.items()
    } | {kind: (home / kind,) for kind in WORK_KINDS}
    for kind, more in (extra or {}).items():
        places[kind] = (*places.get(kind, ()), *more)
    return Folders(places)
