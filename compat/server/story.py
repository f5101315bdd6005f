"""A job's events as ComfyUI's clients know them: which messages each becomes, in which order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from graph.document import Link, Workflow
from graph.flat import NO_TYPES, flat
from host.jobs.model import JobRecord, NumberedEvent, Payload

_FROM_CACHE: Final = ("cached", "disk")
_STARTED: Final = 0.0
_WHOLE: Final = 1.0
_CIRCLE: Final = "in a circle"
CIRCLE_ERROR: Final = "graph.DependencyCycleError"
WORKER_GONE: Final = "WorkerDied"


@dataclass(frozen=True, slots=True)
class Message:
    """A text event. everyone: where the job has no client, all are told and not nobody."""

    type: str
    data: Mapping[str, Any]
    everyone: bool = False


@dataclass(slots=True)
class JobStory:
    """What has happened in one job so far.

    kinds: node type by id. sources: the nodes each node takes values from. planned: ids of the plan's nodes.
    states: what `progress_state` tells of each node; told, untold: when all were last told, and whether there
    is news since. running: nodes that run, the last to begin at the end.
    """

    id: str
    kinds: Mapping[str, str]
    sources: Mapping[str, tuple[str, ...]]
    planned: dict[str, None] = field(default_factory=dict[str, None])
    known: dict[str, str] = field(default_factory=dict[str, str])
    states: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    running: dict[str, None] = field(default_factory=dict[str, None])
    executed: list[str] = field(default_factory=list[str])
    failure: Mapping[str, Any] | None = None
    begun: bool = False
    told: float = 0.0
    untold: bool = False

    @staticmethod
    def of(id: str, payload: Payload) -> "JobStory":
        """The story of a job that has not begun."""
        workflow = flat(payload.workflow, NO_TYPES)
        return JobStory(id, _kinds(workflow), _sources(workflow))

    @staticmethod
    def of_record(record: JobRecord) -> "JobStory":
        """The story of a job that has ended."""
        story = JobStory.of(record.job.id, record.payload)
        story.planned = dict.fromkeys(story.kinds)
        for event in record.events:
            if event.kind == "node_failed":
                story.failure = story.failure or event.data
        story.executed = [timing.node for timing in record.timings if timing.verdict == "ran"]
        return story

    def tell(self, event: NumberedEvent) -> Iterator[Message]:
        """The messages that an event becomes, in their order."""
        match event.kind:
            case "started":
                yield from self._started(event)
            case "node_started":
                yield from self._node_started(event.data)
            case "progress":
                yield from self._progress(event.data)
            case "node_finished":
                yield from self._node_finished(event.data)
            case "node_failed":
                yield from self._node_failed(event.data)
            case "finished":
                yield from self._finished(event)
            case _:
                return

    def place(self, node: str, display: str = "") -> dict[str, str | None]:
        """Where a node stands: itself, what a person sees, the node that made it and the workflow's own."""
        display = display or self.known.get(node, node)
        return {
            "node_id": node,
            "display_node_id": display,
            "parent_node_id": self._parent(node),
            "real_node_id": self._real(node),
        }

    def all_states(self) -> Message:
        """How far every node is that has begun."""
        return Message("progress_state", {"prompt_id": self.id, "nodes": self.states}, True)

    def messages_of_record(self, record: JobRecord) -> Iterator[Message]:
        """What the history says of how a job went."""
        job = record.job
        if job.started is not None:
            cached = [timing.node for timing in record.timings if timing.verdict in _FROM_CACHE]
            yield self._stamped("execution_start", job.started)
            yield self._stamped("execution_cached", job.started, nodes=cached)
        if job.is_over:
            yield self._end(
                job.state, job.ended or job.created, None if job.error is None else job.error.message
            )

    # Events

    def _started(self, event: NumberedEvent) -> Iterator[Message]:
        self.planned = dict.fromkeys(event.data.get("nodes", ()))
        cached = self._with_sources(event.data.get("cached", ()))
        if not self.begun:
            yield self._stamped("execution_start", event.at)
            yield self._stamped("execution_cached", event.at, nodes=cached)
        self.begun = True
        self.running.clear()

    def _with_sources(self, cached: Sequence[str]) -> list[str]:
        """Nodes whose results are there, and those before them, which are not asked for."""
        found, waiting = dict[str, None](), list(reversed(cached))
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = None
                waiting.extend(self.sources.get(node, ()))
        return [node for node in self.planned if node in found]

    def _node_started(self, data: Mapping[str, Any]) -> Iterator[Message]:
        node, display = _names(data)
        self.known[node] = display
        self.running[node] = None
        yield self._state(node, "running", _STARTED, _WHOLE)
        yield self._message("executing", node=node, display_node=display)

    def _progress(self, data: Mapping[str, Any]) -> Iterator[Message]:
        node, done, total = data["node"], data["done"], data["total"]
        yield self._state(node, "running", done, total)
        yield self._message("progress", True, value=done, max=total, node=node)

    def _node_finished(self, data: Mapping[str, Any]) -> Iterator[Message]:
        node, display = _names(data)
        self.known[node] = display
        verdict, ui = data["verdict"], data.get("ui")
        if verdict in ("skipped", "cancelled"):
            return
        if verdict == "blocked" and data.get("reason"):
            yield self._blocked(node, data["reason"])
        if verdict == "ran":
            self.executed.append(node)
        if ui:
            yield self._message("executed", node=node, display_node=display, output=dict(ui))
        if ui or node in self.running:
            full = self.states.get(node, {}).get("max", _WHOLE)
            yield self._state(node, "finished", full, full)
        self.running.pop(node, None)

    def _node_failed(self, data: Mapping[str, Any]) -> Iterator[Message]:
        node, display = _names(data)
        self.known[node] = display
        self.failure = self.failure or data
        self.running.pop(node, None)
        state = self.states.get(node, {})
        yield self._state(node, "error", state.get("value", _STARTED), state.get("max", _WHOLE))

    def _finished(self, event: NumberedEvent) -> Iterator[Message]:
        if not self.begun:
            return
        yield self._end(event.data["state"], event.at, _sentence(event.data.get("error")))

    # Messages

    def _message(self, type: str, everyone: bool = False, /, **data: Any) -> Message:
        return Message(type, {**data, "prompt_id": self.id}, everyone)

    def _stamped(self, type: str, at: int, everyone: bool = False, /, **data: Any) -> Message:
        return Message(type, {**data, "prompt_id": self.id, "timestamp": at}, everyone)

    def _state(self, node: str, state: str, value: float, most: float) -> Message:
        place = self.place(node)
        self.states[node] = {"value": value, "max": most, "state": state, "prompt_id": self.id, **place}
        return self.all_states()

    def _blocked(self, node: str, reason: str) -> Message:
        return self._message(
            "execution_error",
            node_id=node,
            node_type=self._kind(node),
            executed=list(self.executed),
            exception_message=f"Execution Blocked: {reason}",
            exception_type="ExecutionBlocked",
            traceback=[],
            current_inputs=[],
            current_outputs=[],
        )

    def _end(self, state: str, at: int, error: str | None) -> Message:
        if state == "done":
            return self._stamped("execution_success", at)
        if state == "failed":
            return self._error(at, error or "The job failed.")
        node = next(reversed(self.running), "")
        told = {"node_id": self._real(node), "node_type": self._kind(node), "executed": list(self.executed)}
        return self._stamped("execution_interrupted", at, True, **told)

    def _error(self, at: int, error: str) -> Message:
        """The failure of a node, or of the whole where no node is to blame."""
        failure = self.failure or {"node": "", "message": error, "exception": WORKER_GONE}
        node = failure["node"]
        return self._stamped(
            "execution_error",
            at,
            node_id=self._real(node),
            node_type=self._kind(node),
            executed=list(self.executed),
            exception_message=f"{failure['message']}\n",
            exception_type=_exception(failure),
            traceback=failure.get("trace", "").splitlines(keepends=True),
            current_inputs={name: [text] for name, text in failure.get("inputs", {}).items()},
            current_outputs=list(self.executed),
        )

    def _kind(self, node: str) -> str:
        return self.kinds.get(self._real(node), "")

    def _real(self, node: str) -> str:
        """The workflow's own node that one made while running is part of: its id begins with that one's."""
        return _longest_prefix(node, self.planned) if node not in self.planned else node

    def _parent(self, node: str) -> str | None:
        if node in self.planned or not node:
            return None
        within = _longest_prefix(node, {**self.planned, **self.known})
        return None if within == node else within


def _longest_prefix(node: str, known: Mapping[str, Any]) -> str:
    """The longest known id that this one goes on from; itself where there is none."""
    part = node
    while "." in part:
        part = part.rpartition(".")[0]
        if part in known:
            return part
    return node


def _exception(failure: Mapping[str, Any]) -> str:
    name = failure.get("exception") or "Exception"
    return CIRCLE_ERROR if name.endswith("WrongResult") and _CIRCLE in failure["message"] else name


def _sentence(error: Any) -> str | None:
    return cast("dict[str, str]", error).get("message") if isinstance(error, dict) else error


def _names(data: Mapping[str, Any]) -> tuple[str, str]:
    return data["node"], data.get("display_node") or data["node"]


def _kinds(workflow: Workflow) -> dict[str, str]:
    return {id: node.type for id, node in workflow.nodes.items()}


def _sources(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    return {
        id: tuple(value.node for value in node.inputs.values() if isinstance(value, Link))
        for id, node in workflow.nodes.items()
    }
