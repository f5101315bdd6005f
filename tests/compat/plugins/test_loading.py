"""Loading packs: names, order, and none of them able to hinder the others."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from compat.server.packs import packs_of
from compat.server.surroundings import Surroundings
from graph.spec import FileChoice
from host.plugins.remembered import Crashes, read_packs, write_loaded
from host.server.settings import Settings
from tests.compat.plugins.packs import BUILT_IN, Shelf, by_name

GOOD = """
class Good:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"count": ("INT", {"default": 1, "min": 0, "max": 9})}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"
    CATEGORY = "small"
    def run(self, count):
        return (count + 1,)
NODE_CLASS_MAPPINGS = {"%s": Good}
NODE_DISPLAY_NAME_MAPPINGS = {"%s": "A Good Node"}
"""


def good(name: str) -> str:
    return GOOD % (name, name)


def test_broken_packs_are_named_and_the_others_load(shelf: Shelf) -> None:
    shelf.pack("a_raises", "raise ValueError('no luck')")
    shelf.pack("b_exits", "import sys\nsys.exit(3)")
    shelf.pack("c_good", good("One"))
    shelf.pack("d_needs", "import a_library_that_is_not_there")
    shelf.pack("e_has_nothing", "x = 1")
    shelf.pack("f_breaks_text", "this is no python")
    shelf.pack("g_good", good("Two"))
    (shelf.home / "custom_nodes" / "h_empty").mkdir()
    packs = by_name(shelf.load())
    states = {name: pack.state for name, pack in packs.items()}
    assert states == {
        "a_raises": "failed", "b_exits": "failed", "c_good": "loaded", "d_needs": "failed",
        "e_has_nothing": "failed", "f_breaks_text": "failed", "g_good": "loaded", "h_empty": "failed",
    }  # fmt: skip
    assert packs["a_raises"].message == "ValueError: no luck."
    assert 'raise ValueError("no luck")' in packs["a_raises"].trace.replace("'", '"')
    assert packs["b_exits"].message == "It tried to end the program (exit code 3)."
    assert "a_library_that_is_not_there" in packs["d_needs"].message
    assert "no __init__.py" in packs["h_empty"].message
    assert packs["c_good"].nodes == ("One",) and packs["g_good"].nodes == ("Two",)


def test_disabled_packs_are_skipped_and_single_files_load(shelf: Shelf) -> None:
    shelf.pack("off.disabled", "raise ValueError('never run')")
    (shelf.home / "custom_nodes" / "__pycache__").mkdir(parents=True)
    (shelf.home / "custom_nodes" / "alone.py").write_text(good("Alone"))
    assert {name: pack.nodes for name, pack in by_name(shelf.load()).items()} == {"alone": ("Alone",)}


def test_a_pack_that_takes_from_the_program_is_named_and_the_program_stays_as_it_was(shelf: Shelf) -> None:
    before, folder = list(sys.path), Path.cwd()
    shelf.pack(
        "rude",
        """
        import os, sys
        sys.path.insert(0, os.path.dirname(__file__))
        sys.modules["json"] = None
        del sys.modules["graph.node"]
        os.chdir(os.path.dirname(__file__))
        """
        + "\n".join(f"        {line}" for line in good("Rude").splitlines()),
    )
    pack = by_name(shelf.load())["rude"]
    assert pack.state == "loaded" and Path.cwd() == folder
    assert sys.modules["json"] is json and sys.modules["graph.node"]
    assert sys.path[: len(before)] == before and str(shelf.home / "custom_nodes" / "rude") in sys.path
    said = " ".join(pack.notes)
    assert "2 loaded modules" in said and "sys.path" in said and "working directory" in said


def test_prestartup_scripts_run_before_any_pack_and_may_fail(shelf: Shelf) -> None:
    shelf.pack("z_early", good("Early"), prestartup_script__py="import folder_paths\nfolder_paths.mark = 7")
    shelf.pack("a_reads", "import folder_paths\nassert folder_paths.mark == 7\n" + good("Reads"))
    shelf.pack("b_trips", good("Trips"), prestartup_script__py="raise KeyError('early')")
    packs = by_name(shelf.load())
    assert {pack.state for pack in packs.values()} == {"loaded"}
    assert packs["b_trips"].notes == ("Its prestartup_script.py failed: KeyError: 'early'.",)


def test_packs_import_their_own_parts_and_each_other(shelf: Shelf) -> None:
    shelf.pack(
        "parts.v1",
        "from .inner import NODE_CLASS_MAPPINGS\n"
        "import importlib\nimportlib.import_module('.inner', __name__)",
        inner__py=good("Inner"),
    )
    shelf.pack("user", "from custom_nodes.user.inner import NODE_CLASS_MAPPINGS", inner__py=good("Used"))
    packs = by_name(shelf.load())
    assert packs["parts.v1"].nodes == ("Inner",) and packs["user"].nodes == ("Used",), packs
    path = str(shelf.home / "custom_nodes" / "parts.v1").replace(".", "_x_")
    assert f"{path}.inner" in sys.modules


def test_a_built_in_name_is_kept_and_one_broken_node_leaves_its_neighbours(shelf: Shelf) -> None:
    shelf.pack(
        "mixed",
        good("KSampler")
        + "class Broken:\n    @classmethod\n    def INPUT_TYPES(cls):\n        return 1 / 0\n"
        + "NODE_CLASS_MAPPINGS['Broken'] = Broken\nNODE_CLASS_MAPPINGS['Whole'] = Good\n",
    )
    pack = by_name(shelf.load())["mixed"]
    assert pack.nodes == ("Whole",)
    assert pack.notes == (
        "Its node KSampler has the name of a built-in one, which is used.",
        "Its node Broken was left out: ZeroDivisionError: division by zero.",
    )


def test_a_pack_that_ended_the_process_is_left_out_until_it_changes(shelf: Shelf) -> None:
    folder = shelf.pack("deadly", good("Deadly"))
    crashes = Crashes(shelf.home / "cache")
    with crashes.guarded(str(folder)):
        during = crashes.known()  # what a new process finds when this one dies here
    assert during == {str(folder)} and crashes.known() == frozenset()
    with crashes.guarded(str(folder)):
        os.utime(folder / "__init__.py", (1, 1))
        assert crashes.known() == frozenset()


def test_what_was_loaded_is_remembered_for_processes_that_run_no_plugins_code(shelf: Shelf) -> None:
    from compat.object_info import object_info
    from compat.plugins.described import specs_of
    from host.plugins.remembered import RememberedTypes
    from tests.compat.plugins.packs import BUILT_IN

    shelf.pack("kept", good("Kept"))
    loaded = shelf.load()
    types = RememberedTypes(lambda: BUILT_IN, shelf.home / "cache", specs_of)
    assert types() is BUILT_IN
    write_loaded(shelf.home / "cache", loaded)
    assert types() is types()
    spec = types().get("Kept")
    assert spec is not None and spec.id == "kept/Kept" and read_packs(shelf.home / "cache") == loaded.packs
    assert object_info(spec, types(), lambda kind: ()) == {
        "input": {"required": {"count": ["INT", {"default": 1, "min": 0, "max": 9}]}},
        "input_order": {"required": ["count"]},
        "output": ["INT"],
        "output_is_list": [False],
        "output_name": ["INT"],
        "name": "Kept",
        "display_name": "A Good Node",
        "description": "",
        "python_module": "custom_nodes.kept",
        "category": "small",
        "output_node": False,
    }


ADDED_SCRIPTS = """
import os, nodes
nodes.EXTENSION_WEB_DIRS["elsewhere"] = "/"
nodes.EXTENSION_WEB_DIRS["added"] = os.path.join(os.path.dirname(__file__), "js")
"""


def test_a_web_folder_that_is_worked_out_is_found_without_running_the_pack_again(shelf: Shelf) -> None:
    folder = shelf.pack("web", "WEB_DIRECTORY = './' + 'j' + 's'\n" + good("Web"))
    outside = shelf.pack("thief", "WEB_DIRECTORY = '..' + '/web'\n" + good("Thief"))
    added = shelf.pack("added", ADDED_SCRIPTS + good("Added"))
    for pack in (folder, added):
        (pack / "js").mkdir()
    write_loaded(shelf.home / "cache", shelf.load())
    settings = Settings(home=shelf.home, plugins=(shelf.home / "custom_nodes",))
    around = SimpleNamespace(settings=settings, plugins=settings.plugins)
    found = {pack.folder: pack.web for pack in packs_of(cast(Surroundings, around))}
    assert found == {folder: folder / "js", outside: None, added: added / "js"}


def test_what_a_pack_says_of_its_widgets_reaches_clients_and_an_upload_chooses_among_input_files(
    shelf: Shelf,
) -> None:
    shelf.pack(
        "wide",
        """
WEB_DIRECTORY = "web"
WEB_MODULES = ["colour wheel.js"]
class Wide:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "size": ("INT", {"default": 4, "step": 4, "display": "slider", "tooltip": "how large"}),
                "picture": (["a.png"], {"image_upload": True}),
                "tags": (["x", "y"], {"multiselect": True}),
            },
            "optional": {"hue": ("HUE", {"default": 3, "widgetType": "HUE"})},
        }
    RETURN_TYPES = ()
    FUNCTION = "run"
NODE_CLASS_MAPPINGS = {"Wide": Wide}
""",
    )
    loaded = shelf.load()
    inputs = {item.name: item for item in loaded.specs[0].inputs}
    assert inputs["size"].extra["options"] == {"default": 4, "step": 4, "display": "slider"}
    assert inputs["tags"].extra["options"] == {"multiselect": True}
    assert inputs["hue"].extra["options"] == {"default": 3, "widgetType": "HUE"}
    assert inputs["picture"].widget == FileChoice("input", "image")
    assert by_name(loaded)["wide"].modules == ("/extensions/wide/colour%20wheel.js",)


def test_classes_are_asked_what_they_are_after_all_packs_are_there(shelf: Shelf) -> None:
    shelf.pack(
        "aaa",
        """
        import nodes
        class First:
            @classmethod
            def INPUT_TYPES(cls):
                return {"required": {"kind": (nodes.NODE_CLASS_MAPPINGS["Later"].KINDS,)}}
            RETURN_TYPES = ()
            FUNCTION = "run"
        NODE_CLASS_MAPPINGS = {"First": First}
        """,
    )
    shelf.pack(
        "zzz",
        """
        class Later:
            KINDS = ["a", "b"]
            @classmethod
            def INPUT_TYPES(cls):
                return {"required": {}}
            RETURN_TYPES = ()
            FUNCTION = "run"
        NODE_CLASS_MAPPINGS = {"Later": Later}
        """,
    )
    infos = {item["id"]: item["info"] for item in shelf.load().descriptions}
    assert infos["First"]["input"]["required"]["kind"] == [["a", "b"]]


def test_a_class_that_ends_the_program_when_asked_takes_only_its_pack_along(shelf: Shelf) -> None:
    shelf.pack(
        "bad",
        """
        import sys
        class Ends:
            @classmethod
            def INPUT_TYPES(cls):
                sys.exit(3)
        NODE_CLASS_MAPPINGS = {"Ends": Ends}
        """,
    )
    shelf.pack("good", "NODE_CLASS_MAPPINGS = {}")
    packs = by_name(shelf.load())
    assert (packs["bad"].state, packs["good"].state) == ("failed", "loaded")
    assert "end the program" in packs["bad"].message


def test_a_name_that_only_darkroom_uses_is_free_for_packs(shelf: Shelf) -> None:
    shelf.pack("theirs", good("PromptSchedule"))
    loaded = shelf.load()
    assert by_name(loaded)["theirs"].nodes == ("PromptSchedule",)
    assert "Darkroom has a node PromptSchedule too" in by_name(loaded)["theirs"].notes[0]
    assert [spec.id for spec in BUILT_IN.with_specs(loaded.specs) if spec.source == "theirs"] == [
        "theirs/PromptSchedule"
    ]


def test_a_pack_that_asks_the_programs_file_for_the_host_finds_the_home_while_it_loads(shelf: Shelf) -> None:
    import __main__

    before = getattr(__main__, "__file__", None)
    code = "import os, __main__\nos.mkdir(os.path.join(os.path.dirname(__main__.__file__), 'here'))\n"
    shelf.pack("looks", code + good("Looks"))
    assert by_name(shelf.load())["looks"].state == "loaded"
    assert (shelf.home / "here").is_dir() and getattr(__main__, "__file__", None) == before
