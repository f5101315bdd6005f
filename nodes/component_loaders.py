"""Loading parts of models from files of their own: U-Nets, text encoders, VAEs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

from diffusion.families import FAMILIES
from graph.context import Context
from graph.facts import Inferred, Known
from graph.literals import Fault
from graph.node import node
from graph.spec import FileChoice, Hint
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.loaders import precision, with_embeddings
from nodes.lookups import chosen_file, latent_space, read_facts
from nodes.sockets import Clip, Model, Vae

if TYPE_CHECKING:
    from diffusion import components, loading
else:
    components = LazyModule("diffusion.components")
    loading = LazyModule("diffusion.loading")

WeightDtype = Literal["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]
ClipType = Literal[
    "stable_diffusion",
    "stable_cascade",
    "sd3",
    "stable_audio",
    "mochi",
    "ltxv",
    "pixart",
    "cosmos",
    "lumina2",
    "wan",
    "hidream",
    "chroma",
    "ace",
    "omnigen2",
    "qwen_image",
    "hunyuan_image",
]
PairType = Literal["sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image"]
_SMALL_VAES: Final = {"taesd": "sd", "taesdxl": "sdxl"}
_WIDTHS: Final = {768: "sd1", 1024: "sd2", 1280: "sdxl-refiner"}

TextFile = Annotated[str, FileChoice("text_encoders"), Hint("A text encoder in models/text_encoders.")]
Place = Annotated[
    Literal["default", "cpu"], Hint("cpu keeps the text encoder off the GPU.", advanced=True, optional=True)
]


def _model_facts(known: Known) -> Inferred:
    path = chosen_file(known, "unet_name", "diffusion_models")
    found = read_facts(path, ("unet", "checkpoint")) if path else None
    if isinstance(found, Fault):
        return Inferred(faults={"unet_name": found})
    family = FAMILIES.get(found.family or "") if found else None
    if family is None:
        return Inferred()
    facts = {"family": family.base, "latents": latent_space(family.latent_scale)}
    return Inferred({"MODEL": facts}, {"unet_name": {"family": family.name}})


@node(
    "UNETLoader",
    title="Load Diffusion Model",
    category="advanced/loaders",
    fingerprint=precision,
    infer=_model_facts,
)
def unet_loader(
    unet_name: Annotated[
        str, FileChoice("diffusion_models"), Hint("A U-Net in models/diffusion_models, alone in its file.")
    ],
    weight_dtype: Annotated[
        WeightDtype, Hint("What the weights are kept in; fp8 takes half the memory of fp16 and is rougher.")
    ],
    context: Context,
) -> Model:
    """A denoiser from a file of its own."""
    path = existing(context, "diffusion_models", unet_name)
    return loading.load_model(path, weight_dtype=weight_dtype)


def _unsupported(kind: object, known: str) -> Mapping[str, Fault]:
    """The fault of a choice that is one, but of which only `known` can be run."""
    if kind == known or kind not in (*get_args(ClipType), *get_args(PairType)):
        return {}
    message = f"{kind} is a kind of text encoder that Darkroom cannot run yet."
    return {"type": Fault("unsupported_type", message, f"Choose {known}, with files for it.")}


def _text_faults(known: Known, *inputs: str) -> dict[str, Fault]:
    paths = {name: chosen_file(known, name, "text_encoders") for name in inputs}
    found = {name: read_facts(path, ("clip", "checkpoint")) for name, path in paths.items() if path}
    return {name: facts for name, facts in found.items() if isinstance(facts, Fault)}


def _clip_facts(known: Known) -> Inferred:
    faults = {
        **_unsupported(known.values.get("type"), "stable_diffusion"),
        **_text_faults(known, "clip_name"),
    }
    path = chosen_file(known, "clip_name", "text_encoders")
    found = read_facts(path, ("clip",)) if path and not faults else None
    width = None if found is None or isinstance(found, Fault) else found.dimensions.get("width")
    facts = {"family": family} if (family := _WIDTHS.get(width or 0)) else {}
    return Inferred({"CLIP": facts}, {}, faults)


@node(
    "CLIPLoader",
    title="Load CLIP",
    category="advanced/loaders",
    fingerprint=precision,
    infer=_clip_facts,
)
def clip_loader(
    clip_name: TextFile,
    type: Annotated[
        ClipType,
        Hint("What it is for: stable_diffusion is SD 1.x, SD 2.x and the SDXL refiner."),
    ],
    device: Place = "default",
    *,
    context: Context,
) -> Clip:
    """A text encoder from a file of its own: CLIP-L for SD 1.x, CLIP-H for SD 2.x, CLIP-G for the refiner."""
    return _clip((clip_name,), type, device, context)


def _pair_facts(known: Known) -> Inferred:
    faults = {
        **_unsupported(known.values.get("type"), "sdxl"),
        **_text_faults(known, "clip_name1", "clip_name2"),
    }
    names = [known.values.get(f"clip_name{number}") for number in (1, 2)]
    if not faults and names[0] is not None and names[0] == names[1]:
        faults["clip_name2"] = Fault("same_file", "is the first file again.", "Choose CLIP-L and CLIP-G.")
    return Inferred({"CLIP": {} if faults else {"family": "sdxl"}}, {}, faults)


@node(
    "DualCLIPLoader",
    title="DualCLIPLoader",
    category="advanced/loaders",
    fingerprint=precision,
    infer=_pair_facts,
)
def dual_clip_loader(
    clip_name1: TextFile,
    clip_name2: TextFile,
    type: Annotated[
        PairType,
        Hint("What they are for: sdxl takes CLIP-L and CLIP-G, in any order."),
    ],
    device: Place = "default",
    *,
    context: Context,
) -> Clip:
    """The two text encoders of SDXL, from files of their own."""
    return _clip((clip_name1, clip_name2), type, device, context)


def _clip(names: tuple[str, ...], type: str, device: str, context: Context) -> Clip:
    supported = "stable_diffusion" if len(names) == 1 else "sdxl"
    if fault := _unsupported(type, supported).get("type"):
        raise ValueError(f"{fault.message} {fault.fix}")
    paths = [existing(context, "text_encoders", name) for name in names]
    found = components.load_clip(paths, type, on_cpu=device == "cpu")
    return with_embeddings(found, context)


def _vae_facts(known: Known) -> Inferred:
    name = known.values.get("vae_name")
    if isinstance(name, str) and name in _SMALL_VAES:
        return Inferred({"VAE": {"latents": _SMALL_VAES[name]}})
    path = chosen_file(known, "vae_name", "vae")
    found = read_facts(path, ("vae", "checkpoint")) if path else None
    return Inferred(faults={"vae_name": found}) if isinstance(found, Fault) else Inferred()


@node("VAELoader", title="Load VAE", category="loaders", fingerprint=precision, infer=_vae_facts)
def vae_loader(
    vae_name: Annotated[
        str,
        FileChoice("vae"),
        Hint("A VAE in models/vae; taesd and taesdxl are small, fast and rough ones in models/vae_approx."),
    ],
    context: Context,
) -> Vae:
    """A VAE from a file of its own, which turns latents into pictures and back."""
    path = existing(context, "vae", vae_name)
    if vae_name in _SMALL_VAES:
        known = context.job.files.names("vae_approx")
        other = next(name for name in known if name.startswith(f"{vae_name}_encoder."))
        encoder = existing(context, "vae_approx", other)
        return components.load_tiny_vae(encoder, path, vae_name)
    return loading.load_vae(path)
