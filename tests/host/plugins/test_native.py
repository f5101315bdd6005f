"""Plugins of ours: found by scanning, each loaded on its own, known in processes that do not run them."""

import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from graph.registry import Registry
from graph.spec import Choice, Number
from host.folders import SOURCES
from host.plugins.installing import InstallError, remove_plugin, set_enabled
from host.plugins.lock import Entry, read_lock, write_lock
from host.plugins.remembered import Crashes
from tests.host.plugins.native_packs import DIM, Shelf

SAMPLER = """
    from host.plugins.hookspecs import hook

    @hook
    def register_samplers():
        return {"toy_step": ".steps:sample"}

    @hook
    def register_schedules():
        return {"toy_levels": lambda steps, sampling: [1.0, 0.0]}
"""


def choices(types: Registry, name: str) -> tuple[str, ...]:
    spec = types.get("KSampler")
    assert spec is not None
    widget = next(item.widget for item in spec.inputs if item.name == name)
    assert isinstance(widget, Choice)
    return widget.options


def test_marked_functions_in_any_module_of_a_folder_are_nodes_and_no_torch_is_loaded(shelf: Shelf) -> None:
    shelf.plugin("toys", deep__er__dim=DIM.format("Dim"), deep__tests__test_dim="raise ValueError")
    shelf.plugin("tools", 'name = "my-tools"\nversion = "1.2"', __init__=DIM.format("Dim2"))
    (shelf.root / "single.py").write_text(DIM.format("Alone").replace("\n    ", "\n"))
    types, loaded = shelf.load()
    assert {pack.name: (pack.state, pack.nodes) for pack in loaded.packs} == {
        "single": ("loaded", ("Alone",)),
        "my-tools": ("loaded", ("Dim2",)),
        "toys": ("loaded", ("Dim",)),
    }
    spec = types.get("Dim")
    assert spec is not None and spec.id == "toys/Dim" and spec.run(value=1.0) == (0.5,)
    assert spec.inputs[0].widget == Number(0, 1, 0.1, look="slider")
    assert next(pack for pack in loaded.packs if pack.name == "my-tools").version == "1.2"


def test_a_process_that_runs_no_plugins_knows_their_nodes_samplers_and_model_folders(shelf: Shelf) -> None:
    shelf.plugin("toys", nodes=DIM.format("Dim"), hooks=SAMPLER)
    shelf.plugin(
        "kinds",
        hooks="from host.plugins.hookspecs import hook\n@hook\n"
        "def register_model_folders():\n    return {'toy_models': ['toys/a', '../out']}",
        nodes=DIM.format("Kind"),
    )
    types, _ = shelf.load()
    known = shelf.remembered()
    here, there = types.get("toys/Dim"), known.get("toys/Dim")
    assert here and there and replace(here, run=len) == replace(there, run=len)
    for every in (types, known):
        assert choices(every, "sampler_name")[-2:] == ("uni_pc_bh2", "toy_step")
        assert choices(every, "scheduler")[-1] == "toy_levels"
    (shelf.home / "models" / "toys" / "a").mkdir(parents=True)
    (shelf.home / "models" / "toys" / "a" / "x.safetensors").touch()
    folders = shelf.folders
    folders.add_kinds({"toy_models": ["toys/a", "../out"], "vae": ["elsewhere"]})
    assert folders.names("toy_models") == ["x.safetensors"] and folders.model_kinds[-1] == "toy_models"
    assert folders.folders("vae") == (shelf.home / "models" / "vae",)


def test_a_sampler_vanishes_with_its_plugin_and_its_pictures_are_made_again_when_its_code_changes(
    shelf: Shelf,
) -> None:
    folder = shelf.plugin("toys", hooks=SAMPLER, nodes=DIM.format("Dim"))
    before = shelf.load()[0].get("KSampler")
    (folder / "hooks.py").write_text((folder / "hooks.py").read_text() + "\n# changed")
    after = shelf.load()[0].get("KSampler")
    assert before and after and before.fingerprint and after.fingerprint
    chosen = {"sampler_name": "toy_step", "scheduler": "karras"}
    assert before.fingerprint(**chosen) != after.fingerprint(**chosen)
    euler = {"sampler_name": "euler", "scheduler": "karras"}
    assert before.fingerprint(**euler) == after.fingerprint(**euler)
    folder.rename(folder.with_name("toys.disabled"))
    shelf.load()
    assert "toy_step" not in choices(shelf.remembered(), "sampler_name")


def test_broken_plugins_are_named_with_their_traces_and_the_others_load(shelf: Shelf) -> None:
    good = DIM.format
    shelf.plugin("a_raises", nodes=good("A") + "\n    raise ValueError('no luck')")
    shelf.plugin("b_exits", nodes=good("B") + "\n    import sys; sys.exit(3)")
    shelf.plugin("c_toml", "name = 3\ncolour = 'red'", nodes=good("C"))
    shelf.plugin("d_new", "name = 'd_new'\nrequires = '>=99'", nodes=good("D"))
    shelf.plugin("e_empty", "name = 'e_empty'")
    shelf.plugin(
        "f_hook",
        nodes="from host.plugins.hookspecs import hook\n@hook\ndef on_dinner():\n    pass",
        more=good("F"),
    )
    shelf.plugin(
        "g_hook",
        nodes="from host.plugins.hookspecs import hook\n@hook\ndef startup(place):\n    pass",
        more=good("G"),
    )
    shelf.plugin("h_good", nodes=good("H"))
    packs = shelf.packs()
    said = {name: pack.message for name, pack in packs.items() if pack.state == "failed"}
    assert packs["h_good"].state == "loaded" and set(said) == set(packs) - {"h_good"}
    assert said["a_raises"] == "ValueError: no luck." and "no luck" in packs["a_raises"].trace
    assert said["b_exits"] == "It tried to end the program (exit code 3)."
    assert "plugin.toml is wrong" in said["c_toml"] and "colour" in said["c_toml"]
    assert said["d_new"].startswith("It needs Darkroom >=99, and this is ")
    assert "no function marked @node" in said["e_empty"]
    assert "There is no hook on_dinner" in said["f_hook"] and "place" in said["g_hook"]
    assert not [name for name in sys.modules if name.startswith("custom_nodes.a_raises")]


def test_a_plugin_that_takes_from_the_program_is_named_and_the_program_stays_as_it_was(shelf: Shelf) -> None:
    before, folder = list(sys.path), Path.cwd()
    shelf.plugin(
        "rude",
        nodes=DIM.format("Rude")
        + "\n    import os, sys\n    sys.path.insert(0, '/nowhere')"
        + "\n    sys.modules['json'] = None\n    os.chdir('/')",
    )
    pack = shelf.packs()["rude"]
    assert pack.state == "loaded" and Path.cwd() == folder and sys.modules["json"] is not None
    assert sys.path[: len(before)] == before
    said = " ".join(pack.notes)
    assert "1 loaded modules, first json" in said and "sys.path" in said and "working directory" in said


def test_a_plugin_that_ended_the_process_is_left_out_until_it_changes(shelf: Shelf) -> None:
    folder = shelf.plugin("deadly", nodes=DIM.format("Deadly"))
    with Crashes(shelf.home / "cache").guarded(str(folder)):
        pass
    crashes = Crashes(shelf.home / "cache")
    with crashes.guarded(str(folder)):
        marks = (shelf.home / "cache" / "plugins-crashed.json").read_text()
    (shelf.home / "cache" / "plugins-crashed.json").write_text(marks)
    pack = shelf.packs()["deadly"]
    assert pack.state == "crashed" and "ended the whole process" in pack.message
    os.utime(folder / "nodes.py", (1, 1))
    assert shelf.packs()["deadly"].state == "loaded"


@pytest.mark.parametrize("how", ["suffix", "lock"])
def test_a_disabled_plugin_is_told_of_and_not_run(shelf: Shelf, how: str) -> None:
    name = "off.disabled" if how == "suffix" else "off"
    shelf.plugin(name, nodes=DIM.format("Off") + "\n    raise ValueError")
    if how == "lock":
        write_lock(shelf.root, {"off": Entry(enabled=False)})
    assert shelf.packs()["off"].state == "disabled"


def test_clashes_of_names_are_noted_at_both_plugins_and_a_second_plugin_of_a_name_is_refused(
    shelf: Shelf,
) -> None:
    shelf.plugin("one", nodes=DIM.format("Dim"))
    shelf.plugin("two", nodes=DIM.format("Dim"))
    shelf.plugin("three", "name = 'one'", nodes=DIM.format("Other"))
    shelf.plugin("z_core", nodes=DIM.format("KSampler"))
    types, loaded = shelf.load()
    by_path = {Path(pack.path).name: pack for pack in loaded.packs}
    assert by_path["one"].notes == by_path["two"].notes != ()
    assert "one/Dim" in by_path["one"].notes[0] and "two/Dim" in by_path["one"].notes[0]
    assert "Another plugin is called one too" in by_path["three"].message
    assert "the built-in one is used" in by_path["z_core"].notes[0]
    assert types.get("KSampler") is not None and types.get("z_core/KSampler") is not None


def test_a_comfyui_pack_beside_plugins_of_ours_is_loaded_once_by_its_own_contract(shelf: Shelf) -> None:
    shelf.plugin("ours", nodes=DIM.format("Ours"))
    shelf.plugin(
        "theirs",
        __init__="""
        class Old:
            @classmethod
            def INPUT_TYPES(cls):
                return {"required": {}}
            RETURN_TYPES = ()
            FUNCTION = "run"
        NODE_CLASS_MAPPINGS = {"Old": Old}
        """,
    )
    from compat.names.install import names_kept

    with names_kept():
        packs = shelf.packs()
    assert {name: (pack.kind, pack.nodes) for name, pack in packs.items()} == {
        "ours": ("native", ("Ours",)),
        "theirs": ("comfyui", ("Old",)),
    }


def test_the_example_loads_without_torch_and_without_the_other_contract() -> None:
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from host.folders import SOURCES, folders_of; from host.plugins.loading import all_types\n"
        "from server import SERVICES\n"
        "_, loaded = all_types(SERVICES, folders_of(SOURCES), Path(tempfile.mkdtemp()))\n"
        "assert 'example' in [pack.name for pack in loaded.packs if pack.state == 'loaded'], loaded.packs\n"
        "others = any(pack.kind == 'comfyui' for pack in loaded.packs)\n"
        "assert others or not {'torch', 'numpy', 'compat.plugins.loading'} & sys.modules.keys()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


OLD = """
    class {0}:
        @classmethod
        def INPUT_TYPES(cls):
            return {{"required": {{}}}}
        RETURN_TYPES = ()
        FUNCTION = "run"
    NODE_CLASS_MAPPINGS = {{"{0}": {0}}}
"""


def test_clashes_between_a_plugin_of_ours_and_a_pack_of_comfyui_are_noted_at_both(shelf: Shelf) -> None:
    shelf.plugin("ours", "name = 'same'", nodes=DIM.format("Dim"))
    shelf.plugin("same", __init__=OLD.format("Dim"))
    from compat.names.install import names_kept

    with names_kept():
        _, loaded = shelf.load()
    notes = {pack.kind: " ".join(pack.notes) for pack in loaded.packs}
    for kind, other in (("native", "same"), ("comfyui", "ours")):
        assert "Node type 'same/Dim' is defined twice" in notes[kind]
        assert f"Another plugin is called same too ({shelf.root / other})" in notes[kind]


def test_a_plugin_that_is_an_installed_package_is_turned_off_and_on_by_its_name(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin_package(shelf, monkeypatch)
    assert shelf.packs()["packed"].state == "loaded"
    set_enabled(shelf.root, "packed", False)
    pack = shelf.packs()["packed"]
    assert pack.state == "disabled" and shelf.remembered().get("packed/Packed") is None
    with pytest.raises(InstallError, match="Remove it with pip"):
        remove_plugin(shelf.root, "packed")
    set_enabled(shelf.root, "packed", True)
    assert shelf.packs()["packed"].nodes == ("Packed",) and read_lock(shelf.root)["packed"].enabled


def install_plugin_package(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip leaves behind of a package with an entry point."""
    site = shelf.home / "site"
    told = site / "packed-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: packed\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[darkroom.plugins]\npacked = packed_nodes\n")
    (site / "packed_nodes").mkdir()
    (site / "packed_nodes" / "__init__.py").write_text(textwrap.dedent(DIM.format("Packed")))
    monkeypatch.syspath_prepend(str(site))


def test_a_plugin_is_turned_off_by_what_its_plugin_toml_calls_it(shelf: Shelf) -> None:
    shelf.plugin("folder", "name = 'called'", nodes=DIM.format("Dim"))
    set_enabled(shelf.root, "called", False)
    assert shelf.packs()["called"].state == "disabled"
    set_enabled(shelf.root, "folder", True)
    assert shelf.packs()["called"].state == "loaded"
