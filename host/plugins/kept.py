"""Keeping the program as it was while a plugin's code runs for the first time."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def program_kept(notes: list[str]) -> Generator[None]:
    """Put back what a pack took from the program: its modules, its search path's order, its folder.

    notes: gets a sentence for each thing that was put back.
    """
    modules, path, folder, argv = dict(sys.modules), list(sys.path), os.getcwd(), list(sys.argv)  # noqa: PTH109
    try:
        yield
    finally:
        changed = [name for name, module in modules.items() if sys.modules.get(name) is not module]
        sys.modules.update({name: modules[name] for name in changed})
        if changed:
            notes.append(
                f"It replaced {len(changed)} loaded modules, first {changed[0]}; they were put back."
            )
        added = [place for place in sys.path if place not in path]
        if sys.path != [*path, *added]:
            sys.path[:] = [*path, *added]
            notes.append("It changed the order of sys.path; what it added now comes last.")
        if _folder() != folder:
            os.chdir(folder)
            notes.append("It changed the working directory; it was put back.")
        if sys.argv != argv:
            sys.argv[:] = argv
            notes.append("It changed the program's arguments; they were put back.")


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""
