"""How a pack puts its table of nodes together is followed in its text, and nothing of it is run."""

import textwrap
from pathlib import Path

import pytest

from compat.plugins.scanning import node_classes
from compat.plugins.source_text import read_sources

TWO = "class A:\n    NAME = 'first'\n\nclass B:\n    NAME = 'second'\n\n"
WAYS = {
    "a spread of another module's table": (
        "from .parts import TABLE\nNODE_CLASS_MAPPINGS = {**TABLE, 'c': 1}",
        "TABLE = {'a': A, 'b': B}",
        {"a", "b", "c"},
    ),
    "tables put together": (
        "from . import parts\nNODE_CLASS_MAPPINGS = parts.ONE | parts.TWO\nNODE_CLASS_MAPPINGS |= {'c': 1}",
        "ONE, TWO = {'a': A}, dict(b=B)",
        {"a", "b", "c"},
    ),
    "a loop over classes": (
        "from .parts import *\nNODE_CLASS_MAPPINGS = {}\nfor cls in [A, B]:\n"
        "    NODE_CLASS_MAPPINGS[f'{cls.NAME} ({cls.__name__})'] = cls",
        "",
        {"first (A)", "second (B)"},
    ),
    "a comprehension": (
        "from .parts import ALL\nNODE_CLASS_MAPPINGS = {k.upper(): v['class'] for k, v in ALL.items()}",
        "ALL = {'a': {'class': A}, 'b': {'class': B}}",
        {"A", "B"},
    ),
    "a function of the pack": (
        "from .parts import made, ALL\nNODE_CLASS_MAPPINGS, NAMES = made(ALL)",
        "ALL = {'a': A, 'b': B}\ndef made(told, end='!'):\n    found = {}\n    for k, v in told.items():\n"
        "        found[k + end] = v\n    return found, {}",
        {"a!", "b!"},
    ),
    "a decorator that collects": (
        "from .parts import FOUND\nNODE_CLASS_MAPPINGS = {}\nNODE_CLASS_MAPPINGS.update(FOUND)",
        "FOUND = {}\ndef register(name):\n    def mark(cls):\n        FOUND[name] = cls\n        return cls\n"
        "    return mark\n@register('c')\nclass C:\n    pass",
        {"c"},
    ),
    "modules imported by names in a list": (
        "import importlib\nNODE_CLASS_MAPPINGS = {}\nfor name in ['parts']:\n"
        "    module = importlib.import_module(f'.{name}', __name__)\n"
        "    NODE_CLASS_MAPPINGS.update(getattr(module, 'TABLE'))",
        "TABLE = {'a': A}",
        {"a"},
    ),
    "a list that an entry point gives": (
        "from .parts import A, V3\nasync def comfy_entrypoint():\n    return Extension()\nclass Extension:\n"
        "    async def get_node_list(self):\n        return [V3]",
        "def prefixed(name):\n    return 'x_' + name\nclass V3:\n    @classmethod\n"
        "    def define_schema(cls):\n        return io.Schema(node_id=prefixed('v3'))\n"
        "class Unused:\n    def define_schema(cls):\n        return io.Schema(node_id='unused')",
        {"x_v3"},
    ),
}


def pack(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, code in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code), "utf-8")
    return folder


def found(folder: Path) -> dict[str, tuple[str, str]]:
    sources, _ = read_sources(folder)
    return {name: (source.module, cls) for source, name, cls in node_classes(sources)}


@pytest.mark.parametrize("way", WAYS)
def test_nodes_are_found_however_the_table_is_made(tmp_path: Path, way: str) -> None:
    entry, parts, names = WAYS[way]
    told = found(pack(tmp_path / "pack", __init__=entry, parts=f"{TWO}{parts}"))
    assert set(told) == names
    assert all(place == "parts" or not cls for place, cls in told.values())


def test_a_table_that_the_pack_does_not_hand_over_counts_for_nothing(tmp_path: Path) -> None:
    folder = pack(
        tmp_path / "pack",
        __init__="from .parts import A\nNODE_CLASS_MAPPINGS = {'a': A}",
        parts=TWO,
        old="NODE_CLASS_MAPPINGS = {'gone': object}",
    )
    assert set(found(folder)) == {"a"}


def test_where_the_text_does_not_tell_what_is_imported_every_table_counts(tmp_path: Path) -> None:
    folder = pack(
        tmp_path / "pack",
        __init__="import os\nNODE_CLASS_MAPPINGS = {'a': 1}\nfor name in os.listdir('.'):\n"
        "    NODE_CLASS_MAPPINGS.update(__import__(name).NODE_CLASS_MAPPINGS)",
        parts=TWO + "NODE_CLASS_MAPPINGS = {'b': B}",
    )
    assert set(found(folder)) == {"a", "b"}


def test_endless_code_is_given_up_and_what_was_found_stays(tmp_path: Path) -> None:
    loops = "def again(n):\n    for x in [1, 2, 3, 4, 5, 6, 7, 8]:\n        again(n)\n    return n\n"
    folder = pack(tmp_path / "pack", __init__="NODE_CLASS_MAPPINGS = {'a': 1}\n" + loops + "again(1)\n")
    assert set(found(folder)) == {"a"}
