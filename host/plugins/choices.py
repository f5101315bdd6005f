"""The samplers and schedules that the core and plugins brought, in every node that chooses one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from graph.registry import Registry
from graph.spec import Choice, Input, NodeSpec

Digests = Mapping[str, str]
"""What was brought, by name: digests that change with a plugin's code, "" for the core's."""
_NOTHING: Final[Digests] = {}


def with_choices(types: Registry, samplers: Digests, schedules: Digests) -> Registry:
    """The node types that offer these names; what one makes is made again when its plugin's code changed.

    A node type chooses a sampler where it lists the core's, and a schedule likewise.
    """
    brought = {SAMPLER_NAMES: samplers, SCHEDULE_NAMES: schedules}
    if all(tuple(digests) == names for names, digests in brought.items()):
        return types
    return Registry(_offering(spec, brought) for spec in types)


def _offering(spec: NodeSpec, brought: Mapping[tuple[Any, ...], Digests]) -> NodeSpec:
    chosen = {item.name: found for item in spec.inputs if (found := _offered(item, brought))}
    if not chosen:
        return spec
    inputs = tuple(
        replace(item, widget=Choice(tuple(chosen[item.name]))) if item.name in chosen else item
        for item in spec.inputs
    )
    return replace(spec, inputs=inputs, fingerprint=_fingerprint(spec.fingerprint, chosen))


def _offered(item: Input, brought: Mapping[tuple[Any, ...], Digests]) -> Digests:
    return brought.get(item.widget.options, _NOTHING) if isinstance(item.widget, Choice) else _NOTHING


def _fingerprint(own: Callable[..., Any] | None, chosen: Mapping[str, Digests]) -> Callable[..., Any]:
    """Adds the digest of a chosen plugin's code to what joins a node's cache key."""

    def fingerprint(**known: Any) -> Any:
        marks = [digests.get(str(known.get(name)), "") for name, digests in chosen.items()]
        return marks if own is None else [own(**known), *marks]

    return fingerprint
