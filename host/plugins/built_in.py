"""The node types that the core itself brings, through the hook that plugins have."""

from collections.abc import Iterable
from types import ModuleType
from typing import cast

from graph.registry import Registry, registry_from
from host.plugins.hooks import CORE, asked, new_hooks


def node_types() -> Registry:
    """All built-in node types. Listing them imports no torch."""
    said = asked(new_hooks(), "register_nodes", CORE)
    return registry_from(*(module for item in said for module in cast("Iterable[ModuleType]", item.value)))
