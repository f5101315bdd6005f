"""Toy node types of a few lines, with the socket types of picture making."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from graph.document import Link, Node, Workflow
from graph.facts import Inferred, Known, carry
from graph.node import node, spec_of
from graph.registry import Registry
from graph.sockets import Socket
from graph.spec import FileChoice, NodeSpec, Number, Text


class Thing:
    """Any value that only travels on wires."""


Image = Annotated[Thing, Socket("IMAGE")]
Mask = Annotated[Thing, Socket("MASK")]
Latent = Annotated[Thing, Socket("LATENT")]
Model = Annotated[Thing, Socket("MODEL")]
Clip = Annotated[Thing, Socket("CLIP")]
Conditioning = Annotated[Thing, Socket("CONDITIONING")]
Size = Annotated[int, Number(16, 16384, step=8)]
Steps = Annotated[int, Number(1, 100)]


class Loaded(NamedTuple):
    """What a checkpoint gives."""

    MODEL: Model
    CLIP: Clip


def family_of_file(known: Known) -> Inferred:
    family = str(known.values.get("name", "")).partition("/")[0]
    return Inferred({output: {"family": family} for output in ("MODEL", "CLIP")})


@node("Load", infer=family_of_file)
def load(name: Annotated[str, FileChoice("checkpoints")]) -> Loaded:
    """Give a checkpoint's parts."""
    return Loaded(Thing(), Thing())


@node("Encode", infer=carry("clip", "family", to=("CONDITIONING",)))
def encode(clip: Clip, text: Annotated[str, Text(multiline=True)]) -> Conditioning:
    """Turn text into conditioning."""
    return Thing()


@node("Empty")
def empty(width: Size = 512, height: Size = 512) -> Latent:
    """Give empty latents."""
    return Thing()


@node("Sample", agree="family")
def sample(
    *,
    model: Model,
    seed: Annotated[int, Number(0, 2**64 - 1, seed=True)] = 0,
    steps: Steps = 20,
    cfg: Annotated[float, Number(0.0, 100.0, step=0.1)] = 8.0,
    sampler: Literal["euler", "euler_ancestral", "ddim"] = "euler",
    positive: Conditioning,
    latent: Latent,
    mask: Mask | None = None,
) -> Latent:
    """Sample latents."""
    return latent


@node("Decode")
def decode(latent: Latent) -> Image:
    """Turn latents into a picture."""
    return Thing()


@node("Save", title="Save Image", output=True)
def save(images: Image, prefix: str = "picture", overwrite: bool = False) -> None:
    """Keep a picture."""


@node("Blur")
def blur(image: Image, radius: Annotated[int, Number(1, 31, step=2)] = 3) -> Image:
    """Blur a picture."""
    return image


@node("Add")
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@node("Show", output=True)
def show(value: Any) -> None:
    """Show a value."""


def spec(function: object) -> NodeSpec:
    """The node type of a toy."""
    found = spec_of(function)
    assert found is not None
    return found


TOYS = Registry(map(spec, (load, encode, empty, sample, decode, save, blur, add, show)))


def picture_nodes() -> dict[str, Node]:
    """The nodes of a small right workflow, by id; a test spoils what it wants."""
    return {
        "load": Node("Load", {"name": "sd1/tiny.safetensors"}),
        "text": Node("Encode", {"clip": Link("load", "CLIP"), "text": "a cat"}),
        "empty": Node("Empty", {"width": 512}),
        "sample": Node(
            "Sample",
            {
                "model": Link("load", "MODEL"),
                "steps": 4,
                "positive": Link("text", "CONDITIONING"),
                "latent": Link("empty", "LATENT"),
            },
        ),
        "decode": Node("Decode", {"latent": Link("sample", "LATENT")}),
        "save": Node("Save", {"images": Link("decode", "IMAGE")}),
    }


def changed(node: Node, **inputs: Any) -> Node:
    """A node with some inputs set."""
    return Node(node.type, {**node.inputs, **inputs}, node.title, node.mode)


def picture(**spoilt: Mapping[str, Any] | Node) -> Workflow:
    """The small right workflow, with inputs of some nodes set or whole nodes replaced."""
    nodes = picture_nodes()
    for key, value in spoilt.items():
        nodes[key] = value if isinstance(value, Node) else changed(nodes[key], **value)
    return Workflow(nodes)
