"""The launcher, run as a person runs it, on a toy project whose requirements are three empty wheels."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).parent.parent / "darkroom"
SERVER = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), sys.prefix]))
sys.exit(len(sys.argv) - 1)
"""
CHECKS = "import os, sys, toycheck; print('checks', sys.argv[1:], os.getcwd())"


@dataclass(frozen=True)
class Project:
    root: Path
    environment: dict[str, str]

    def run(
        self, *arguments: str, how: tuple[str, ...] = (), **where: Any
    ) -> subprocess.CompletedProcess[str]:
        command = [*(how or (sys.executable, str(self.root / "darkroom"))), *arguments]
        options = {"env": self.environment, "capture_output": True, "text": True, "check": False, **where}
        return subprocess.run(command, **options)

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, str(self.root / "darkroom")]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def pin(self, *pins: str, rest: str = "") -> None:
        extras = '[project.optional-dependencies]\ntest = ["toycheck==1.0"]\n'
        project = f"[project]\ndependencies = {json.dumps(pins)}\n{extras}{rest}"
        (self.root / "pyproject.toml").write_text(project, "utf-8")

    def using(self, **environment: str) -> "Project":
        return replace(self, environment={**self.environment, **environment})

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "darkroom.stamp"


def write_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{hashed(text)},{len(text)}\n" for path, text in files.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def make_project(root: Path) -> Project:
    wheels = root / "wheels"
    wheels.mkdir(parents=True)
    for name, version in (("torch", "1.0"), ("toy", "1.0"), ("toy", "2.0"), ("toycheck", "1.0")):
        write_wheel(wheels, name, version)
    shutil.copy(LAUNCHER, root)
    (root / "server.py").write_text(SERVER, "utf-8")
    (root / "host").mkdir()
    (root / "host" / "checks.py").write_text(CHECKS, "utf-8")
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "DARKROOM_"))}
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    project = Project(root, {**quiet, **pip})
    project.pin("toy==1.0", "torch==1.0")
    return project


@pytest.fixture(scope="module")
def first_use(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, subprocess.CompletedProcess[str]]:
    project = make_project(tmp_path_factory.mktemp("launcher") / "a folder with spaces")
    return project, project.run("run", "it", cwd="/")


@pytest.fixture
def project(first_use: tuple[Project, subprocess.CompletedProcess[str]]) -> Project:
    """The toy project after its first use, with the pins it had then."""
    first_use[0].pin("toy==1.0", "torch==1.0")
    return first_use[0]


def installed(project: Project, name: str) -> str:
    python = project.root / ".venv" / "bin" / "python"
    asked = [python, "-c", f"import {name}; print({name}.version)"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def test_the_first_use_installs_torch_and_then_the_rest(
    first_use: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    said = first_use[1].stderr
    assert said.index("first use") < said.index("installing torch") < said.index("installing 1 more")
    assert installed(first_use[0], "toy") == "1.0"


def test_the_command_runs_where_you_are_with_its_arguments_and_exit_code(
    first_use: tuple[Project, subprocess.CompletedProcess[str]],
) -> None:
    project, done = first_use
    assert json.loads(done.stdout) == [["run", "it"], "/", str(project.root / ".venv")]
    assert done.returncode == 2


def test_a_later_call_installs_nothing_and_says_nothing(project: Project) -> None:
    assert project.run("run", how=(str(project.root / "darkroom"),)).stderr == ""


def test_a_linked_launcher_finds_its_own_project(project: Project, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(project.root / "darkroom")
    done = project.run("run", how=("./linked",), cwd=tmp_path)
    assert json.loads(done.stdout) == [["run"], str(tmp_path), str(project.root / ".venv")]


def test_changed_pins_are_installed_at_the_next_call(project: Project) -> None:
    project.pin("toy==2.0", "torch==1.0")
    assert "installing" in project.run().stderr
    assert installed(project, "toy") == "2.0"


def test_a_changed_lock_is_obeyed_at_the_next_call(project: Project) -> None:
    project.pin("toy", "torch==1.0")
    (project.root / "requirements.lock").write_text("toy==1.0\n", "utf-8")
    project.run()
    version = installed(project, "toy")
    (project.root / "requirements.lock").unlink()
    assert version == "1.0"


def test_a_changed_lint_rule_installs_nothing_again(project: Project) -> None:
    project.run()
    project.pin("toy==1.0", "torch==1.0", rest="[tool.ruff]\nline-length = 80\n")
    assert project.run().stderr == ""


def test_an_interrupted_installation_is_finished_by_the_next_call(project: Project) -> None:
    project.stamp.unlink()
    done = project.run()
    assert "installing" in done.stderr
    assert done.returncode == 0
    assert project.stamp.exists()


def test_a_failed_installation_leaves_no_stamp_behind(project: Project) -> None:
    project.pin("nowhere==1.0")
    assert project.run().returncode == 1
    assert not project.stamp.exists()


def test_an_environment_without_pip_is_made_anew(project: Project) -> None:
    project.stamp.unlink(missing_ok=True)
    for pip in (project.root / ".venv").glob("lib/*/site-packages/pip"):
        shutil.rmtree(pip)
    done = project.run()
    assert "first use" in done.stderr
    assert done.returncode == 0


def test_two_first_calls_at_once_install_only_once(project: Project) -> None:
    project.stamp.unlink(missing_ok=True)
    calls = [project.start(), project.start()]
    said = [call.communicate(timeout=60)[1] for call in calls]
    assert [call.returncode for call in calls] == [0, 0]
    assert sum("installing torch" in words for words in said) == 1


def test_a_pin_that_no_index_has_is_a_sentence(project: Project) -> None:
    project.pin("nowhere==1.0")
    done = project.run()
    assert "no build for this Python" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_an_index_out_of_reach_is_a_sentence(project: Project) -> None:
    project.pin("nowhere==1.0")
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_INDEX": "0"}
    done = project.using(**offline).run()
    assert "could not be reached. Check the network" in done.stderr.splitlines()[-1]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("fake", "sentence"),
    [
        ("echo 3.9", "Python 3.11 or later is needed, and this is 3.9"),
        ("echo 3.11; exit 1", "sudo apt install python3.11-venv"),
        ("echo broken >&2; exit 1", "does not work: broken"),
    ],
)
def test_a_python_that_cannot_make_it_is_a_sentence(
    project: Project, tmp_path: Path, fake: str, sentence: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{fake}\n", "utf-8")
    python.chmod(0o755)
    done = project.using(DARKROOM_PYTHON=str(python), DARKROOM_VENV=str(tmp_path / "new")).run()
    assert sentence in done.stderr
    assert done.returncode == 1


def test_a_folder_that_is_no_environment_is_left_alone(project: Project, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    done = project.using(DARKROOM_VENV=str(tmp_path)).run()
    assert "is in the way" in done.stderr
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "mine"


def test_the_checks_get_their_extras_and_run_in_the_root(project: Project) -> None:
    done = project.run("test", "-q", "tests/graph", cwd="/")
    assert done.stdout.strip() == f"checks ['-q', 'tests/graph'] {project.root}"
    assert installed(project, "toycheck") == "1.0"
    assert project.run("run").stderr == ""
