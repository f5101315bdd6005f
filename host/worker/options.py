"""What a worker is told when it starts: folders and choices, as JSON on its command line."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from host.folders import Folders


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """device: "auto", "cpu", "cuda:1". places: the folders of each kind. cache: where results are kept.

    cache_lru: the most results in memory, 0: as many as `memory` bytes hold. keep: whether results are kept
    from one job to the next at all. previews: the longest side of one, 0: none. metadata: whether pictures
    carry their workflow. beat: seconds between signs of life. threads: for computing, 0: as many as there are
    cores. parent: the server's process. listen, port: where the server answers.
    """

    device: str
    places: Mapping[str, tuple[str, ...]]
    cache: str
    memory: int
    keep: bool = True
    cache_lru: int = 0
    previews: int = 512
    metadata: bool = True
    precision: str = "auto"
    beat: float = 1.0
    threads: int = 0
    parent: int = 0
    listen: str = "127.0.0.1"
    port: int = 8188

    def to_json(self) -> str:
        """As one argument of a command line."""
        return json.dumps(asdict(self))

    @property
    def folders(self) -> Folders:
        """The folders of the installation."""
        return Folders({kind: tuple(map(Path, paths)) for kind, paths in self.places.items()})


def options_from(text: str) -> WorkerOptions:
    """The options of `WorkerOptions.to_json`."""
    data = cast("dict[str, Any]", json.loads(text))
    places = {kind: tuple(paths) for kind, paths in data.pop("places").items()}
    return WorkerOptions(places=places, **data)
