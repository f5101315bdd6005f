"""LoRAs and hypernetworks: small files that change what a model draws."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, cast

from graph.context import Context
from graph.facts import Facts, Inferred, Known
from graph.node import node
from graph.spec import FileChoice, Hint, Number
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.lookups import file_family, file_faults
from nodes.sockets import Clip, Model

if TYPE_CHECKING:
    from diffusion import hypernetworks, lora
else:
    hypernetworks = LazyModule("diffusion.hypernetworks")
    lora = LazyModule("diffusion.lora")

AGREE: Final = ("family",)

LoraFile = Annotated[str, FileChoice("loras"), Hint("A LoRA in models/loras, made for the model's family.")]
ModelStrength = Annotated[
    float,
    Number(-100.0, 100.0, 0.01),
    Hint("How strongly the denoiser is changed; negative numbers turn the change round."),
]


def _facts(known: Known) -> Inferred:
    outputs: Mapping[str, Facts] = {
        "MODEL": known.facts.get("model", {}),
        "CLIP": known.facts.get("clip", {}),
    }
    faults = file_faults(known, "lora_name", "loras", "lora")
    return Inferred(outputs, {"lora_name": {"family": file_family(known, "lora_name", "loras")}}, faults)


@node("LoraLoader", title="Load LoRA", category="loaders", agree=AGREE, infer=_facts)
def lora_loader(
    model: Model,
    clip: Clip,
    lora_name: LoraFile,
    strength_model: ModelStrength = 1.0,
    strength_clip: Annotated[
        float,
        Number(-100.0, 100.0, 0.01),
        Hint("How strongly the text encoder is changed; negative numbers turn the change round."),
    ] = 1.0,
    *,
    context: Context,
) -> tuple[Model, Clip]:
    """A model and its text encoder with a LoRA on top; several may follow each other."""
    if strength_model == 0 and strength_clip == 0:
        return model, clip
    found = lora.load_lora(existing(context, "loras", lora_name))
    changed = lora.apply_lora(model, clip, found, strength_model, strength_clip, context.log)
    return cast(tuple[Model, Clip], changed)


@node("LoraLoaderModelOnly", title="LoraLoaderModelOnly", category="loaders", agree=AGREE, infer=_facts)
def lora_loader_model_only(
    model: Model, lora_name: LoraFile, strength_model: ModelStrength = 1.0, *, context: Context
) -> Model:
    """A model with a LoRA on top; the text encoder stays as it is."""
    if strength_model == 0:
        return model
    found = lora.load_lora(existing(context, "loras", lora_name))
    return lora.apply_lora(model, None, found, strength_model, warn=context.log)[0]


@node("HypernetworkLoader", title="HypernetworkLoader", category="loaders", infer=_facts)
def hypernetwork_loader(
    model: Model,
    hypernetwork_name: Annotated[
        str, FileChoice("hypernetworks"), Hint("A hypernetwork in models/hypernetworks.")
    ],
    strength: Annotated[
        float, Number(-10.0, 10.0, 0.01), Hint("How strongly keys and values of attention are changed.")
    ] = 1.0,
    *,
    context: Context,
) -> Model:
    """A model with a hypernetwork between its text and its attention."""
    found = hypernetworks.load_hypernetwork(existing(context, "hypernetworks", hypernetwork_name))
    return hypernetworks.apply_hypernetwork(model, found, strength)
