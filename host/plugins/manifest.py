"""plugin.toml: what a plugin says of itself before any of its code runs."""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from host.versions import darkroom_version

FILE: Final = "plugin.toml"
WEB: Final = "web"
"""The folder of a plugin that browsers may read."""
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Capability = Literal["network", "files", "subprocess"]


class ManifestError(Exception):
    """A plugin.toml that cannot be used; the message is a sentence with its fix."""


class Manifest(BaseModel):
    """A plugin's name, version and needs.

    requires: the versions of Darkroom it runs with. requirements: Python packages, as pip writes them.
    capabilities: what it does beyond computing: network, files (outside the folders its nodes are given),
    subprocess. web_modules: ES modules in its folder `web` that the editor loads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=NAME, max_length=80)]
    version: str = "0"
    description: Annotated[str, Field(max_length=1000)] = ""
    requires: str = ""
    requirements: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    web_modules: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name.casefold() == "core" or name.endswith(".disabled"):
            raise ValueError("this name is taken; choose another")
        return name

    @field_validator("version")
    @classmethod
    def _is_version(cls, version: str) -> str:
        try:
            Version(version)
        except InvalidVersion:
            raise ValueError('write numbers with dots, such as "1.0.0"') from None
        return version

    @field_validator("requires")
    @classmethod
    def _is_range(cls, requires: str) -> str:
        try:
            SpecifierSet(requires)
        except InvalidSpecifier:
            raise ValueError('write versions of Darkroom, such as ">=0.1"') from None
        return requires

    @field_validator("requirements")
    @classmethod
    def _are_requirements(cls, requirements: tuple[str, ...]) -> tuple[str, ...]:
        for text in requirements:
            try:
                Requirement(text)
            except InvalidRequirement:
                raise ValueError(f'{text!r} is no requirement; write "numpy>=1.26"') from None
        return requirements


def manifest_of(folder: Path) -> Manifest | None:
    """What the plugin.toml of a folder says, None without one. Raises ManifestError."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        return Manifest.model_validate(tomllib.loads(file.read_text("utf-8")))
    except ValidationError as error:
        raise ManifestError(f"Its {FILE} is wrong: {_faults(error)}") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"Its {FILE} cannot be read: {error}.") from None


def unfit_for(manifest: Manifest) -> str:
    """Why a plugin does not run with this Darkroom, or ""."""
    here = darkroom_version()
    if not manifest.requires or SpecifierSet(manifest.requires).contains(here, prereleases=True):
        return ""
    return (
        f"It needs Darkroom {manifest.requires}, and this is {here}. "
        "Take a version of the plugin that fits, or update Darkroom."
    )


def _faults(error: ValidationError) -> str:
    said = (
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False)
    )
    return "; ".join(said) + "."
