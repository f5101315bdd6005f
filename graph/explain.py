"""Why a node runs: what decided its last result, kept by node, and compared with what decides it now."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast

from graph.keys import Key, Keys, canonical
from graph.plan import Step

Facts = Mapping[str, Any]
"""What decided a result: type, code, literals, links, files, fingerprint and key, as JSON values."""

FIRST_RUN: Final = "first run"
_LONGEST: Final = 60
_SHOWN: Final = 24
_LINES_KEPT: Final = 2000


def facts_of(step: Step, keys: Keys) -> dict[str, Any]:
    """What decides a step's result now."""
    spec = step.ends.spec
    facts: dict[str, Any] = {
        "node": step.id,
        "key": keys[step.id].text,
        "type": spec.id,
        "code": f"{spec.version}:{spec.digest}",
        "literals": {name: _told(value) for name, value in step.literals.items()},
    }
    if step.sources:
        facts["links"] = {
            name: [source.node, source.output, keys[source.node].text]
            for name, source in step.sources.items()
        }
    if step.ends.files:
        facts["files"] = keys.files(step)
    if mark := keys.print_of(step.id):
        facts["fingerprint"] = mark
    return facts


def _told(value: Any) -> str:
    """A literal as text that tells values apart: long ones by their beginning and a digest."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"<{type(value).__name__}>"
    if len(text) <= _LONGEST:
        return text
    whole = canonical(value) or text.encode("utf-8", "surrogatepass")
    return f"{text[:_LONGEST]}… #{blake2b(whole, digest_size=6).hexdigest()}"


def reason(step: Step, key: Key, now: Facts, last: Facts | None, where: str) -> str:
    """Why a step runs, in a few words.

    now, last: the facts that decide its result, and those of its last one, if there was one. where: why that
    result is not used although nothing changed ("evicted").
    """
    if key.volatile:
        return key.volatile if key.volatile.startswith("upstream") else f"always runs: {key.volatile}"
    if last is None:
        return FIRST_RUN
    if now["key"] == last.get("key"):
        return f"not in cache ({where})"
    return ", ".join(_changes(step, now, last)) or "changed"


def _changes(step: Step, now: Facts, last: Facts) -> Iterator[str]:
    if now["type"] != last.get("type"):
        yield f"type {last.get('type')} → {now['type']}"
        return
    if now["code"] != last.get("code"):
        yield "code changed"
    yield from _literal_changes(now["literals"], _mapping(last, "literals"))
    files, before = _mapping(now, "files"), _mapping(last, "files")
    for name, identity in files.items():
        if before.get(name) != identity and now["literals"].get(name) == _mapping(last, "literals").get(name):
            yield f"file {step.literals[name]} replaced"
    yield from _link_changes(_mapping(now, "links"), _mapping(last, "links"))
    if now.get("fingerprint") != last.get("fingerprint"):
        yield "fingerprint changed"


def _mapping(facts: Facts, part: str) -> Mapping[str, Any]:
    found = facts.get(part)
    return cast(Mapping[str, Any], found) if isinstance(found, Mapping) else {}


def _literal_changes(now: Mapping[str, str], last: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*now, *last)) if now != last else ():
        before, after = last.get(name, "unset"), now.get(name, "unset")
        if before != after:
            yield f"{name} {_shown(before)} → {_shown(after)}"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _link_changes(now: Mapping[str, Any], last: Mapping[str, Any]) -> Iterator[str]:
    for name, (node, output, key) in now.items():
        before = last.get(name)
        if before is None:
            yield f"{name} linked to {node}"
        elif before[2] != key:
            yield f"upstream {node} changed" if before[0] == node else f"{name} now from {node}"
        elif before[1] != output:
            yield f"{name} now takes {output}"
    for name in last:
        if name not in now:
            yield f"{name} unlinked"


class History:
    """The facts of each node's last result. With a file it survives the process."""

    __slots__ = ("_earlier", "_file", "_last", "_path")

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: int | None = None
        self._last: dict[str, Facts] = {} if path is None else _read(path)
        self._earlier = frozenset(self._last)

    def last(self, node: str) -> Facts | None:
        """The facts of a node's last result, or None."""
        return self._last.get(node)

    def from_earlier(self, node: str) -> bool:
        """Whether a node's last result was made by another process."""
        return node in self._earlier

    def record(self, node: str, facts: Facts) -> None:
        """Keep the facts of a result just made."""
        self._last[node] = facts
        self._earlier -= {node}
        if self._path is not None:
            self._append(json.dumps(facts, ensure_ascii=True).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._file is None and self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            if self._file is not None:
                os.write(self._file, line)

    def close(self) -> None:
        """Close the file; recording opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _read(path: Path) -> dict[str, Facts]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return {}
    last = dict[str, Facts]()
    for line in lines:
        try:
            facts = json.loads(line)
            last[facts["node"]] = facts
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    if len(lines) > len(last) + _LINES_KEPT:
        _rewrite(path, last)
    return last


def _rewrite(path: Path, last: Mapping[str, Facts]) -> None:
    half = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        half.write_bytes(b"".join(json.dumps(facts).encode() + b"\n" for facts in last.values()))
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
