# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The module `folder_paths`: where files lie, by kind and name; packs may change its folders."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from compat.names.session import Session
from host.folders import MODEL_ENDINGS
from nodes import pictures

_HASH: Final = "%"
_MIME: Final = {"image": "image", "video": "video", "audio": "audio", "model": "model"}
_OLD_NAMES: Final = {"unet": "diffusion_models", "clip": "text_encoders", "t2i_adapter": "controlnet"}
Names = dict[str, Any]


def folder_paths(session: Session) -> Names:
    """The names of `folder_paths`."""
    files, names = session.site.folders, Names()
    home = session.home
    models = files.folders("checkpoints")[0].parent
    endings = set(MODEL_ENDINGS)
    known = {kind: ([str(path) for path in files.folders(kind)], set(endings)) for kind in files.model_kinds}
    known["configs"] = (known["configs"][0], {".yaml"})
    known["diffusers"] = (known["diffusers"][0], {"folder"})
    known["classifiers"] = (known["classifiers"][0], {""})
    known["custom_nodes"] = ([str(path) for path in files.folders("custom_nodes")], set())
    names.update(
        base_path=str(home),
        models_dir=str(models),
        output_directory=str(files.folders("output")[0]),
        input_directory=str(files.folders("input")[0]),
        temp_directory=str(files.folders("temp")[0]),
        user_directory=str(home / "user"),
        supported_pt_extensions=endings,
        folder_names_and_paths=known,
        filename_list_cache={},
        extension_mimetypes_cache={"webp": "image", "fbx": "model"},
        CacheHelper=_NoCache,
        cache_helper=_NoCache(),
    )
    for kind in ("output", "input", "temp"):  # some packs list them while they are loaded
        files.folders(kind)[0].mkdir(parents=True, exist_ok=True)
    module = _Module(session)
    for function in (_directories, _lookups, _annotations, _saving):
        names.update(function(module))
    return names


class _NoCache:
    """Remembers nothing: folders are read anew only when they changed anyway."""

    def __enter__(self) -> "_NoCache":
        return self

    def __exit__(self, *problem: object) -> None:
        return None

    def get(self, key: str, default: Any = None) -> Any:
        """Nothing."""
        return default

    def set(self, key: str, value: Any) -> None:
        """Nothing."""


class _Module:
    """The module's variables as they are now: packs assign them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return self._session.modules["folder_paths"].__dict__[name]

    def set(self, name: str, value: Any) -> None:
        """Assign a variable."""
        self._session.modules["folder_paths"].__dict__[name] = value


def _directories(m: _Module) -> Names:
    def made(name: str) -> str:
        path = str(getattr(m, name))
        Path(path).mkdir(parents=True, exist_ok=True)
        return path

    def get_directory_by_type(type_name: str) -> str | None:
        kinds = ("output", "temp", "input")
        return made(f"{type_name}_directory") if type_name in kinds else None

    def get_system_user_directory(name: str = "system") -> str:
        return str(Path(m.user_directory) / f"__{name}")

    return {
        "get_output_directory": lambda: made("output_directory"),
        "get_input_directory": lambda: made("input_directory"),
        "get_temp_directory": lambda: made("temp_directory"),
        "get_user_directory": lambda: made("user_directory"),
        "get_system_user_directory": get_system_user_directory,
        "get_directory_by_type": get_directory_by_type,
        "set_output_directory": lambda path: m.set("output_directory", path),
        "set_input_directory": lambda path: m.set("input_directory", path),
        "set_temp_directory": lambda path: m.set("temp_directory", path),
        "set_user_directory": lambda path: m.set("user_directory", path),
        "get_input_subfolders": lambda: _subfolders(m.input_directory),
    }


def _subfolders(root: str) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in Path(root).rglob("*") if path.is_dir())
    return sorted(found)


def _lookups(m: _Module) -> Names:
    def kind_of(name: str) -> str:
        return name if name in m.folder_names_and_paths else _OLD_NAMES.get(name, name)

    def add_model_folder_path(folder_name: str, full_folder_path: str, is_default: bool = False) -> None:
        kind = kind_of(folder_name)
        places = m.folder_names_and_paths.setdefault(kind, ([], set()))[0]
        if full_folder_path in places:
            if not is_default:
                return
            places.remove(full_folder_path)
        places.insert(0, full_folder_path) if is_default else places.append(full_folder_path)

    def get_folder_paths(folder_name: str) -> list[str]:
        return list(m.folder_names_and_paths[kind_of(folder_name)][0])

    def get_filename_list(folder_name: str) -> list[str]:
        kind = kind_of(folder_name)
        places, endings = m.folder_names_and_paths[kind][:2]
        found = set[str]()
        for place in places:
            files, _ = recursive_search(place, [".git"])
            found.update(filter_files_extensions(files, endings))
        return sorted(found)

    def get_full_path(folder_name: str, filename: str) -> str | None:
        kind = kind_of(folder_name)
        if kind not in m.folder_names_and_paths:
            return None
        inner = os.path.relpath(os.path.join("/", filename), "/")  # noqa: PTH118
        for place in m.folder_names_and_paths[kind][0]:
            path = Path(place) / inner
            if path.is_file():
                return str(path)
        return None

    def get_full_path_or_raise(folder_name: str, filename: str) -> str:
        path = get_full_path(folder_name, filename)
        if path is None:
            raise FileNotFoundError(f"There is no file '{filename}' in the folder {folder_name}.")
        return path

    return {
        "map_legacy": kind_of,
        "add_model_folder_path": add_model_folder_path,
        "get_folder_paths": get_folder_paths,
        "get_filename_list": get_filename_list,
        "get_filename_list_": lambda name: (get_filename_list(name), {}, time.perf_counter()),
        "get_full_path": get_full_path,
        "get_full_path_or_raise": get_full_path_or_raise,
        "recursive_search": recursive_search,
        "filter_files_extensions": filter_files_extensions,
        "filter_files_content_types": filter_files_content_types,
    }


def recursive_search(
    directory: str, excluded_dir_names: Iterable[str] | None = None
) -> tuple[list[str], dict[str, float]]:
    """All files below a folder, named from it; and the times that its folders changed."""
    root, skipped = Path(directory), set(excluded_dir_names or ())
    if not root.is_dir():
        return [], {}
    files, times = list[str](), {directory: root.stat().st_mtime}
    for folder, inner, names in os.walk(root, followlinks=True, topdown=True):
        inner[:] = [name for name in inner if name not in skipped]
        here = Path(folder)
        files.extend(str((here / name).relative_to(root)) for name in names)
        times.update({str(here / name): (here / name).stat().st_mtime for name in inner})
    return files, times


def filter_files_extensions(files: Iterable[str], extensions: Iterable[str]) -> list[str]:
    """The names with one of these endings, all where there are none, sorted."""
    wanted = list(extensions)
    return sorted(name for name in files if not wanted or os.path.splitext(name)[1].lower() in wanted)  # noqa: PTH122


def filter_files_content_types(files: list[str], content_types: list[str]) -> list[str]:
    """The names whose files are of one of these kinds: "image", "video", "audio", "model"."""
    import mimetypes

    def kind(name: str) -> str:
        if name.lower().endswith((".glb", ".gltf", ".fbx", ".obj", ".stl")):
            return "model"
        return (mimetypes.guess_type(name, strict=False)[0] or "").partition("/")[0]

    return [name for name in files if kind(name) in content_types]


def _annotations(m: _Module) -> Names:
    def annotated_filepath(name: str) -> tuple[str, str | None]:
        for kind in ("output", "input", "temp"):
            if name.endswith(f"[{kind}]"):
                return name[: -len(kind) - 3], getattr(m, f"get_{kind}_directory")()
        return name, None

    def get_annotated_filepath(name: str, default_dir: str | None = None) -> str:
        name, folder = annotated_filepath(name)
        root = folder or default_dir or m.get_input_directory()
        return str(Path(root) / name)

    def exists_annotated_filepath(name: str) -> bool:
        return Path(get_annotated_filepath(name)).exists()

    return {
        "annotated_filepath": annotated_filepath,
        "get_annotated_filepath": get_annotated_filepath,
        "exists_annotated_filepath": exists_annotated_filepath,
    }


def _saving(m: _Module) -> Names:
    def get_save_image_path(
        filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
    ) -> tuple[str, str, int, str, str]:
        from datetime import datetime

        prefix = pictures.expand_prefix(filename_prefix, image_width, image_height, datetime.now())
        subfolder, name = os.path.split(os.path.normpath(prefix))
        root = Path(output_dir).resolve()
        folder = (root / subfolder).resolve()
        if not folder.is_relative_to(root):
            raise ValueError(f"'{filename_prefix}' leads out of the folder {output_dir}.")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder), name, _next_number(folder, name), subfolder, filename_prefix

    return {"get_save_image_path": get_save_image_path}


def _next_number(folder: Path, name: str) -> int:
    """One above the largest number of the files that are called `name_00001_...`."""
    numbers = [0]
    for path in folder.iterdir():
        start, _, rest = path.name[len(name) :].partition("_")
        digits = rest.partition("_")[0]
        if path.name.casefold().startswith(name.casefold()) and not start and digits.isdigit():
            numbers.append(int(digits))
    return max(numbers) + 1
