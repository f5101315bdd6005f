"""What a model's files say of their tensors before any of them is read: the same for every kind of file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

SIZES: Final = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


class TensorInfo(NamedTuple):
    """One tensor of a file: dtype in safetensors' spelling, shape, first byte and end.

    The bytes are counted from the data of a safetensors file, from the beginning of a pickle's own record in
    a zip archive, and from the beginning of any other pickle.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Part(NamedTuple):
    """A file of a model folder, and the names that its tensors bear in the folder's header."""

    header: Header
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Header:
    """What a model file, or a folder of them, says of itself.

    size: its bytes; data_start: the first byte of data; records: the archive's record of each tensor of a
    pickle; wrapped: the keys under which a pickle keeps its tensors; parts: the files of a folder, with their
    own names → the names here.
    """

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    data_start: int
    size: int
    format: Literal["safetensors", "pickle", "folder"] = "safetensors"
    records: Mapping[str, str] = field(default_factory=dict[str, str])
    wrapped: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: info.shape for name, info in self.tensors.items()}

    def read(self, name: str) -> bytes:
        """The bytes of one tensor, read from the file."""
        for part in self.parts:
            for theirs, ours in part.names.items():
                if ours == name:
                    return part.header.read(theirs)
        info = self.tensors[name]
        if record := self.records.get(name):
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(record)[info.begin : info.end]
        with self.path.open("rb") as file:
            file.seek(self.data_start + info.begin)
            return file.read(info.end - info.begin)
