"""What the checks of a workflow share: its node types, prepared once, and how things are called."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from graph.context import Files
from graph.document import Link, Node, Workflow
from graph.modes import Cut, true_source
from graph.problems import Problem, Repair
from graph.registry import Registry
from graph.sockets import SocketType
from graph.spec import MISSING, Input, NodeSpec, Output

MOST_GIVERS: Final = 40


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
    makers: dict[tuple[SocketType, SocketType | None], str] = field(default_factory=dict[Any, str])
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
        self,
        code: str,
        key: str,
        input: str,
        message: str,
        fix: str = "",
        warning: bool = False,
        repair: Repair | None = None,
    ) -> Problem:
        """A problem of one input of a node; `message` goes on from the input's name."""
        sentence = f"{self.label(key)}, input {input[:80]}: {message}"
        return Problem(code, sentence, key, input, fix, "warning" if warning else "error", repair)

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
    def sources(self) -> Mapping[str, list[str]]:
        """For each node that may run, the nodes it takes values from, through bypassed ones."""
        found = dict[str, list[str]]()
        for key, node in self.workflow.nodes.items():
            if node.mode == "run":
                ends = [self.end(link) for _, link in links_of(node)]
                found[key] = [end.node for end in ends if isinstance(end, Link)]
        return found

    @cached_property
    def users(self) -> Mapping[str, list[str]]:
        """For each node, the nodes that take values from it."""
        found = defaultdict[str, list[str]](list)
        for key, sources in self.sources.items():
            for source in sources:
                found[source].append(key)
        return found

    @cached_property
    def givers(self) -> Mapping[str, list[Link]]:
        """For each socket name some outputs of the workflow that give it."""
        found = defaultdict[str, list[Link]](list)
        for key in self.sources:
            for output in kind.outputs.values() if (kind := self.kind(key)) else ():
                for name in output.type.names:
                    if len(found[name]) < MOST_GIVERS:
                        found[name].append(Link(key, output.name))
        return found

    @cached_property
    def wired(self) -> frozenset[str]:
        """Socket names that some node type gives: what is never given is edited by a widget of its own."""
        return frozenset(
            name for spec in self.registry for output in spec.outputs for name in output.type.names
        )

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
