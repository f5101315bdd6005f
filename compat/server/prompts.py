"""POST and GET /prompt: a workflow in API format is checked and handed in as a job."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import uuid4

from aiohttp import web

from compat.clashes import with_full_types
from compat.formats.api_reader import read_api
from compat.server.input_checks import error
from compat.server.live import LIVE
from compat.server.plugins_asked import changed_by_plugins, refused_by_plugins
from compat.server.prompt_checks import NO_PROMPT, Verdict, check_prompt, with_errors, with_problems
from compat.server.queue_items import Posted, payload_of, plain_number
from compat.server.replies import both, broken, json_body, told
from compat.server.surroundings import Surroundings, surroundings
from graph.document import Workflow
from graph.json_text import read_json
from graph.problems import WorkflowError
from graph.validation import validate
from host.jobs.model import Submission
from host.jobs.service import NotStored, WrongState

_MANY_NODES: Final = 300
"""Larger prompts are checked in a thread, so that others are answered meanwhile."""
SECRETS: Final = ("auth_token_comfy_org", "api_key_comfy_org")


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of POST /prompt, read."""

    prompt: Mapping[str, Any]
    id: str
    client_id: str
    extra: Mapping[str, Any]
    number: float | None
    front: bool
    targets: frozenset[str] | None


def routes() -> list[web.RouteDef]:
    """The routes of prompts."""
    return [*both("GET", "/prompt", remaining), *both("POST", "/prompt", post_prompt)]


async def remaining(request: web.Request) -> web.StreamResponse:
    """How many prompts run or wait."""
    return told({"exec_info": {"queue_remaining": surroundings(request).jobs.remaining()}})


async def post_prompt(request: web.Request) -> web.StreamResponse:
    """Check a prompt and put it into the queue; what is wrong with it is told node by node."""
    around = surroundings(request)
    body = await json_body(request)
    fields = await changed_by_plugins(request, cast("dict[str, Any]", body) if isinstance(body, dict) else {})
    asked = _read(fields, around) if "prompt" in fields else None
    if asked is None:
        around.jobs.take_number(bool(fields.get("front")))
        return _refusal(error("no_prompt", NO_PROMPT, NO_PROMPT), {})
    try:
        apart = len(asked.prompt) > _MANY_NODES
        verdict, workflow = (
            await asyncio.to_thread(_checked, asked, around) if apart else _checked(asked, around)
        )
        if workflow is not None and verdict.refusal is None:
            verdict, workflow = await _asked_plugins(request, verdict, workflow)
    except RecursionError:
        raise broken() from None
    if verdict.refusal is not None or workflow is None:
        if asked.number is None:
            around.jobs.take_number(asked.front)
        return _refusal(verdict.refusal, verdict.node_errors)
    return await _submitted(request, asked, verdict, workflow)


def _read(fields: Mapping[str, Any], around: Surroundings) -> Asked:
    prompt = fields["prompt"]
    if not isinstance(prompt, dict):
        raise broken()
    extra = fields.get("extra_data")
    extra = dict(cast("dict[str, Any]", extra)) if isinstance(extra, dict) else {}
    if "client_id" in fields:
        extra["client_id"] = fields["client_id"]
    client, id = extra.get("client_id"), fields.get("prompt_id")
    targets = fields.get("partial_execution_targets")
    return Asked(
        prompt=with_full_types(cast("dict[str, Any]", prompt), around.types()),
        id=str(uuid4()) if id is None or id == "" else str(id),
        client_id=client if isinstance(client, str) else "",
        extra={key: value for key, value in extra.items() if key not in SECRETS},
        number=_number(fields.get("number")),
        front=bool(fields.get("front")),
        targets=frozenset(map(str, cast("list[Any]", targets))) if isinstance(targets, list) else None,
    )


def _number(given: Any) -> float | None:
    """A place in the queue; what is no number counts as none given."""
    try:
        return None if given is None else float(given)
    except (TypeError, ValueError, OverflowError):
        return None


def _checked(asked: Asked, around: Surroundings) -> tuple[Verdict, Workflow | None]:
    """ComfyUI's checks, then our own of what is to run: the family of a model, a file that is missing."""
    types = around.types()
    verdict = check_prompt(asked.prompt, types, around.folders, asked.targets)
    if verdict.refusal is not None:
        return verdict, None
    try:
        workflow = _workflow(verdict, around)
    except WorkflowError as problems:
        return Verdict(
            error("invalid_prompt", "The prompt holds values that cannot be kept", str(problems))
        ), None
    problems = validate(workflow, types, around.folders, verdict.reach)
    checked = with_problems(verdict, problems)
    if checked.refusal is None and checked.reach != verdict.reach:
        workflow = _workflow(checked, around)
    return checked, workflow


async def _asked_plugins(
    request: web.Request, verdict: Verdict, workflow: Workflow
) -> tuple[Verdict, Workflow | None]:
    """The verdict with what plugins' own checks have against values, where a worker can be asked now."""
    around = surroundings(request)
    refused = await refused_by_plugins(request, workflow, around.types())
    if not refused:
        return verdict, workflow
    checked = with_errors(verdict, refused)
    return checked, _workflow(checked, around) if checked.refusal is None else None


def _workflow(verdict: Verdict, around: Surroundings) -> Workflow:
    """The nodes that are to run; others may be anything and are left out. Raises WorkflowError."""
    needed = frozenset[str]().union(*verdict.reach.values())
    nodes = {id: entry for id, entry in verdict.prompt.items() if id in needed}
    return read_api(read_json(nodes), around.types())


async def _submitted(
    request: web.Request, asked: Asked, verdict: Verdict, workflow: Workflow
) -> web.StreamResponse:
    live, outputs = request.app[LIVE], tuple(verdict.reach)
    payload = payload_of(workflow, Posted(verdict.prompt, asked.extra, outputs))
    submission = Submission(
        payload, asked.id, asked.client_id, number=asked.number, front=asked.front, replaces=True
    )
    live.expect(asked.id, payload)
    try:
        job = await surroundings(request).jobs.submit(submission)
    except WrongState as problem:
        return _refusal(error("prompt_id_taken", "A prompt of this id is in the queue", str(problem)), {})
    except NotStored as problem:
        told_error = error("not_stored", "The prompt could not be stored", str(problem))
        return told({"error": told_error, "node_errors": {}}, 503)
    number = job.number if asked.number is not None else plain_number(job.number)
    return told({"prompt_id": job.id, "number": number, "node_errors": verdict.node_errors})


def _refusal(refusal: Any, node_errors: Mapping[str, Any]) -> web.Response:
    return told({"error": refusal, "node_errors": node_errors}, 400)
