"""Plugins are installed whole or not at all, from folders and git, and every step can be taken back."""

import subprocess
from pathlib import Path

import pytest

from host.plugins import requirements
from host.plugins.installing import (
    InstallError,
    install_plugin,
    remove_plugin,
    roll_back,
    set_enabled,
    update_plugin,
)
from host.plugins.lock import FILE, read_lock
from host.plugins.requirements import pins
from tests.host.conftest import Command

TRAP = "raise SystemExit('a script of the pack was run')"


def pack(folder: Path, version: str = "1.0", extra: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.toml").write_text(f"name = 'glow'\nversion = '{version}'\n{extra}")
    (folder / "nodes.py").write_text(f"VERSION = '{version}'")
    for name in ("install.py", "setup.py", "prestartup_script.py"):
        (folder / name).write_text(TRAP)
    return folder


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *names, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()


def repository(folder: Path) -> str:
    """The address of a repository with a plugin."""
    pack(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    return folder.as_uri()


def version_in(root: Path) -> str:
    return (root / "glow" / "nodes.py").read_text()


def test_a_folder_is_installed_updated_rolled_back_and_removed(tmp_path: Path) -> None:
    source, root = pack(tmp_path / "src"), tmp_path / "custom_nodes"
    assert install_plugin(root, str(source)).name == "glow"
    first = read_lock(root)["glow"]
    assert (first.version, first.source, first.enabled) == ("1.0", str(source), True) and first.content
    with pytest.raises(InstallError, match="is there already"):
        install_plugin(root, str(source))
    pack(source, "2.0")
    update_plugin(root, "glow")
    assert read_lock(root)["glow"].version == "2.0" and "2.0" in version_in(root)
    assert roll_back(root, "glow").version == "1.0" and "1.0" in version_in(root)
    assert roll_back(root, "glow").version == "2.0" and "2.0" in version_in(root)
    remove_plugin(root, "glow")
    assert [path.name for path in root.iterdir() if path.name != ".previous"] == [FILE]
    assert read_lock(root) == {}


def test_a_git_repository_is_installed_at_its_commit_and_follows_it(tmp_path: Path) -> None:
    url, root = repository(tmp_path / "glow-nodes.git"), tmp_path / "custom_nodes"
    install_plugin(root, url)
    entry = read_lock(root)["glow"]
    assert entry.commit == git(tmp_path / "glow-nodes.git", "rev-parse", "HEAD") and entry.source == url
    assert not (root / "glow" / ".git").exists()
    pack(tmp_path / "glow-nodes.git", "3.0")
    git(tmp_path / "glow-nodes.git", "commit", "--quiet", "-am", "three")
    assert update_plugin(root, "glow").entry.version == "3.0"
    assert read_lock(root)["glow"].previous == entry
    with pytest.raises(InstallError, match="git cannot bring it"):
        install_plugin(root, f"{url}-not-there")


def test_a_comfyui_pack_installs_the_same_way_under_its_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "ComfyUI-Old"
    folder.mkdir()
    (folder / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}")
    (folder / "requirements.txt").write_text("--index-url http://x\nnumpy>=1.20 # fine\n\n# no\n")
    (folder / "pyproject.toml").write_text(
        "[project]\nname = 'old'\nversion = '1'\ndependencies = ['pillow']\n"
    )
    done = install_plugin(tmp_path / "custom_nodes", str(folder))
    assert done.name == "ComfyUI-Old" and done.entry.requirements == ("numpy>=1.20", "pillow")
    assert done.plan.new == ()


def test_a_requirement_against_a_pin_is_refused_with_who_wants_what_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirements, "_pip", lambda *arguments: pytest.fail("pip was asked"))
    source, root = pack(tmp_path / "src", extra="requirements = ['torch<1']"), tmp_path / "custom_nodes"
    with pytest.raises(InstallError) as refused:
        install_plugin(root, str(source))
    assert str(refused.value) == (
        f"glow wants torch <1, and Darkroom torch {pins()['torch']}. "
        "Ask its author for a version that goes with it."
    )
    assert list(root.iterdir()) == []


def test_a_package_that_cannot_be_had_offline_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    source = pack(tmp_path / "src", extra="requirements = ['darkroom-no-such-package==9']")
    with pytest.raises(InstallError, match="pip finds no darkroom-no-such-package==9"):
        install_plugin(tmp_path / "custom_nodes", str(source))


def test_a_conflict_that_pip_finds_is_told_with_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "The conflict:\n    a 1.0 depends on numpy<2\n    The user requested (constraint) numpy==2\n"
    answer = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(requirements, "_pip", lambda *arguments: answer)
    source = pack(tmp_path / "src", extra="requirements = ['darkroom-no-such-package']")
    with pytest.raises(InstallError, match=r"a 1\.0 depends on numpy<2; The user requested"):
        install_plugin(tmp_path / "custom_nodes", str(source))


def test_a_dry_run_changes_nothing_and_a_damaged_lock_stops_before_anything_is_done(tmp_path: Path) -> None:
    source, root = pack(tmp_path / "src"), tmp_path / "custom_nodes"
    assert install_plugin(root, str(source), dry_run=True).entry.version == "1.0"
    assert list(root.iterdir()) == []
    (root / FILE).write_text("{")
    with pytest.raises(InstallError, match="is damaged"):
        install_plugin(root, str(source))
    assert not (root / "glow").exists()


def test_what_cannot_be_a_plugin_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "custom_nodes"
    with pytest.raises(InstallError, match="neither a folder, a file of Python nor a git URL"):
        install_plugin(root, str(tmp_path / "nothing"))
    new = pack(tmp_path / "new", extra="requires = '>=99'")
    with pytest.raises(InstallError, match="It needs Darkroom >=99"):
        install_plugin(root, str(new))
    for wrong in (
        lambda: remove_plugin(root, "no"),
        lambda: roll_back(root, "no"),
        lambda: update_plugin(root, "no"),
    ):
        with pytest.raises(InstallError):
            wrong()


def test_a_disabled_plugin_is_not_loaded_until_it_is_enabled(tmp_path: Path) -> None:
    root = tmp_path / "custom_nodes"
    pack(root / "glow.disabled")
    set_enabled(root, "glow", True)
    assert (root / "glow").is_dir() and read_lock(root)["glow"].enabled
    set_enabled(root, "glow", False)
    assert not read_lock(root)["glow"].enabled


def test_the_commands_install_list_and_disable_a_plugin(command: Command, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "shine"
    source.mkdir()
    code = (
        "from graph.node import node\n@node('Shine')\ndef shine() -> int:\n    '''A one.'''\n    return 1\n"
    )
    (source / "nodes.py").write_text(code)
    assert command("plugin", "install", str(source), "--dry-run").lines[0].startswith("would install shine")
    assert command("plugin", "install", str(source)).code == 0
    assert "loaded" in command("plugin", "list").out
    assert command("plugin", "disable", "shine").code == 0
    assert "disabled" in command("plugin", "list").out
    assert command("plugin", "enable", "shine").code == 0
    assert command("plugin", "remove", "shine").code == 0 and not (home / "custom_nodes" / "shine").exists()
    assert command("plugin", "install", "nowhere").code == 2


def test_the_list_puts_each_plugins_name_and_what_is_wrong_above_its_traceback(
    command: Command, home: Path
) -> None:
    for name in ("one", "two"):
        (home / "custom_nodes" / name).mkdir(parents=True)
        (home / "custom_nodes" / name / "__init__.py").write_text(f"raise ValueError('no {name}')\n")
    lines = command("plugin", "list").out.splitlines()
    for name in ("one", "two"):
        above = lines.index(f"{name}: ValueError: no {name}.")
        assert lines[above + 1].startswith("Traceback")
        assert f"/{name}/__init__.py" in lines[above + 2]


def test_help_says_how_a_branch_or_commit_is_named(command: Command) -> None:
    assert "URL#BRANCH-or-COMMIT" in command("plugin", "install", "--help").out
