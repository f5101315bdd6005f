"""The folders that a command works with."""

from collections.abc import Sequence
from pathlib import Path

from host.cli.console import refuse
from host.folders import Folders, folders_of, installation


def model_folders(configs: Sequence[Path] = ()) -> Folders:
    """The installation's folders, with those that YAML files name; ends the command when one is wrong."""
    try:
        return folders_of(installation(), configs)
    except ValueError as error:
        refuse(str(error))
