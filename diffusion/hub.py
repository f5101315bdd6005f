"""Models from a hub: which files of a repository are needed, and how they come here.

The only module that may use a network, and only for an id that the user wrote. $HF_ENDPOINT names a mirror,
$HF_TOKEN opens what needs a login; what was cut off goes on where it was.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from diffusion.errors import DiffusionError
from diffusion.model_folders import INDEX, NETWORKS, choose_weights

Progress = Callable[[int, int], None]
"""Takes the bytes that are here and the bytes that there are in all; may raise to stop."""

_ID = re.compile(r"([\w.-]+)/([\w.-]+)((?:/[\w. -]+)*)(?:@([\w./-]+))?")
_PATH = re.compile(r"[/\\:]")
_CONFIGS: Final = ("scheduler/scheduler_config.json", *(f"{name}/config.json" for name in NETWORKS))
_WHOLE_MODELS: Final = (".safetensors", ".ckpt")


@dataclass(frozen=True, slots=True)
class HubId:
    """A repository of a hub ("owner/name"), perhaps one file in it, and a revision ("" for the newest)."""

    repository: str
    file: str = ""
    revision: str = ""

    @property
    def place(self) -> Path:
        """Where it is kept, below the folder of hub models."""
        owner, _, name = self.repository.partition("/")
        mark = self.revision.replace("/", "-")
        return Path(owner) / (f"{name}@{mark}" if mark else name)


def hub_id(text: str) -> HubId:
    """The id in "owner/name", "owner/name/file.safetensors" and either with "@revision"; DiffusionError."""
    found = _ID.fullmatch(text.strip())
    if found is None or any(part.strip(".") == "" for part in re.split("[/@]", text.strip())):
        raise DiffusionError(
            f"'{text[:100]}' is no id of a hub. Write owner/name, such as "
            "stabilityai/stable-diffusion-xl-base-1.0, and @revision after it if you want one."
        )
    owner, name, file, revision = found.groups()
    return HubId(f"{owner}/{name}", file.removeprefix("/"), revision or "")


def local_copy(id: HubId, folder: Path) -> Path | None:
    """Where a model already is, whole: below the folder, or in the hub's own cache. Uses no network."""
    place = folder / id.place / id.file
    if id.file:
        return place if place.is_file() else _cached(id)
    # The index is fetched last, so where it is, all is.
    return place if (place / INDEX).is_file() else _whole_file(place) or _cached(id)


def _whole_file(place: Path) -> Path | None:
    files = [f for f in place.glob("*") if f.suffix in _WHOLE_MODELS] if place.is_dir() else []
    return files[0] if len(files) == 1 else None


def _cached(id: HubId) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    if id.file:
        found = try_to_load_from_cache(id.repository, id.file, revision=id.revision or None)
        return Path(found) if isinstance(found, str) else None
    index = try_to_load_from_cache(id.repository, INDEX, revision=id.revision or None)
    if not isinstance(index, str):
        return None
    place = Path(index).parent
    whole = all(choose_weights(f.name for f in (place / name).glob("*")) for name in _networks(place))
    return place if whole else None


def _networks(place: Path) -> Iterator[str]:
    return (name for name in NETWORKS if (place / name).is_dir())


def needed_files(names: Sequence[str]) -> tuple[str, ...]:
    """Of a repository's files, those that make the model: one set of weights a network, fp16 where there is
    one; the index last. Without an index the one whole checkpoint in it."""
    if INDEX in names:
        weights = [file for network in NETWORKS for file in _network_files(names, network)]
        return (*(name for name in _CONFIGS if name in names), *weights, INDEX)
    whole = [name for name in names if name.endswith(_WHOLE_MODELS) and not _PATH.search(name)]
    if len(whole) != 1:
        told = f"{len(whole)} checkpoints ({', '.join(sorted(whole)[:6])})" if whole else "no checkpoint"
        raise DiffusionError(
            f"this repository has no {INDEX} and {told}. Name a file of it: owner/name/file.safetensors."
        )
    return tuple(whole)


def _network_files(names: Sequence[str], network: str) -> list[str]:
    start = f"{network}/"
    own = choose_weights(n.removeprefix(start) for n in names if n.startswith(start))
    return [start + name for name in own]


def fetch(id: HubId, folder: Path, progress: Progress = lambda done, total: None) -> Path:
    """The model's place on disk, downloaded below the folder if it is not here yet.

    Raises DiffusionError with what the hub said and what to do; whatever progress raises stops the download,
    and the next call goes on from there.
    """
    if (here := local_copy(id, folder)) is not None:
        return here
    with _sentences(id):
        sizes = _sizes(id)
        files = (id.file,) if id.file else needed_files(list(sizes))
        _download(id, files, sizes, folder / id.place, progress)
    place = folder / id.place
    return place if INDEX in files else place / files[0]


def _access() -> dict[str, Any]:
    return {"endpoint": os.environ.get("HF_ENDPOINT") or None, "token": os.environ.get("HF_TOKEN") or None}


def _sizes(id: HubId) -> dict[str, int]:
    """Every file of the repository with its bytes."""
    from huggingface_hub import HfApi

    info = HfApi(**_access()).model_info(id.repository, revision=id.revision or None, files_metadata=True)
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _download(
    id: HubId, files: Sequence[str], sizes: Mapping[str, int], place: Path, progress: Progress
) -> None:
    total, done = sum(sizes.get(name, 0) for name in files), 0
    for name in files:
        before = done
        _download_file(
            id, name, place, lambda here, before=before: progress(min(before + here, total), total)
        )
        done += sizes.get(name, 0)
        progress(done, total)


def _download_file(id: HubId, name: str, place: Path, tell: Callable[[int], None]) -> None:
    """One file, begun or gone on with. What is not whole yet bears its version's name and a dot in front."""
    from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url, http_get
    from huggingface_hub.utils import build_hf_headers

    target = place / name
    if target.is_file():
        return
    access = _access()
    url = hf_hub_url(id.repository, name, revision=id.revision or None, endpoint=access["endpoint"])
    facts = get_hf_file_metadata(url, **access)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.parent / f".{target.name}.{_plain(facts.etag or '')}.part"
    headers = build_hf_headers(token=access["token"])
    if urlsplit(facts.location).netloc != urlsplit(url).netloc:
        # Where the hub sends us for large files is signed already, and the token is not for others.
        headers.pop("authorization", None)
    with part.open("ab") as file:
        http_get(
            facts.location,
            file,
            resume_size=file.tell(),
            headers=headers,
            expected_size=facts.size,
            tqdm_class=_telling(tell),
        )
    part.replace(target)


def _plain(etag: str) -> str:
    return re.sub(r"[^\w-]", "", etag)[:64]


def _telling(tell: Callable[[int], None]) -> Any:
    """A progress bar that draws nothing and tells how many bytes of its file are here."""
    from huggingface_hub.utils import tqdm

    class Telling(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})
            self._here = int(options.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self._here += int(n or 0)
            tell(self._here)
            return None

    return Telling


@contextmanager
def _sentences(id: HubId) -> Iterator[None]:
    """What the hub's library raises, said in our words."""
    from huggingface_hub import errors

    where = os.environ.get("HF_ENDPOINT") or "the hub"
    try:
        yield
    except errors.GatedRepoError as error:
        raise DiffusionError(
            f"{id.repository} is open only to those who accepted its terms. "
            "Accept them on its page and set HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise DiffusionError(
            f"{id.repository} has no revision {id.revision}. Leave @{id.revision} out."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise DiffusionError(
            f"{where} has no repository {id.repository}, or it is private. "
            "Check the name; set HF_TOKEN if it is yours."
        ) from error
    except errors.EntryNotFoundError as error:
        raise DiffusionError(f"{id.repository} has no file {id.file}. Check the name on its page.") from error
    except errors.OfflineModeIsEnabled as error:
        raise DiffusionError(
            f"{id.repository} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it. Unset that."
        ) from error
    except (errors.HTTPError, OSError) as error:  # pyright: ignore[reportPrivateImportUsage]
        reason = str(error).strip().partition("\n")[0][:200]
        raise DiffusionError(
            f"{id.repository} could not be fetched from {where}: {reason}. Run it again: the download "
            "goes on where it stopped. HF_ENDPOINT names another mirror."
        ) from error
