"""ControlNets and T2I-Adapters: pictures that say where things are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from graph.context import Context
from graph.facts import Facts, Inferred, Known, carry
from graph.literals import Fault
from graph.node import node
from graph.sockets import Socket
from graph.spec import FileChoice, Hint, Number
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.loaders import precision
from nodes.lookups import file_family, file_faults
from nodes.sockets import Conditioning, Image, Model, Vae

if TYPE_CHECKING:
    from diffusion import controlnet, controlnet_files, controlnet_union, edges
else:
    controlnet = LazyModule("diffusion.controlnet")
    controlnet_files = LazyModule("diffusion.controlnet_files")
    controlnet_union = LazyModule("diffusion.controlnet_union")
    edges = LazyModule("diffusion.edges")

AGREE: Final = ("family",)
CATEGORY: Final = "conditioning/controlnet"

ControlNet = Annotated[
    Any, Socket("CONTROL_NET"), Hint("A ControlNet or T2I-Adapter for the model's family.")
]
ControlFile = Annotated[str, FileChoice("controlnet"), Hint("A ControlNet in models/controlnet.")]
ControlStrength = Annotated[
    float, Number(0.0, 10.0, 0.01), Hint("How strongly the picture is held to; 0 leaves the ControlNet out.")
]
HintPicture = Annotated[
    Image, Hint("What the ControlNet reads (edges, depth, a pose, ...); scaled to the size that is sampled.")
]
Moment = Annotated[
    float,
    Number(0.0, 1.0, 0.001),
    Hint("A part of the way from noise (0) to the finished picture (1)."),
]
Threshold = Annotated[
    float, Number(0.01, 0.99, 0.01), Hint("Steepness of brightness from which a line counts.")
]


class Sides(NamedTuple):
    """Both sides, controlled."""

    positive: Conditioning
    negative: Conditioning


def _loaded(known: Known) -> Inferred:
    family = {"family": file_family(known, "control_net_name", "controlnet")}
    return Inferred({"CONTROL_NET": family}, faults=_faults(known))


def _added(known: Known) -> Inferred:
    family = {"family": file_family(known, "control_net_name", "controlnet")}
    return Inferred({"CONTROL_NET": family}, {"control_net_name": family}, _faults(known))


def _faults(known: Known) -> Mapping[str, Fault]:
    return file_faults(known, "control_net_name", "controlnet", "controlnet")


@node(
    "ControlNetLoader",
    title="Load ControlNet Model",
    category="loaders",
    fingerprint=precision,
    infer=_loaded,
)
def control_net_loader(control_net_name: ControlFile, context: Context) -> ControlNet:
    """A ControlNet, union ControlNet or T2I-Adapter."""
    return controlnet_files.load_controlnet(existing(context, "controlnet", control_net_name))


@node(
    "DiffControlNetLoader",
    title="Load ControlNet Model (diff)",
    category="loaders",
    agree=AGREE,
    fingerprint=precision,
    infer=_added,
)
def diff_control_net_loader(
    model: Annotated[Model, Hint("The model whose weights the file's differences are added to.")],
    control_net_name: ControlFile,
    context: Context,
) -> ControlNet:
    """A ControlNet whose file may hold only the difference to a model's weights."""
    return controlnet_files.load_controlnet(existing(context, "controlnet", control_net_name), model)


def _one_side(known: Known) -> Mapping[str, Facts]:
    return {"CONDITIONING": known.facts.get("conditioning", {})}


@node(
    "ControlNetApply",
    title="Apply ControlNet (OLD)",
    category=CATEGORY,
    agree=AGREE,
    infer=_one_side,
    deprecated="Use ControlNetApplyAdvanced, which sets both sides and when the ControlNet counts.",
)
def control_net_apply(
    conditioning: Conditioning, control_net: ControlNet, image: HintPicture, strength: ControlStrength = 1.0
) -> Conditioning:
    """Conditioning that is held to a hint picture, and lends it to the other side."""
    if strength == 0:
        return conditioning
    return controlnet.apply_controlnet([conditioning], control_net, image, strength, to_other_side=True)[0]


@node("ControlNetApplyAdvanced", title="Apply ControlNet", category=CATEGORY, agree=AGREE)
def control_net_apply_advanced(
    positive: Annotated[Conditioning, Hint("What the picture should show.")],
    negative: Annotated[Conditioning, Hint("What it should not show.")],
    control_net: ControlNet,
    image: HintPicture,
    strength: ControlStrength = 1.0,
    start_percent: Moment = 0.0,
    end_percent: Moment = 1.0,
    vae: Annotated[Vae | None, Hint("Not needed: these ControlNets read pictures, not latents.")] = None,
) -> Sides:
    """Both sides held to a hint picture for a part of the way from noise to picture."""
    if strength == 0:
        return Sides(positive, negative)
    part = (start_percent, end_percent)
    return Sides(*controlnet.apply_controlnet([positive, negative], control_net, image, strength, part))


@node(
    "SetUnionControlNetType",
    title="SetUnionControlNetType",
    category=CATEGORY,
    infer=carry("control_net", to=["CONTROL_NET"]),
)
def set_union_control_net_type(
    control_net: ControlNet,
    type: Annotated[
        Literal[
            "auto",
            "openpose",
            "depth",
            "hed/pidi/scribble/ted",
            "canny/lineart/anime_lineart/mlsd",
            "normal",
            "segment",
            "tile",
            "repaint",
        ],
        Hint("What the hint picture is; auto says nothing of it."),
    ],
) -> ControlNet:
    """A union ControlNet that is told what kind of hint it reads."""
    told = control_net.copy()
    told.set_extra_arg("control_type", controlnet_union.kinds_of(type))
    return told


@node(
    "Canny",
    title="Canny",
    category="image/preprocessors",
    infer=carry("image", to=["IMAGE"]),
)
def canny(image: Image, low_threshold: Threshold = 0.4, high_threshold: Threshold = 0.8) -> Image:
    """White lines where brightness changes steeply, on black: lines above the high threshold, and those above
    the low one that touch them."""
    return edges.canny(image, low_threshold, high_threshold)
