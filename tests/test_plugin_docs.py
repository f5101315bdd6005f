"""docs/plugins.md is true: followed word for word it gives a plugin that passes every check."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import server
from host.plugins import hookspecs
from host.plugins.manifest import Manifest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"# ([\w/]+\.py)\n")


def hooks() -> dict[str, ast.FunctionDef]:
    """Every hook as it is declared."""
    tree = ast.parse(Path(hookspecs.__file__).read_text("utf-8"))
    declared = [item for item in tree.body if isinstance(item, ast.FunctionDef) and item.decorator_list]
    return {item.name: item for item in declared}


def heading(hook: ast.FunctionDef) -> str:
    assert hook.returns is not None
    return f"### `{hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns)}`".replace("'", "")


@pytest.mark.parametrize("name", hooks())
def test_every_hook_has_a_heading_with_its_signature(name: str) -> None:
    assert heading(hooks()[name]) in PAGE.splitlines()


@pytest.mark.parametrize("name", hooks())
def test_every_hook_is_told_in_one_line(name: str) -> None:
    told = ast.get_docstring(hooks()[name]) or ""
    assert told.endswith(".") and "\n" not in told


def test_every_hook_has_a_test_of_its_name() -> None:
    tests = (ROOT / "tests" / "host" / "plugins" / "test_hooks.py").read_text("utf-8")
    assert [name for name in hooks() if f"def test_{name}_" not in tests] == []


def test_following_the_page_gives_a_plugin_that_passes_every_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    commands, files = list[str](), dict[str, str]()
    for language, text in BLOCK.findall(PAGE):
        if language == "sh":
            commands += text.split("\n")
        elif language == "python" and (name := FILE.match(text)):
            files[name[1]] = files.get(name[1], "") + text
    asked = [command.removeprefix("./darkroom ").split() for command in commands if command]
    assert asked[0] == ["plugin", "new", "glow"] and server.main(asked[0]) == 0
    assert set(files) == {"nodes.py", "test_nodes.py", "hooks.py"}
    for name, text in files.items():
        (tmp_path / "custom_nodes" / "glow" / name).write_text(text)
    said = ""
    for command in asked[1:]:
        capfd.readouterr()
        code = server.main(command)
        said = capfd.readouterr().out
        assert code == 0, said
    assert "glow/Glow" in said
    (toml,) = (text for language, text in BLOCK.findall(PAGE) if language == "toml")
    assert Manifest.model_validate(tomllib.loads(toml)).name == "glow"


def test_the_example_passes_every_check_and_holds_no_plugin_but_itself() -> None:
    from host.plugins.check.checking import check_plugin

    found = check_plugin(ROOT / "custom_nodes" / "example")
    assert [item for item in found if item.state not in ("good", "skipped")] == []
    assert {item.check for item in found} >= {"tests", "capabilities", "determinism", "import time"}
