"""What the checks of a workflow share: its node types, prepared once, and how things are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graph.context import Files
from graph.document import Link, Node, Workflow
from graph.modes import Cut, true_source
from graph.problems import Problem
from graph.registry import Registry
from graph.sockets import ANY, ANY_NAME, SocketType, accepts, names_fit
from graph.spec import MISSING, Input, NodeSpec, Output


@dataclass(frozen=True, slots=True)
class Kind:
    """A node type with its ends by name."""

    spec: NodeSpec
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    needed: tuple[str, ...]

    @staticmethod
    def of(spec: NodeSpec) -> "Kind":
        """A node type, prepared for looking up."""
        inputs = {item.name: item for item in spec.inputs}
        needed = tuple(name for name, item in inputs.items() if item.required and item.default is MISSING)
        return Kind(spec, inputs, {item.name: item for item in spec.outputs}, needed)


@dataclass(frozen=True)
class Checking:
    """A workflow under check. Nothing in it is changed but the memos of slow answers."""

    workflow: Workflow
    registry: Registry
    kinds: Mapping[str, Kind]
    files: Files | None
    _converters: dict[tuple[SocketType, SocketType], str] = field(default_factory=dict[Any, str])
    _ends: dict[Link, Link | Cut] = field(default_factory=dict[Link, Link | Cut])
    _missing_files: dict[tuple[str, str], str | None] = field(default_factory=dict[Any, Any])

    def kind(self, node: str) -> Kind | None:
        """The node type of a node, or None when it is unknown."""
        found = self.workflow.nodes.get(node)
        return None if found is None else self.kinds.get(found.type)

    def label(self, key: str) -> str:
        """What a sentence calls a node: Node 7 'Blend Images'."""
        return f"Node {self.name(key)}"

    def name(self, key: str) -> str:
        """A node's id and title, for the middle of a sentence: 7 'Blend Images'."""
        node, kind = self.workflow.nodes[key], self.kind(key)
        title = node.title or (kind.spec.title if kind else "") or node.type
        return f"{key[:80]} '{title[:80]}'"

    def problem(
        self, code: str, key: str, input: str, message: str, fix: str = "", warning: bool = False
    ) -> Problem:
        """A problem of one input of a node; `message` goes on from the input's name."""
        sentence = f"{self.label(key)}, input {input[:80]}: {message}"
        return Problem(code, sentence, key, input, fix, "warning" if warning else "error")

    @cached_property
    def specs(self) -> Mapping[str, NodeSpec | None]:
        """The node types by the names that this workflow uses."""
        return {name: kind.spec for name, kind in self.kinds.items()}

    def end(self, link: Link) -> Link | Cut:
        """Where a link really comes from, followed through bypassed nodes."""
        source = self.workflow.nodes.get(link.node)
        if source is None or source.mode == "run":
            return link
        return true_source(self.workflow, self.specs, link, self._ends)

    @cached_property
    def givers(self) -> Mapping[str, tuple[str, str]]:
        """For each socket name an output of the workflow that gives it, as (node, output)."""
        found = dict[str, tuple[str, str]]()
        for key in self.workflow.nodes:
            if (kind := self.kind(key)) is not None:
                for output in kind.outputs.values():
                    for name in output.type.names:
                        found.setdefault(name, (key, output.name))
        return found

    @cached_property
    def wired(self) -> frozenset[str]:
        """Socket names that some node type gives: what is never given is edited by a widget of its own."""
        return frozenset(
            name for spec in self.registry for output in spec.outputs for name in output.type.names
        )

    def source_for(self, wanted: SocketType, key: str) -> str:
        """A sentence that offers an output to link to an input of node `key`."""
        for name in wanted.names:
            node, output = self.givers.get(name, (key, ""))
            if node != key:
                return f"Link it to {output} of node {self.name(node)}."
        if ANY_NAME in wanted.names:
            return "Link it to an output of another node."
        maker = self._maker(wanted)
        return f"Link it to an output of type {wanted}" + (
            f", such as that of a {maker} node." if maker else "."
        )

    def _maker(self, wanted: SocketType) -> str:
        """The id of a node type that gives a type, or ""."""
        if (ANY, wanted) not in self._converters:
            found = (spec.id for spec in self.registry if self._gives(spec, wanted))
            self._converters[ANY, wanted] = next(found, "")
        return self._converters[ANY, wanted]

    def _gives(self, spec: NodeSpec, wanted: SocketType) -> bool:
        return any(
            ANY_NAME not in output.type.names and accepts(wanted, output.type) for output in spec.outputs
        )

    def converter(self, given: SocketType, wanted: SocketType) -> str:
        """The id of a node type that turns one type into another, or ""."""
        pair = (given, wanted)
        if pair not in self._converters:
            found = (spec.id for spec in self.registry if self._gives(spec, wanted) and _takes(spec, given))
            self._converters[pair] = next(found, "")
        return self._converters[pair]

    def missing_file(self, kind: str, name: str) -> bool:
        """Whether a file of this kind and name is known not to exist."""
        if self.files is None:
            return False
        if (kind, name) not in self._missing_files:
            self._missing_files[kind, name] = _find(self.files, kind, name)
        return self._missing_files[kind, name] is None


def _find(files: Files, kind: str, name: str) -> str | None:
    try:
        return None if (path := files.find(kind, name)) is None else str(path)
    except (OSError, ValueError):
        return None


def _takes(spec: NodeSpec, given: SocketType) -> bool:
    """Whether a node takes this very type by name, and needs nothing else that only comes by link."""
    ends = [item for item in spec.inputs if item.widget is None and item.required]
    return (
        any(ANY_NAME not in item.type.names and names_fit(item.type, given) for item in ends)
        and len(ends) <= 2
    )


def links_of(node: Node) -> Iterator[tuple[str, Link]]:
    """A node's links by input name."""
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            yield name, value


def outputs_named(kind: Kind) -> str:
    """A sentence that lists a node type's outputs."""
    names = list(kind.outputs)
    if not names:
        return "It has no outputs."
    return f"Its {'outputs are' if len(names) > 1 else 'output is'} {', '.join(names[:12])}."
