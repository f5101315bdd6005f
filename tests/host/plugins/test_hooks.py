"""Every hook: what a plugin says arrives, the core takes part likewise, a failure stays its plugin's own."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp.web import RouteDef, RouteTableDef

from diffusion import registered
from diffusion.errors import DiffusionError
from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from diffusion.samplers import SAMPLERS
from diffusion.sampling import sampler_function
from diffusion.schedules import SCHEDULES, sigmas_for
from graph.events import JobFinished, NodeLog
from graph.spec import Choice
from host.folders import MODEL_KINDS
from host.plugins.brought import brought_by_core
from host.plugins.built_in import node_types
from host.plugins.hooks import CORE, asked, giver, new_hooks
from host.plugins.listening import heard_too, say_goodbye
from host.plugins.loading import put_in_place
from host.plugins.packs import Brought
from host.server.app import OUR_ROUTES
from nodes import registry
from tests.host.plugins.native_packs import DIM, Shelf

HOOK = "from host.plugins.hookspecs import hook\n\n"


def test_register_nodes_gives_nodes_that_scanning_does_not_find_and_the_cores(shelf: Shelf) -> None:
    shelf.plugin(
        "made",
        hooks=HOOK
        + """
from graph.node import node
def made(times):
    @node(f"Times{times}")
    def times_it(value: float = 1.0) -> float:
        \"\"\"A number, multiplied.\"\"\"
        return times * value
    return times_it
@hook
def register_nodes():
    return [made(2), made(3)]
""",
    )
    types, _ = shelf.load()
    assert [spec.run(value=2.0) for spec in types if spec.source == "made"] == [(4.0,), (6.0,)]
    assert [spec.id for spec in node_types()] == [spec.id for spec in registry()]


def test_register_samplers_adds_to_the_cores_and_imports_them_on_first_use(shelf: Shelf) -> None:
    shelf.plugin(
        "steps",
        hooks=HOOK + "@hook\ndef register_samplers():\n    return {'twice': '._far:sample_twice'}",
        _far="def sample_twice(model, x, sigmas, **rest):\n    return x * 2",
    )
    shelf.load()
    assert sampler_function("twice")(None, 4, None) == 8
    (core,) = asked(new_hooks(), "register_samplers", CORE)
    assert tuple(core.value) == SAMPLER_NAMES
    assert all(giver(place, "")() is SAMPLERS[name] for name, place in core.value.items())


def test_a_sampler_is_found_only_because_the_core_or_a_plugin_brought_it(shelf: Shelf) -> None:
    shelf.plugin("steps", hooks=HOOK + "@hook\ndef register_samplers():\n    return {'twice': len}")
    shelf.load()
    assert tuple(registered.SAMPLERS) == (*SAMPLER_NAMES, "twice")
    put_in_place(Brought(brought_by_core().samplers), shelf.folders)
    assert sampler_function("euler") is not None
    with pytest.raises(DiffusionError, match="no schedule 'karras'"):
        sigmas_for("karras", 3, None)  # type: ignore[arg-type]
    with pytest.raises(DiffusionError, match="no sampler 'twice'"):
        sampler_function("twice")


def test_a_name_of_a_sampler_or_schedule_that_is_taken_is_noted_at_the_plugin_that_comes_later(
    shelf: Shelf,
) -> None:
    code = "@hook\ndef register_samplers():\n    return {'euler': len, 'mine': len}\n"
    more = "@hook\ndef register_schedules():\n    return {'mine': len}\n"
    shelf.plugin("one", hooks=HOOK + code + more)
    shelf.plugin("two", hooks=HOOK + code.replace("'euler': len, ", "") + more)
    types, loaded = shelf.load()
    notes = {pack.name: list(pack.notes) for pack in loaded.packs}
    assert notes["one"] == ["Its sampler euler has the name of a built-in one, which is used."]
    assert [note.partition(" has ")[0] for note in notes["two"]] == ["Its sampler mine", "Its schedule mine"]
    spec = types.get("KSampler")
    assert spec is not None
    widget = next(item.widget for item in spec.inputs if item.name == "sampler_name")
    assert isinstance(widget, Choice) and widget.options == (*SAMPLER_NAMES, "mine")
    assert registered.SAMPLERS["euler"]() is SAMPLERS["euler"]


def test_register_schedules_adds_to_the_cores(shelf: Shelf) -> None:
    code = "@hook\ndef register_schedules():\n    return {'down': lambda steps, sampling: [steps, 0]}"
    shelf.plugin("levels", hooks=HOOK + code)
    shelf.load()
    assert sigmas_for("down", 3, None) == [3, 0]  # type: ignore[arg-type]
    (core,) = asked(new_hooks(), "register_schedules", CORE)
    assert tuple(core.value) == SCHEDULE_NAMES
    assert all(giver(place, "")() is SCHEDULES[name] for name, place in core.value.items())


def test_register_model_folders_adds_kinds_beside_the_cores(shelf: Shelf) -> None:
    code = "@hook\ndef register_model_folders():\n    return {'tables': ['tables']}"
    shelf.plugin("kinds", hooks=HOOK + code)
    _, loaded = shelf.load()
    assert loaded.brought.folders == {"tables": ("tables",)}
    (core,) = asked(new_hooks(), "register_model_folders", CORE)
    assert core.value == MODEL_KINDS


def test_register_routes_puts_a_plugins_routes_below_its_name(shelf: Shelf) -> None:
    code = """
@hook
def register_routes(routes):
    from aiohttp import web
    @routes.get("/hello")
    async def hello(request):
        return web.json_response("hello")
"""
    shelf.plugin("polite one", "name = 'polite'", hooks=HOOK + code)
    _, loaded = shelf.load()
    assert loaded.web is not None
    assert [resource.canonical for resource in loaded.web.app.router.resources()] == ["/plugins/polite/hello"]
    loop = loaded.web.loop()
    assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "runs"), loop).result(10) == "runs"
    loop.call_soon_threadsafe(loop.stop)
    while loop.is_running():
        time.sleep(0.01)
    loop.close()


def test_register_routes_gives_the_server_the_cores_own() -> None:
    table = RouteTableDef()
    list(asked(new_hooks(), "register_routes", CORE, routes=table))
    told = {(item.method, item.path) for item in table if isinstance(item, RouteDef)}
    assert told == {(item.method, item.full_path) for item in OUR_ROUTES}


def test_web_modules_joins_what_plugin_toml_names(shelf: Shelf) -> None:
    code = "@hook\ndef web_modules():\n    return ['b c.js', 'a.js']"
    shelf.plugin("drawn", "name = 'drawn'\nweb_modules = ['a.js']", hooks=HOOK + code)
    assert shelf.packs()["drawn"].modules == ("/plugins/drawn/a.js", "/plugins/drawn/b%20c.js")


def test_on_job_event_hears_every_event_and_its_failure_stops_neither_job_nor_others(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    code = "heard = []\n@hook\ndef on_job_event(event, job):\n    heard.append((job, type(event).__name__))"
    shelf.plugin("a_bad", hooks=HOOK + "@hook\ndef on_job_event(event):\n    raise ValueError('no luck')")
    shelf.plugin("b_good", hooks=HOOK + code)
    _, loaded = shelf.load()
    told = list[Any]()
    emit = heard_too(told.append, loaded.hooks, "job-1")
    with caplog.at_level(logging.ERROR):
        emit(NodeLog("a", "words"))
    import sys

    heard = sys.modules["custom_nodes.b_good.hooks"].__dict__["heard"]
    assert heard == [("job-1", "NodeLog")] and told == [NodeLog("a", "words")]
    assert "Plugin a_bad failed in its hook on_job_event" in caplog.text
    assert heard_too(told.append, new_hooks(), "x") == told.append
    assert JobFinished  # what a plugin mostly waits for


def test_startup_is_told_the_folders_when_all_plugins_are_loaded(shelf: Shelf) -> None:
    write = "(folders.folder('temp') / 'began').write_text(folders.model_kinds[-1])"
    code = f"@hook\ndef startup(folders):\n    {write}"
    shelf.plugin("a_first", hooks=HOOK + code)
    shelf.plugin(
        "kinds", hooks=HOOK + "@hook\ndef register_model_folders():\n    return {'tables': ['tables']}"
    )
    shelf.load()
    assert (shelf.home / "temp" / "began").read_text() == "tables"


def test_shutdown_is_told_when_the_process_ends(shelf: Shelf, tmp_path: Path) -> None:
    place = tmp_path / "ended"
    code = f"from pathlib import Path\n@hook\ndef shutdown():\n    Path({str(place)!r}).touch()"
    shelf.plugin("orderly", hooks=HOOK + code, nodes=DIM.format("Dim"))
    _, loaded = shelf.load()
    say_goodbye(None)
    assert not place.exists()
    say_goodbye(loaded.hooks)
    assert place.exists()


def test_a_hook_that_names_neither_a_function_nor_a_place_is_refused(shelf: Shelf) -> None:
    shelf.plugin("odd", hooks=HOOK + "@hook\ndef register_samplers():\n    return {'odd': 7}")
    pack = shelf.packs()["odd"]
    assert pack.state == "failed" and "7 is neither a function nor a text" in pack.message
