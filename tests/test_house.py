"""The house style, as far as a program can see it."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
PUBLIC = ("graph", "diffusion", "nodes", "host", "compat")
FOLDERS = (*PUBLIC, "tools", "benchmarks", "tests")
OURS = {*FOLDERS, "server"}
PARTS = {"pydantic_core": "pydantic"}  # pydantic pins its core itself
DOTTED = re.compile(r"\w+(\.\w+)+")
LONGEST = 500
MEDIAN = 10
SENTENCE = 4  # words, "test" included: test_modes_are_kept
BANNED_FILE = re.compile(r"(utils?|helpers?|misc|common)\.py")
BANNED_NAME = re.compile(r"Base[A-Z]?\w*|\w*(Manager|Helper|Utils?)")
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MUTABLE_CALLS = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """Every Python file of these folders; with none named, of the project and the two at its root."""
    if not folders:
        return [ROOT / "darkroom", ROOT / "server.py", *sources(*FOLDERS)]
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def place(path: Path, item: ast.stmt | ast.expr) -> str:
    return f"{path.relative_to(ROOT)}:{item.lineno}"


def offences(rule: Callable[[Path, ast.AST], Iterator[str]]) -> list[str]:
    return [words for path in sources() for item in ast.walk(tree(path)) for words in rule(path, item)]


def functions(path: Path) -> Iterator[Function]:
    return (item for item in ast.walk(tree(path)) if isinstance(item, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_file_is_longer_than_500_lines() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > LONGEST} == {}


def test_no_file_is_called_utils_or_the_like() -> None:
    assert [str(path) for path in sources() if BANNED_FILE.fullmatch(path.name)] == []


def test_no_class_is_a_manager_helper_or_base() -> None:
    def rule(path: Path, item: ast.AST) -> Iterator[str]:
        if isinstance(item, ast.ClassDef) and BANNED_NAME.fullmatch(item.name):
            yield f"{place(path, item)} class {item.name}"

    assert offences(rule) == []


def test_every_import_of_ours_is_absolute() -> None:
    def rule(path: Path, item: ast.AST) -> Iterator[str]:
        if isinstance(item, ast.ImportFrom) and item.level:
            yield place(path, item)

    assert offences(rule) == []


def test_no_function_rebinds_a_module_variable() -> None:
    def rule(path: Path, item: ast.AST) -> Iterator[str]:
        if isinstance(item, ast.Global):
            yield place(path, item)

    assert offences(rule) == []


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in MUTABLE_CALLS
    return isinstance(value, MUTABLE)


def module_values(path: Path) -> Iterator[tuple[ast.stmt, str, ast.expr | None]]:
    for item in tree(path).body:
        if isinstance(item, ast.Assign):
            yield from ((item, ast.unparse(target), item.value) for target in item.targets)
        elif isinstance(item, ast.AnnAssign):
            yield item, ast.unparse(item.target), item.value


def test_a_module_holds_constants_and_no_state() -> None:
    """A table has a name in capitals; anything else that could be changed is state."""
    state = [
        f"{place(path, item)} {name}"
        for path in sources()
        for item, name, value in module_values(path)
        if is_mutable(value) and not name.lstrip("_").isupper() and name != "__all__"
    ]
    assert state == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    bare = [
        f"{place(path, item)} {item.name}"
        for folder in PUBLIC
        for path in sorted((ROOT / folder).rglob("*.py"))
        for item in tree(path).body
        if isinstance(item, Function | ast.ClassDef) and not item.name.startswith("_")
        if ast.get_docstring(item) is None
    ]
    assert bare == []


def test_the_median_function_is_shorter_than_10_lines(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {
        folder: [length(item) for path in sources(folder) for item in functions(path)] for folder in PUBLIC
    }
    with capsys.disabled():
        print("\nmedian lines a function:", {folder: median(found) for folder, found in counts.items()})
    assert median(count for found in counts.values() for count in found) < MEDIAN


def test_every_test_is_named_by_a_sentence() -> None:
    names = [item.name for path in (ROOT / "tests").rglob("test_*.py") for item in functions(path)]
    tests = [name for name in names if name.startswith("test_")]
    assert [name for name in tests if len(name.split("_")) < SENTENCE] == []


def named_modules(path: Path) -> Iterator[str]:
    """The modules that a file imports, and those whose dotted names stand in it as text."""
    for item in ast.walk(tree(path)):
        if isinstance(item, ast.Import):
            yield from (name.name for name in item.names)
        elif isinstance(item, ast.ImportFrom) and item.module:
            yield item.module
        elif isinstance(item, ast.Constant) and isinstance(item.value, str) and DOTTED.fullmatch(item.value):
            yield item.value


def third_party(folders: tuple[str, ...]) -> set[str]:
    """The distributions that the code imports, in the form the pins have."""
    known = packages_distributions()
    names = {name.partition(".")[0] for path in sources(*folders) for name in named_modules(path)}
    outside = names - OURS - sys.stdlib_module_names
    return {PARTS.get(name) or known[name][0].lower().replace("_", "-") for name in outside if name in known}


def pins(group: str | None = None) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = project["optional-dependencies"][group] if group else project["dependencies"]
    return {pin.partition("==")[0] for pin in found}


def test_the_pins_are_exactly_what_the_code_imports() -> None:
    assert third_party(PUBLIC) == pins()


def test_tests_and_tools_import_only_what_is_pinned() -> None:
    assert third_party(("tests", "tools", "benchmarks")) - pins() - pins("test") == set()


def test_every_pin_stands_in_the_lock_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = set((ROOT / "requirements.lock").read_text("utf-8").splitlines())
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    assert [pin for pin in asked if pin not in locked] == []
