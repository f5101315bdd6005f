"""One call that does all: check a workflow, plan it, run it."""

from collections.abc import Iterable
from contextlib import nullcontext

from graph.async_calls import Around
from graph.calling import HiddenValues
from graph.context import CancelToken, Job
from graph.disk_store import DiskStore
from graph.document import Workflow
from graph.events import Emit
from graph.executor import execute
from graph.memory_store import MemoryStore
from graph.plan import plan
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.results import JobResult
from graph.validation import validate


def run_workflow(
    workflow: Workflow,
    registry: Registry,
    *,
    job: Job,
    targets: Iterable[str] | None = None,
    memory: MemoryStore | None = None,
    disk: DiskStore | None = None,
    emit: Emit | None = None,
    cancel: CancelToken | None = None,
    hidden: HiddenValues | None = None,
    around: Around = nullcontext,
) -> JobResult:
    """Check, plan and run a workflow. Raises WorkflowError with every problem when it cannot run.

    A failing node is no exception: see JobResult.errors. targets: ids of the nodes to run (their values are
    in the result); without, all output nodes. Blocks until done, and works from any thread: one with a
    running event loop should call it through `asyncio.to_thread`, since its loop would stand still. The other
    arguments are those of graph.executor.execute.
    """
    wanted = None if targets is None else tuple(targets)
    problems = validate(workflow, registry, job.files, wanted)
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise WorkflowError(errors)
    return execute(
        plan(workflow, registry, wanted),
        registry,
        job=job,
        memory=memory,
        disk=disk,
        emit=emit,
        cancel=cancel,
        hidden=hidden,
        around=around,
        keep_values=wanted is not None,
    )
