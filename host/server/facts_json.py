"""Facts as the API tells them: of the outputs of a workflow, before anything runs."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from graph.facts import Facts

_KNOWN: Final = {"width": int, "height": int, "batch": int, "family": str, "latents": str}


class FactsShape(BaseModel):
    """What is known of an output before anything runs; what is not known is left out.

    width and height in pixels, also of latents; batch: how many; family: of a model, such as "sdxl";
    latents: the space of a model's latents, "sd" or "sdxl".
    """

    width: int | None = None
    height: int | None = None
    batch: int | None = None
    family: str | None = None
    latents: str | None = None


def facts_json(facts: Mapping[tuple[str, str], Facts]) -> dict[str, dict[str, dict[str, Any]]]:
    """The facts of known names by node and output; what plugins tell besides, of any type, stays here."""
    found = dict[str, dict[str, dict[str, Any]]]()
    for (node, output), all_told in facts.items():
        plain = {name: all_told[name] for name, kind in _KNOWN.items() if type(all_told.get(name)) is kind}
        if plain:
            found.setdefault(node, {})[output] = plain
    return found
