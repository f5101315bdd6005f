"""From any document to a result: no exception escapes but WorkflowError."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from graph.document_json import parse_workflow
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.run import run_workflow
from tests.graph.running import STANDARD, ToyJob
from tests.graph.test_executor import switch
from tests.graph.test_expansion import loop
from tests.graph.test_mapping import numbers, whole
from tests.graph.toys import spec

REGISTRY = Registry([*STANDARD, *map(spec, (switch, loop, numbers, whole))])
IDS = some.sampled_from(["1", "2", "3", "4", "5"])
SMALL = some.integers(-3, 6)
PLAIN = some.recursive(
    some.none() | some.booleans() | SMALL | some.integers() | some.floats() | some.text(max_size=4),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
LINK = some.fixed_dictionaries({"link": some.tuples(IDS, some.sampled_from(["INT", "*", "x"])).map(list)})
NAMES = some.sampled_from(["a", "b", "value", "n", "count", "which", "on", "off", "total", "other", "odd"])
NODE = some.fixed_dictionaries(
    {
        "type": some.sampled_from([*(item.id for item in REGISTRY), "Nothing"]),
        "inputs": some.dictionaries(NAMES, LINK | SMALL | PLAIN, max_size=4),
    },
    optional={"mode": some.sampled_from(["run", "mute", "bypass"]), "title": some.text(max_size=3)},
)
SOUND = some.fixed_dictionaries(
    {"format": some.just("darkroom/1"), "nodes": some.dictionaries(IDS, NODE, max_size=5)}
)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=SLOW)


def end_of(document: Any) -> str:
    """The state that a document's run ends in; "refused" when it is no workflow or has problems."""
    try:
        workflow = parse_workflow(document)
        return run_workflow(workflow, REGISTRY, job=ToyJob()).state
    except WorkflowError as error:
        assert all(str(problem) for problem in error.problems) and error.problems
        return "refused"


@given(SOUND)
@QUICK
def test_any_document_runs_or_is_refused_with_problems(document: dict[str, Any]) -> None:
    assert end_of(document) in {"done", "failed", "refused"}


@given(PLAIN | some.text() | some.binary() | SOUND.map(lambda document: json.dumps(document)[:-5]))
@QUICK
def test_any_junk_is_refused_with_problems(junk: Any) -> None:
    assert end_of(junk) == "refused"
