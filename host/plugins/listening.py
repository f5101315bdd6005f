"""Plugins that hear of jobs, where jobs run; without any nothing is imported."""

from typing import TYPE_CHECKING

from graph.events import Emit, Event

if TYPE_CHECKING:
    from pluggy import PluginManager


def heard_too(emit: Emit, hooks: "PluginManager | None", job: str = "") -> Emit:
    """Tells of a job's events, and then the plugins that want to hear them."""
    if hooks is None or not hooks.hook.on_job_event.get_hookimpls():
        return emit
    from host.plugins.hooks import told

    def both(event: Event) -> None:
        emit(event)
        told(hooks, "on_job_event", job=job, event=event)

    return both


def say_goodbye(hooks: "PluginManager | None") -> None:
    """Tell plugins that the process ends."""
    if hooks is not None:
        from host.plugins.hooks import told

        told(hooks, "shutdown")
