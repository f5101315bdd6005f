"""Samplers and schedules of plugins among the choices of every node that chooses one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from graph.registry import Registry
from graph.spec import Choice, Input, NodeSpec

Digests = Mapping[str, str]
"""What plugins added, by name: digests that change with their code."""
_NOTHING: Final[Digests] = {}


def with_choices(types: Registry, samplers: Digests, schedules: Digests) -> Registry:
    """The node types with more names to choose; what one makes is made again when its code changed."""
    if not samplers and not schedules:
        return types
    more = {SAMPLER_NAMES: samplers, SCHEDULE_NAMES: schedules}
    return Registry(_offering(spec, more) for spec in types)


def _offering(spec: NodeSpec, more: Mapping[tuple[Any, ...], Digests]) -> NodeSpec:
    added = {item.name: found for item in spec.inputs if (found := _added(item, more))}
    if not added:
        return spec
    inputs = tuple(_longer(item, added[item.name]) if item.name in added else item for item in spec.inputs)
    return replace(spec, inputs=inputs, fingerprint=_fingerprint(spec.fingerprint, added))


def _added(item: Input, more: Mapping[tuple[Any, ...], Digests]) -> Digests:
    return more.get(item.widget.options, _NOTHING) if isinstance(item.widget, Choice) else _NOTHING


def _longer(item: Input, added: Digests) -> Input:
    assert isinstance(item.widget, Choice)
    return replace(item, widget=Choice((*item.widget.options, *added)))


def _fingerprint(own: Callable[..., Any] | None, added: Mapping[str, Digests]) -> Callable[..., Any]:
    """Adds the digest of a chosen plugin's code to what joins a node's cache key."""

    def fingerprint(**known: Any) -> Any:
        chosen = [digests.get(str(known.get(name)), "") for name, digests in added.items()]
        return chosen if own is None else [own(**known), *chosen]

    return fingerprint
