"""What is wrong with a plugin is found, each fault by its own check, with a way to mend it."""

import json
from collections import defaultdict

import pytest

from host.plugins.check.checking import check_plugin
from tests.host.conftest import Command, command, home
from tests.host.plugins.native_packs import Shelf

__all__ = ["command", "home"]

BAD = """
    import random, subprocess, time, urllib.request
    from pathlib import Path
    from typing import Annotated
    import torch
    from graph.context import Context
    from graph.node import node
    from nodes.sockets import Image
    KEPT = []

    @node("Greedy", category="bad")
    def greedy(image: Image) -> Image:
        \"\"\"Keeps all.\"\"\"
        KEPT.append(bytearray(40_000_000))
        return image.clone()

    @node("Rude", category="bad")
    def rude(image: Image) -> Image:
        \"\"\"Changes its input.\"\"\"
        return image.mul_(0.5)

    @node("Moody", category="bad")
    def moody(value: float = 0.5) -> float:
        \"\"\"Never the same.\"\"\"
        return random.random()

    @node("Liar", category="bad")
    def liar(value: int = 1) -> Image:
        \"\"\"Gives no image.\"\"\"
        return value

    @node("Deaf", category="bad")
    def deaf(context: Context, image: Image) -> Image:
        \"\"\"Hears of no cancelling.\"\"\"
        time.sleep(1.1)
        return image

    @node("Once", category="bad")
    def once(value: int = 1) -> int:
        \"\"\"Works one time.\"\"\"
        KEPT.append(value) if value not in KEPT else KEPT.remove("x")
        return value

    @node("Sly", category="bad")
    def sly(value: int = 1) -> int:
        \"\"\"Does more than it says.\"\"\"
        subprocess.run(["true"])
        try:
            urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)
        except OSError:
            pass
        (Path.home() / ".darkroom-check-probe").touch()
        (Path.home() / ".darkroom-check-probe").unlink()
        return value

    @node("Apart", category="bad")
    def apart(model: Annotated[object, __import__("graph.sockets").sockets.Socket("MODEL")]) -> int:
        \"\"\"Needs a model.\"\"\"
        return 1
"""


@pytest.mark.timeout(400)
def test_every_fault_is_found_by_its_check_and_told_with_a_fix(shelf: Shelf) -> None:
    folder = shelf.plugin(
        "bad",
        "name = 'bad'\nweb_modules = []",
        nodes=BAD,
        test_bad="def test_it_is_good():\n    assert False",
    )
    wrong = defaultdict[str, list[str]](list)
    for item in check_plugin(folder):
        if item.state == "error":
            wrong[item.check].append(item.node)
            assert item.message and item.fix
    assert wrong == {
        "import time": [""],
        "memory": ["Greedy"],
        "inputs kept": ["Rude"],
        "determinism": ["Moody", "Once"],
        "outputs": ["Liar"],
        "cancelling": ["Deaf"],
        "capabilities": ["", "", ""],
        "tests": [""],
    }


def test_a_plugin_that_ends_the_process_or_does_not_load_is_told(shelf: Shelf) -> None:
    code = "from graph.node import node\nimport ctypes\nctypes.string_at(0)"
    dead = {item.check: item.message for item in check_plugin(shelf.plugin("dead", nodes=code))}
    assert "ended the whole process" in dead["loading"] and "SIGSEGV" in dead["loading"]
    wrong = shelf.plugin("wrong", "name = 'wrong'\nversion = 'new'")
    found = {item.check: item for item in check_plugin(wrong) if item.state == "error"}
    assert "write numbers with dots" in found["manifest"].message and found["loading"].fix


def test_the_exit_code_and_the_json_say_whether_it_passes(command: Command) -> None:
    assert command("plugin", "new", "fresh").code == 0
    assert command("plugin", "new", "fresh").code == 2 and command("plugin", "new", "Not-Good").code == 2
    said = command("plugin", "check", "custom_nodes/fresh", "--json")
    told = json.loads(said.out)
    assert said.code == 0 and told["passed"] and {item["state"] for item in told["findings"]} == {"good"}
    assert said.err.startswith("Trying the nodes of fresh and running its tests")
    assert command("plugin", "check", "nowhere").code == 2
