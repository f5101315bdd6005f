"""An installation of its own for every test, and the command line called in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import server
from tests.diffusion.published import SD1, save_checkpoint


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Command = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty installation, which is also where you are."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    monkeypatch.delenv("DARKROOM_PRECISION", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(home)
    yield home


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random values, small enough to sample with in no time."""
    return save_checkpoint(tmp_path_factory.mktemp("models"), SD1, "random.safetensors")


@pytest.fixture
def model(home: Path, random_checkpoint: Path) -> str:
    """The name of a checkpoint in the installation."""
    folder = home / "models" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "random.safetensors").hardlink_to(random_checkpoint)
    return "random.safetensors"


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Call the command line: command("run", "a.json")."""

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = server.main(list(arguments))
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call
