"""`--model-map auto`: files of this installation in place of those a workflow names and nobody has here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from graph.document import SUBGRAPH, Node, Workflow
from graph.formats import NodeTypes
from graph.instances import Nodes, WithSubgraphs, on_every_canvas
from graph.registry import Registry
from graph.spec import FileChoice, NodeSpec
from host.folders import Folders

HINTS: Final = (
    ("refiner", "sdxl-refiner"),
    ("xl", "sdxl"),
    ("turbo", "sdxl"),
    ("v2-", "sd2"),
    ("768", "sd2"),
)
"""What a name says of a model's family, the first that fits; most files without any of these are SD1."""
USUAL: Final = "sd1"
WHOLE_MODELS: Final = "checkpoints"
LOADS_WHOLE: Final = "CheckpointLoaderSimple"


@dataclass(frozen=True, slots=True)
class StandIn:
    """A file put in for one that is missing."""

    node: str
    missing: str
    used: str


def stand_ins(workflow: Workflow, types: Registry, files: Folders) -> tuple[Workflow, list[StandIn]]:
    """The workflow with every missing file replaced by the nearest there is, and what was replaced.

    Of several, one of the family that the name speaks of comes first, then the most alike name. Where there
    is no VAE file, the VAE of a checkpoint is taken. A kind with no file at all is left as it is.
    """
    put, known = list[StandIn](), WithSubgraphs(workflow, types)
    return on_every_canvas(workflow, lambda nodes: _with_stand_ins(nodes, known, files, put)), put


def _with_stand_ins(old: Nodes, types: NodeTypes, files: Folders, put: list[StandIn]) -> Nodes:
    nodes = dict(old)
    for id, node in old.items():
        for input, kind, name in _missing(node, types.get(node.type), files):
            whole = kind == "vae" and not files.names(kind) and not node.type.startswith(SUBGRAPH)
            found = nearest(files, WHOLE_MODELS if whole else kind, name)
            if found is None:
                continue
            nodes[id] = (
                replace(node, type=LOADS_WHOLE, inputs={"ckpt_name": found})
                if whole
                else replace(nodes[id], inputs={**nodes[id].inputs, input: found})
            )
            put.append(StandIn(id, name, found))
    return nodes


def _missing(node: Node, spec: NodeSpec | None, files: Folders) -> Iterator[tuple[str, str, str]]:
    for item in spec.inputs if spec else ():
        name = node.inputs.get(item.name)
        if not isinstance(item.widget, FileChoice) or not isinstance(name, str):
            continue
        if files.find(item.widget.kind, name) is None:
            yield item.name, item.widget.kind, name


def nearest(files: Folders, kind: str, missing: str) -> str | None:
    """The file of a kind that stands in best for a missing one, or None when there is none."""
    names = files.names(kind)
    wanted = family_said(missing)
    of_family = [name for name in names if _family(files, kind, name) == wanted]
    usual = [name for name in names if _family(files, kind, name) == USUAL]
    return _most_alike(of_family or usual or names, missing)


def family_said(name: str) -> str:
    """The family that a file's name speaks of."""
    lower = name.lower()
    return next((family for hint, family in HINTS if hint in lower), USUAL)


def _family(files: Folders, kind: str, name: str) -> str | None:
    from diffusion.errors import DiffusionError
    from diffusion.probe import probe

    path = files.find(kind, name)
    try:
        return None if path is None else probe(path).family
    except (DiffusionError, OSError):
        return None


def _most_alike(names: Sequence[str], wanted: str) -> str | None:
    return max(names, key=lambda name: SequenceMatcher(None, name, wanted).ratio(), default=None)
