"""Speaking to a person: problems, sentences and exit codes."""

import sys
from collections.abc import Iterable
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from graph.problems import Problem
from host.cli.codes import INVALID

PIPE_WIDTH: Final = 120
COLOURS: Final = {"error": "red", "warning": "yellow"}


def messages() -> Console:
    """The console for everything that is not a result: it writes to standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def results() -> Console:
    """The console for results, which other programs may read: it writes to standard output."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, width=width)


def say(sentence: str, style: str = "") -> None:
    """A sentence for the person at the terminal."""
    messages().print(Text(sentence, style))


def print_problems(problems: Iterable[Problem], place: str = "") -> None:
    """Each problem on a line of its own, with its fix."""
    console = messages()
    for problem in problems:
        line = Text(f"{place}: " if place else "")
        line.append(f"{problem.severity}: ", COLOURS[problem.severity])
        line.append(problem.message)
        if problem.fix:
            line.append(f" {problem.fix}", "cyan")
        console.print(line)


def refuse(sentence: str, code: int = INVALID) -> NoReturn:
    """End the command with a sentence and an exit code."""
    say(sentence, "red")
    raise typer.Exit(code)


def stop_for(problems: Iterable[Problem], place: str = "") -> NoReturn:
    """End the command because of these problems."""
    print_problems(problems, place)
    raise typer.Exit(INVALID)
