"""What the pages say is true: their commands exist, their files are there, their example is a workflow."""

import re
from pathlib import Path

import pytest
import typer

from graph.document_json import parse_workflow
from host.cli.app import build

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"\./darkroom (\w+)([^\n`]*)")
OPTION = re.compile(r"(?<=\s)(--[a-z-]+)")
FILE = re.compile(r"[\w/.-]+\.(?:py|json|md|png|toml|lock|safetensors)\b")
FOLDERS = (
    "graph",
    "diffusion",
    "nodes",
    "host",
    "compat",
    "tests",
    "tools",
    "benchmarks",
    "docs",
    "workflows",
)


def options_of(command: str) -> set[str]:
    commands = typer.main.get_group(build()).commands
    return {option for parameter in commands[command].params for option in parameter.opts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    found = COMMAND.findall(page.read_text("utf-8"))
    wrong = [(command, set(OPTION.findall(rest)) - options_of(command)) for command, rest in found]
    assert [pair for pair in wrong if pair[1]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_on_a_page_is_there(page: Path) -> None:
    named = [
        name
        for name in FILE.findall(page.read_text("utf-8"))
        if name.split("/")[0] in FOLDERS and "/" in name
    ]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_page_on_formats_shows_a_workflow_that_is_read() -> None:
    example = re.search(r"```json\n(.*?)```", (ROOT / "docs/formats.md").read_text("utf-8"), re.DOTALL)
    assert example
    assert parse_workflow(example[1]).ports["prompt"].input == "text"
