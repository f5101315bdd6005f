"""Finding node types by name, with plugins' names apart."""

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from graph.node import node
from graph.registry import Ambiguous, Registry, bare_name, registry_from
from tests.graph import toys
from tests.graph.toys import TOYS, add, save, spec


def of_pack(pack: str, name: str = "Sum") -> Any:
    return replace(spec(add), id=name, source=pack)


def test_a_type_is_found_by_its_id() -> None:
    assert TOYS.resolve("Add") is spec(add)
    assert TOYS.resolve("add") is None
    assert "Add" in TOYS and "add" not in TOYS


def test_a_plugins_type_is_found_by_full_id_and_bare_name() -> None:
    registry = TOYS.with_specs([of_pack("maths")])
    assert registry.get("Sum") is registry.get("maths/Sum")
    found = registry.get("Sum")
    assert found is not None
    assert (found.id, bare_name(found)) == ("maths/Sum", "Sum")


def test_a_bare_name_of_two_plugins_is_ambiguous_and_names_both() -> None:
    registry = Registry([of_pack("red"), of_pack("blue")])
    assert registry.resolve("Sum") == Ambiguous("Sum", ("red/Sum", "blue/Sum"))
    assert registry.get("Sum") is None
    assert registry.get("blue/Sum") is not None
    assert [str(clash) for clash in registry.clashes] == [
        "Node type 'Sum' is in 'red' and 'blue'. Write 'red/Sum' and 'blue/Sum' to say which."
    ]


def test_a_built_in_name_wins_and_the_clash_is_told() -> None:
    registry = TOYS.with_specs([of_pack("maths", "Add")])
    assert registry.resolve("Add") is spec(add)
    assert registry.get("maths/Add") is not None
    (clash,) = registry.clashes
    assert clash.sources == ("core", "maths")
    assert "the built-in one is used. For the other, write 'maths/Add'." in str(clash)


def test_a_type_defined_twice_keeps_the_first_and_says_so() -> None:
    registry = Registry([of_pack("maths"), replace(of_pack("maths"), title="Other")])
    found = registry.get("Sum")
    assert found is not None and found.title == "Add"
    assert "defined twice" in str(registry.clashes[0])


def test_a_registry_without_clashes_has_none() -> None:
    assert TOYS.clashes == ()


def test_the_nearest_names_are_offered() -> None:
    assert TOYS.nearest("Smaple")[0] == "Sample"
    assert TOYS.nearest("qqqqqq") == []


def test_suggesting_among_thousands_is_quick() -> None:
    many = Registry(replace(spec(add), id=f"Node {n} of pack {n % 97}") for n in range(3000))
    assert many.nearest("Node 2321 of pck 90")


def test_with_specs_leaves_the_first_registry_alone() -> None:
    before = len(TOYS)
    TOYS.with_specs([of_pack("maths")])
    assert len(TOYS) == before


def test_modules_are_scanned_for_marked_functions_once_each() -> None:
    registry = registry_from(toys, toys)
    assert [item.id for item in registry] == [item.id for item in TOYS]
    assert registry.clashes == ()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "toy_nodes.py").write_text(
        'from graph.node import node\n\n@node("Toy")\ndef toy(x: int) -> int:\n    "Give x."\n'
        "    from deep import maths\n    return maths.twice(x)\n"
    )
    (tmp_path / "deep" / "maths.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def digest(project: Path) -> str:
    module = ModuleType("toy_nodes")
    module.__file__ = str(project / "toy_nodes.py")
    sys.modules["toy_nodes"] = module
    try:
        exec(compile((project / "toy_nodes.py").read_text(), module.__file__, "exec"), vars(module))
        found = registry_from(module).get("Toy")
        assert found is not None
        return found.digest
    finally:
        del sys.modules["toy_nodes"]


def test_m13_changed_code_changes_the_digest_also_in_files_it_imports(project: Path) -> None:
    first = digest(project)
    assert digest(project) == first
    (project / "deep" / "maths.py").write_text("def twice(x):\n    return x + x + 0\n")
    second = digest(project)
    assert second != first
    (project / "unrelated.py").write_text("x = 1\n")
    assert digest(project) == second


def test_a_node_of_a_plugin_can_name_its_source() -> None:
    @node("Keep", source="keepers")
    def keep(x: int) -> int:
        """Give x."""
        return x

    assert Registry([spec(keep), spec(save)]).get("keepers/Keep") is not None
