"""What POST /prompt asks of packs: their handlers of prompts, and their own checks of values."""

import logging
from collections.abc import Mapping
from typing import Any, Final, cast

from aiohttp import web

from compat.plugins.described import OWN_CHECK, REFUSED
from compat.server.input_checks import Error, error
from graph.document import Workflow
from graph.problems import WorkflowError
from graph.registry import Registry
from host.jobs.documents import to_texts
from host.jobs.model import Payload
from host.server.plugin_routes import PLUGIN_ROUTES

LOG: Final = logging.getLogger("darkroom.plugins")
_SECONDS: Final = 3.0
_CHECK_SECONDS: Final = 1.0
_START_SECONDS: Final = 15.0
"""A prompt that comes while the worker starts would wait for it anyway."""


async def changed_by_plugins(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
    """The body of a prompt after the handlers of packs that asked to see it."""
    plugins = request.app.get(PLUGIN_ROUTES)
    if plugins is None or not body or not plugins.known().changes_prompts:
        return body
    try:
        changed = await plugins.ask("change_prompt", body, _SECONDS, _START_SECONDS)
    except TimeoutError as late:
        LOG.warning("Plugins' handlers of prompts were left out: %s", late or "they took too long.")
        return body
    return cast("dict[str, Any]", changed) if isinstance(changed, dict) else body


async def refused_by_plugins(
    request: web.Request, workflow: Workflow, types: Registry
) -> Mapping[str, list[Error]]:
    """Errors of nodes whose own check refuses their values; none where no worker says so in time."""
    plugins = request.app.get(PLUGIN_ROUTES)
    if plugins is None or not any(_checks(types, node.type) for node in workflow.nodes.values()):
        return {}
    try:
        texts = to_texts(Payload(workflow, None, {}, {}))
        told = {"workflow": texts.workflow, "rest": texts.rest}
        found = cast("Mapping[str, str]", await plugins.ask("check_values", told, _CHECK_SECONDS))
    except (TimeoutError, WorkflowError):
        return {}
    return {node: _errors(workflow, types, node, text) for node, text in found.items()}


def _checks(types: Registry, type: str) -> bool:
    spec = types.get(type)
    return spec is not None and OWN_CHECK in spec.extra


def _errors(workflow: Workflow, types: Registry, id: str, text: str) -> list[Error]:
    """One error for each input that the check sees."""
    node = workflow.nodes[id]
    spec = types.get(node.type)
    seen = spec.extra.get(OWN_CHECK, ()) if spec else ()
    names = [name for name in node.inputs if name in seen or "*" in seen] or [""]
    return [_error(name, text) for name in names]


def _error(name: str, text: str) -> Error:
    details = " - ".join(filter(None, (name, "" if text == REFUSED else text)))
    message = "Custom validation failed for node"
    return error("custom_validation_failed", message, details, input_name=name)
