"""Results kept on disk: values by content, an index by key. Survives restarts; processes may share it.

folder/index/ab/<key>     one result: a digest line, then JSON: where its items are, what it rests on
folder/values/cd/<digest> one value, as its codec wrote it, named by the digest of its bytes
folder/history.jsonl      why nodes ran (graph.explain)

Every file appears whole, by rename. A file that is not what its digest says is dropped, never used.
"""

import base64
import binascii
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol, cast
from uuid import uuid4

from graph.explain import History
from graph.late_writes import Pace
from graph.memory_store import Fact

Items = list[Any]
DEFAULT_BUDGET: Final = 20 * 1024**3
_INLINE: Final = 2048
_KEPT_SHARE: Final = 0.8
_GRACE_SECONDS: Final = 120.0
_DEEPEST: Final = 100


class Codec(Protocol):
    """How values of one kind become bytes and back. `name` is written beside them; never reuse one."""

    @property
    def name(self) -> str:
        """The codec's name."""
        ...

    def can_store(self, value: Any) -> bool:
        """Whether this codec can write the value so that it comes back the same."""
        ...

    def dump(self, value: Any) -> bytes:
        """The value as bytes."""
        ...

    def load(self, data: bytes) -> Any:
        """The value of these bytes."""
        ...


class Damaged(Exception):
    """A stored result is not what was written."""


class Unstorable(Exception):
    """A result could not be written; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One line of the index: for each output its items' places, or None when it could not be stored."""

    key: bytes
    outputs: tuple[Sequence[Mapping[str, str]] | None, ...]
    inside: tuple[Fact, ...] = ()

    def covers(self, wanted: int) -> bool:
        """Whether all wanted outputs (bit i for output i) are stored."""
        return all(places is not None or not wanted >> index & 1 for index, places in enumerate(self.outputs))


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all. Raises OSError."""
    half = path.with_name(f"{path.name}.{uuid4().hex}.half")
    try:
        try:
            half.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(data)
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


class DiskStore:
    """Results in a folder, up to `budget` bytes; the least recently used go first.

    codecs: tried in order; the built-in PlainCodec comes last. write: how a file is written. patience: the
    most seconds of finished work that a killed process may have to do again (graph.late_writes).
    """

    __slots__ = ("_added", "_codecs", "_known", "_write", "budget", "folder", "history", "pace")

    def __init__(
        self,
        folder: Path,
        codecs: Sequence[Codec] = (),
        budget: int = DEFAULT_BUDGET,
        write: Callable[[Path, bytes], None] = write_atomically,
        patience: float = 0.0,
    ) -> None:
        self.folder = folder
        self.pace = Pace(patience)
        self.budget = budget
        self.history = History(folder / "history.jsonl")
        self._codecs: tuple[Codec, ...] = (*codecs, PlainCodec())
        self._write = write
        self._known: int | None = None
        self._added = 0

    def find(self, key: bytes) -> Stored | None:
        """The index line of a key, or None. Raises Damaged (and drops it) when it is not what was written."""
        path = self._index_path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            digest, _, text = data.partition(b"\n")
            if digest.decode("ascii", "replace") != _digest(text):
                raise Damaged(path.name)
            line = json.loads(text)
            outputs = cast("list[Sequence[Mapping[str, str]] | None]", line["outputs"])
            inside = tuple((what, name, mark) for what, name, mark in line["inside"])
            return Stored(key, tuple(map(self._readable, outputs)), inside)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.drop(key)
            raise Damaged(path.name) from error
        except Damaged:
            self.drop(key)
            raise

    def _readable(self, places: Sequence[Mapping[str, str]] | None) -> Sequence[Mapping[str, str]] | None:
        """The places of an output's items, or None when a codec for them is not here."""
        known = {codec.name for codec in self._codecs}
        return places if places is not None and all(place["codec"] in known for place in places) else None

    def load(self, stored: Stored, wanted: int) -> tuple[Items | None, ...]:
        """The wanted outputs of a result. Raises Damaged, and drops it, when a value is not as written."""
        try:
            values = tuple(
                None
                if places is None or not wanted >> index & 1
                else [self._value(place) for place in places]
                for index, places in enumerate(stored.outputs)
            )
        except Exception as error:  # codecs meet bytes of any age here
            self.drop(stored.key)
            raise Damaged(f"{stored.key.hex()}: {error}") from error
        with suppress(OSError):
            os.utime(self._index_path(stored.key))
        return values

    def put(self, key: bytes, values: Sequence[Items | None], inside: Iterable[Fact] = ()) -> bool:
        """Store the outputs that have a codec; gives whether there was any. Raises Unstorable.

        inside: what else the result rests on, given back by `find`.
        """
        try:
            outputs = [None if items is None else self._places(items) for items in values]
            if all(places is None for places in outputs):
                return False
            text = json.dumps({"outputs": outputs, "inside": sorted(inside)}).encode()
            self._save(self._index_path(key), _digest(text).encode() + b"\n" + text)
        except OSError as error:
            raise Unstorable(_disk_sentence(self.folder, error)) from error
        self._shrink_if_full()
        return True

    def drop(self, key: bytes) -> None:
        """Forget a result."""
        with suppress(OSError):
            self._index_path(key).unlink()

    def close(self) -> None:
        """Close open files; the store can go on being used."""
        self.history.close()

    def _index_path(self, key: bytes) -> Path:
        name = key.hex()
        return self.folder / "index" / name[:2] / name

    def _value_path(self, digest: str) -> Path:
        return self.folder / "values" / digest[:2] / digest

    def _places(self, items: Items) -> list[dict[str, str]] | None:
        places = list[dict[str, str]]()
        for item in items:
            codec = next((codec for codec in self._codecs if codec.can_store(item)), None)
            if codec is None:
                return None
            places.append(self._place(codec.name, codec.dump(item)))
        return places

    def _place(self, codec: str, data: bytes) -> dict[str, str]:
        if len(data) <= _INLINE:
            return {"codec": codec, "inline": base64.b64encode(data).decode()}
        digest = _digest(data)
        path = self._value_path(digest)
        try:
            whole = path.stat().st_size == len(data)
            os.utime(path)
        except OSError:
            whole = False
        if not whole:
            self._save(path, data)
        return {"codec": codec, "digest": digest}

    def _save(self, path: Path, data: bytes) -> None:
        self._write(path, data)
        self._added += len(data)

    def _value(self, place: Mapping[str, str]) -> Any:
        codec = next(codec for codec in self._codecs if codec.name == place["codec"])
        if "inline" in place:
            return codec.load(base64.b64decode(place["inline"], validate=True))
        path = self._value_path(place["digest"])
        data = path.read_bytes()
        if _digest(data) != place["digest"]:
            path.unlink(missing_ok=True)
            raise Damaged(path.name)
        return codec.load(data)

    def _shrink_if_full(self) -> None:
        if self._known is None or self._known + self._added > self.budget:
            self.shrink(self.budget)

    def shrink(self, budget: int) -> int:
        """Above `budget` bytes, drop the least recently used down to 80 % of it; gives the bytes left."""
        left = self.total()
        if left > budget:
            self._drop_oldest(left - int(budget * _KEPT_SHARE))
            self._drop_unused_values()
            left = self.total()
        self._known, self._added = left, 0
        return left

    def total(self) -> int:
        """Bytes stored."""
        return sum(map(_size, _files(self.folder)))

    def clear(self) -> None:
        """Drop everything but the history."""
        for part in ("index", "values"):
            for path in _files(self.folder / part):
                path.unlink(missing_ok=True)
        self._known = None

    def _drop_oldest(self, excess: int) -> None:
        """Drop index lines, the oldest first, until what they alone point to makes up for the excess."""
        lines = sorted(_files(self.folder / "index"), key=_age_of)
        for path in lines:
            if excess <= 0:
                return
            excess -= path.stat().st_size + self._weight(path)
            path.unlink(missing_ok=True)

    def _weight(self, line: Path) -> int:
        return sum(_size(self._value_path(digest)) for digest in _digests_in(line))

    def _drop_unused_values(self) -> None:
        """Drop values that no index line names, and halves whose writer is long gone.

        Another process may lose a value it is about to name: its result is then found damaged and made again.
        """
        used = {digest for line in _files(self.folder / "index") for digest in _digests_in(line)}
        for path in _files(self.folder / "values"):
            written = not path.name.endswith(".half") or _age_of(path) < time.time() - _GRACE_SECONDS
            if path.name not in used and written:
                path.unlink(missing_ok=True)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=20).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("**/*") if path.is_file())


def _age_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _digests_in(line: Path) -> list[str]:
    try:
        outputs = json.loads(line.read_bytes().partition(b"\n")[2])["outputs"]
        return [place["digest"] for places in outputs if places for place in places if "digest" in place]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _disk_sentence(folder: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"Results cannot be kept in {folder} ({reason}); the run goes on, and they stay in memory only."


class PlainCodec:
    """Plain values: None, truth values, numbers, texts, bytes, and lists, tuples and dicts of them."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """ "plain/1"."""
        return "plain/1"

    def can_store(self, value: Any) -> bool:
        """Whether the value is plain, down to 100 levels."""
        level, depth = [value], 0
        while level and depth <= _DEEPEST:
            if not all(_is_plain(item) for item in level):
                return False
            level = [inner for item in level for inner in _inside(item)]
            depth += 1
        return not level

    def dump(self, value: Any) -> bytes:
        """The value as tagged JSON."""
        return json.dumps(_tagged(value)).encode()

    def load(self, data: bytes) -> Any:
        """The value of tagged JSON."""
        return _untagged(json.loads(data))


_PLAIN: Final = (type(None), bool, int, float, str, bytes)


def _is_plain(value: Any) -> bool:
    kind = cast(type[object], type(value))
    if kind is int:
        return abs(value).bit_length() < 1024
    if kind is str:
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    if kind is dict:
        return all(type(key) is str and _is_plain(key) for key in value)
    return kind in _PLAIN or kind in (list, tuple)


def _inside(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _tagged(value: Any) -> Any:
    """JSON for a value: what JSON would confuse or refuse is an object with one key. At most 100 levels."""
    kind = cast(type[object], type(value))
    if kind is list:
        return [_tagged(item) for item in value]
    if kind is tuple:
        return {"t": [_tagged(item) for item in value]}
    if kind is dict:
        return {"d": {key: _tagged(item) for key, item in value.items()}}
    if kind is bytes:
        return {"b": base64.b64encode(value).decode()}
    if kind is float and not math.isfinite(value):
        return {"f": repr(value)}
    return value


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    ((tag, inner),) = cast("dict[str, Any]", value).items()
    match tag:
        case "t":
            return tuple(_untagged(item) for item in inner)
        case "d":
            return {key: _untagged(item) for key, item in inner.items()}
        case "b":
            return base64.b64decode(inner, validate=True)
        case "f":
            return float(inner)
        case _:
            raise binascii.Error(f"unknown tag {tag}")
