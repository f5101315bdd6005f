"""Names that foreign formats have in another form: they count outputs, and know node types without a pack."""

import re
from typing import Final

from graph.formats import NodeTypes
from graph.registry import bare_name
from graph.spec import NodeSpec

_NUMBERED: Final = re.compile(r"output (-?\d{1,9})")


def output_name(spec: NodeSpec | None, slot: int) -> str:
    """The name of a node type's output number `slot`.

    "output 3" where the type is unknown or has no such output, which `output_slot` turns back into 3.
    """
    if spec is not None and 0 <= slot < len(spec.outputs):
        return spec.outputs[slot].name
    return f"output {slot}"


def output_slot(spec: NodeSpec | None, name: str) -> int | None:
    """The number of a node type's output, or None when it cannot be told."""
    for slot, output in enumerate(spec.outputs if spec else ()):
        if output.name == name:
            return slot
    numbered = _NUMBERED.fullmatch(name)
    return int(numbered[1]) if numbered else None


def class_name(type: str, types: NodeTypes) -> str:
    """What ComfyUI calls a node type: its name without the pack, wherever that means the same type here."""
    spec = types.get(type)
    bare = bare_name(spec) if spec else type
    return bare if types.get(bare) is spec else type
