"""A pack's text tells which of its nodes will work, and why the others will not."""

import json
import textwrap
from pathlib import Path

from compat.plugins.scanning import scan_pack
from host.plugins.scans import Scan
from tests.host.conftest import Command


def pack(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, code in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code), "utf-8")
    return folder


def why(found: Scan) -> dict[str, tuple[str, ...]]:
    return {node.node: node.why for node in found.nodes}


def test_each_node_is_told_with_what_it_lacks_and_no_code_is_run(tmp_path: Path) -> None:
    folder = pack(
        tmp_path / "mixed",
        __init__="""
            from .parts import Deep, Far, Good
            from . import parts
            raise SystemExit("the pack was run")
            NODE_CLASS_MAPPINGS = {"Good": Good, "Deep": Deep, "Again": parts.Good}
            NODE_CLASS_MAPPINGS["Far"] = Far
        """,
        parts="""
            import comfy.utils
            import folder_paths
            from comfy.ldm.flux import layers
            try:
                import a_library_that_may_be_there
            except ImportError:
                pass

            def helped(x):
                return layers.timestep_embedding(x)

            class Good:
                def run(self):
                    return comfy.utils.common_upscale, folder_paths.get_filename_list("loras")

            class Deep:
                def run(self):
                    return helped(1)

            class Far:
                def run(self):
                    import a_library_that_is_missing
                    return a_library_that_is_missing.do()
        """,
    )
    assert why(scan_pack(folder)) == {
        "Good": (),
        "Again": (),
        "Deep": ("comfy.ldm.flux.layers.timestep_embedding is not supported",),
        "Far": ("the Python package a_library_that_is_missing is not installed",),
    }


def test_a_module_that_cannot_load_takes_its_nodes_and_the_pack_along(tmp_path: Path) -> None:
    folder = pack(
        tmp_path / "broken",
        __init__="from .nodes import NODE_CLASS_MAPPINGS",
        nodes="""
            import cv9
            from folder_paths import a_name_of_tomorrow
            class One:
                pass
            NODE_CLASS_MAPPINGS = {"One": One}
        """,
        torn="this is no python",
    )
    found = scan_pack(folder)
    reasons = (
        "folder_paths.a_name_of_tomorrow is not there",
        "the Python package cv9 is not installed",
    )
    assert why(found) == {"One": reasons} and set(found.why) == set(reasons) and found.unread == ("torn.py",)


def test_nodes_of_the_newer_interface_and_ours_are_found(tmp_path: Path) -> None:
    folder = pack(
        tmp_path / "new",
        __init__="""
            from comfy_api.latest import io
            from graph.node import node

            class Blur(io.ComfyNode):
                @classmethod
                def define_schema(cls):
                    return io.Schema(node_id="New_Blur", inputs=[io.Float.Input("x")], outputs=[])

            @node("Ours")
            def ours() -> int:
                "One."
                return 1
        """,
    )
    assert why(scan_pack(folder)) == {"New_Blur": (), "Ours": ()}


def test_the_command_tells_it_in_a_table_and_as_json(command: Command, tmp_path: Path) -> None:
    folder = pack(tmp_path / "small", __init__="class A:\n    pass\nNODE_CLASS_MAPPINGS = {'A': A}")
    said = command("plugin", "scan", str(folder))
    assert said.code == 0 and "works" in said.out and "1 of 1 nodes" in said.err
    told = json.loads(command("plugin", "scan", str(folder), "--json").out)
    assert told["nodes"] == [{"node": "A", "file": "__init__.py", "why": [], "works": True}]
