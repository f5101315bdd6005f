"""Cache keys: one digest a node of everything that decides its result. A Merkle key, linear in the graph."""

import inspect
import os
import struct
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

from graph.context import Files
from graph.plan import Step
from graph.spec import NodeSpec

DIGEST_SIZE: Final = 16
UNIQUE_ID: Final = "UNIQUE_ID"
_FLOAT: Final = struct.Struct(">d")
_DEEPEST: Final = 10_000
_MOST_ITEMS: Final = 1_000_000


class Key(NamedTuple):
    """A node's cache key. `volatile` says why its result is never cached, or is empty."""

    digest: bytes
    volatile: str = ""

    @property
    def text(self) -> str:
        """The key in hexadecimal."""
        return self.digest.hex()


class Keys:
    """The cache keys of one run. A step's sources get theirs first; file identities are asked once."""

    __slots__ = ("_files", "_heads", "_identities", "_made", "_prints")

    def __init__(self, files: Files | None) -> None:
        self._files = files
        self._made = dict[str, Key]()
        self._heads = dict[int, bytes]()
        self._identities = dict[tuple[str, str], str]()
        self._prints = dict[str, bytes]()

    def __getitem__(self, node: str) -> Key:
        return self._made[node]

    def make(self, step: Step, scope: Key | None = None) -> Key:
        """The key of a step.

        scope: for nodes made while running, a key that decides their literals; values without a canonical
        form (tensors) then count as decided by it. Without a scope such values make the key volatile.
        """
        spec = step.ends.spec
        parts = [self._heads.get(id(spec)) or self._head(spec)]
        volatile = ""
        for name in sorted(step.literals):
            encoded = canonical(step.literals[name])
            if encoded is None:
                volatile = volatile or (scope.volatile if scope else f"its input {name} is not a plain value")
                encoded = b"o" + (scope.digest if scope else b"")
            parts += (_text(name), encoded)
        for name in sorted(step.sources):
            source = step.sources[name]
            upstream = self._made[source.node]
            if upstream.volatile and not volatile:
                volatile = f"upstream {source.node} always runs"
            parts += (b"L", _text(name), upstream.digest, _text(source.output))
        if step.ends.files:
            parts += (_text(name) + _text(identity) for name, identity in self.files(step).items())
        if _bound_to_node(spec):
            parts += (b"U", _text(step.id))
        if spec.fingerprint is not None:
            mark = fingerprint(step, self._files)
            if mark is None:
                volatile = volatile or "its fingerprint never repeats"
            else:
                self._prints[step.id] = mark
                parts += (b"F", mark)
        if volatile:
            parts.append(os.urandom(DIGEST_SIZE))
        key = Key(blake2b(b"".join(parts), digest_size=DIGEST_SIZE).digest(), volatile)
        self._made[step.id] = key
        return key

    def files(self, step: Step) -> dict[str, str]:
        """The identity of each file that a step's literals name, by input name."""
        found = dict[str, str]()
        for name in sorted(step.ends.files):
            value = step.literals.get(name)
            if isinstance(value, str):
                found[name] = self.identity(step.ends.files[name], value)
        return found

    def print_of(self, node: str) -> str:
        """What a node's fingerprint gave, for comparing; "" without one."""
        return self._prints.get(node, b"").hex()

    def forget(self, node: str) -> None:
        """Let go of the key of a node made while running."""
        self._made.pop(node, None)
        self._prints.pop(node, None)

    def _head(self, spec: NodeSpec) -> bytes:
        facts = (spec.id, str(spec.version), spec.digest)
        self._heads[id(spec)] = head = b"".join(map(_text, facts))
        return head

    def identity(self, kind: str, name: str) -> str:
        """The identity of a file, asked once a run."""
        if (kind, name) not in self._identities:
            self._identities[kind, name] = _identity(self._files, kind, name)
        return self._identities[kind, name]


def _identity(files: Files | None, kind: str, name: str) -> str:
    try:
        return "" if files is None else files.identity(kind, name)
    except (OSError, ValueError):
        return ""


def _bound_to_node(spec: NodeSpec) -> bool:
    """Whether a result belongs to one node, not to all that are alike."""
    return not spec.idempotent or UNIQUE_ID in spec.hidden.values()


def fingerprint(step: Step, files: Files | None = None) -> bytes | None:
    """What a node's own fingerprint adds to its key; None when it is NaN, raises, or is no plain value.

    It gets the literals it names, None for linked inputs, and the folders where it names `files`.
    """
    function = step.ends.spec.fingerprint
    assert function is not None
    known = dict.fromkeys(step.sources) | dict(step.literals)
    try:
        value = function(**_named(function, known, files))
        if inspect.iscoroutine(value):
            value.close()
            return None
        return canonical(value)
    except Exception:  # a plugin's code: a fingerprint that fails means "run me"
        return None


def _named(function: Callable[..., Any], known: Mapping[str, Any], files: Files | None) -> Mapping[str, Any]:
    parameters = inspect.signature(function).parameters
    if "files" in parameters:
        known = {"files": files, **known}
    if any(item.kind is item.VAR_KEYWORD for item in parameters.values()):
        return known
    return {name: value for name, value in known.items() if name in parameters}


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(data), data)


def canonical(value: Any) -> bytes | None:
    """Bytes that two plain values share only if they are the same in type and content; else None.

    1, True, 1.0 and "1" differ, and so do 0.0 and -0.0. NaN and anything that is not plain has no such form.
    """
    return _scalar(value) or _container(value)


def _scalar(value: Any) -> bytes | None:
    kind = cast(type[object], type(value))
    if kind is str:
        return _text(value)
    if kind is int:
        return b"i%x;" % value
    if kind is float:
        return None if value != value else b"d" + _FLOAT.pack(value)
    if kind is bool:
        return b"T" if value else b"f"
    if value is None:
        return b"n"
    if kind is bytes:
        return b"b%d:%b" % (len(value), value)
    return None


_END: Final = object()


def _container(value: Any) -> bytes | None:
    """Lists, tuples and mappings with text keys, item by item on a stack of our own: any depth."""
    parts, waiting, depth = list[bytes](), [value], 0
    while waiting:
        item = waiting.pop()
        if item is _END:
            depth -= 1
            parts.append(b"]")
        elif (encoded := _scalar(item)) is not None:
            parts.append(encoded)
        elif isinstance(item, list | tuple):
            parts.append(b"[" if isinstance(item, list) else b"(")
            depth += 1
            waiting.append(_END)
            waiting.extend(reversed(cast("list[Any]", item)))
        elif isinstance(item, Mapping) and all(type(key) is str for key in cast("Mapping[Any, Any]", item)):
            parts.append(b"{")
            depth += 1
            waiting.append(_END)
            pairs = sorted(cast("Mapping[str, Any]", item).items(), key=lambda pair: pair[0], reverse=True)
            for name, inner in pairs:
                waiting += (inner, name)
        else:
            return None
        if depth > _DEEPEST or len(parts) > _MOST_ITEMS:
            return None
    return b"".join(parts)
