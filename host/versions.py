"""The versions of Darkroom and of what it computes with."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGES: Final = ("torch", "diffusers", "transformers")


def package_version(name: str) -> str:
    """The version of an installed package, "" when it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def darkroom_version() -> str:
    """The version of Darkroom: of the installed package, or as pyproject.toml beside the code says."""
    if found := package_version("darkroom"):
        return found
    import tomllib

    from host.folders import SOURCES

    project = tomllib.loads((SOURCES / "pyproject.toml").read_text("utf-8"))
    return project["project"]["version"]


def versions() -> dict[str, str]:
    """Every version that may matter to a result, by name."""
    found = {name: package_version(name) for name in PACKAGES}
    return {"darkroom": darkroom_version(), "python": platform.python_version(), **found}
