"""`darkroom validate`: every problem of workflows, before anything runs."""

from collections.abc import Sequence
from pathlib import Path

from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.validation import validate
from host.cli.codes import DONE, INVALID
from host.cli.console import print_problems, say
from host.cli.folders import model_folders
from host.folders import Folders, installation
from host.plugins.loading import all_types
from host.services import Services
from host.sources import read_source


def validate_files(
    services: Services, files: Sequence[str], strict: bool, extra_paths: Sequence[Path] = ()
) -> int:
    """Print what is wrong with each of these files; gives the exit code."""
    folders = model_folders(extra_paths)
    types, _ = all_types(services, folders, installation() / "cache")
    bad = False
    for file in files:
        problems = _problems_of(file, services, types, folders)
        print_problems(problems, file)
        bad = bad or any(strict or problem.severity == "error" for problem in problems)
        if not problems:
            say(f"{file}: no problems", "green")
    return INVALID if bad else DONE


def _problems_of(file: str, services: Services, types: Registry, folders: Folders) -> list[Problem]:
    try:
        workflow = read_source(file, services, types)
    except WorkflowError as error:
        return list(error.problems)
    return validate(workflow, types, folders)
