"""Our API against its own description: what fits it, or nearly, is answered as it says; nothing breaks."""

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from host.server.app import OUR_ROUTES
from host.server.openapi import openapi
from tests.host.serving import Served, Shared, shown, text_of

EXAMPLES = 30
SECONDS = 10
ENDLESS = frozenset(route.name for route in OUR_ROUTES if route.status == 101 or "stream" in route.media)
"""Routes whose reply has no end; their own tests read them."""
LONGEST_LINE = 8000
"""Characters of an address; longer ones are refused before any route is asked."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=SLOW,
)
NAMES = sorted({route.name for route in OUR_ROUTES} - ENDLESS)


@pytest.fixture(scope="module")
def operations() -> dict[str, schemathesis.APIOperation]:
    schema = schemathesis.openapi.from_dict(openapi(OUR_ROUTES))
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in found}


@pytest.fixture(scope="module")
def restarts(shared: Shared) -> list[int]:
    """How often workers were started again before."""

    async def story(server: Served) -> list[int]:
        return [worker.restarts for worker in server.board.workers()]

    return shared.run(story)


@pytest.mark.usefixtures("restarts")
@pytest.mark.parametrize("name", NAMES)
def test_a_route_answers_as_it_is_described(
    name: str, operations: dict[str, schemathesis.APIOperation], shared: Shared
) -> None:
    @few
    @given(
        operations[name].as_strategy(generation_mode=GenerationMode.POSITIVE)
        | operations[name].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def answered(case: schemathesis.Case) -> None:
        response = case.call(base_url=shared.server.url, timeout=SECONDS)
        assume(len(response.request.url or "") < LONGEST_LINE)
        case.validate_response(response, checks=CHECKS)

    answered()


def test_after_all_that_jobs_still_run(shared: Shared, restarts: list[int]) -> None:
    async def story(server: Served) -> None:
        await server.ask("POST", "/api/v1/queue/resume", {}, 200)
        assert text_of(await server.run(shown(3))) == "3"
        assert [worker.restarts for worker in server.board.workers()] == restarts

    shared.run(story)
