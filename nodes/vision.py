"""Pictures in place of words: CLIP vision and unCLIP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.context import Context
from graph.facts import Facts, Known
from graph.node import node
from graph.sockets import Socket
from graph.spec import FileChoice, Hint, Number
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.loaders import CheckpointFile, parts, precision
from nodes.lookups import checkpoint_facts
from nodes.sockets import Clip, Conditioning, Image, Model, Vae

if TYPE_CHECKING:
    from diffusion import clip_vision as seeing
    from diffusion import loading, unclip
else:
    seeing = LazyModule("diffusion.clip_vision")
    loading = LazyModule("diffusion.loading")
    unclip = LazyModule("diffusion.unclip")

ClipVision = Annotated[Any, Socket("CLIP_VISION"), Hint("A picture encoder, of CLIPVisionLoader.")]
ClipVisionOutput = Annotated[
    Any, Socket("CLIP_VISION_OUTPUT"), Hint("What CLIPVisionEncode made of a picture.")
]
CATEGORY: Final = "conditioning"


@node("CLIPVisionLoader", title="Load CLIP Vision", category="loaders", fingerprint=precision)
def clip_vision_loader(
    clip_name: Annotated[str, FileChoice("clip_vision"), Hint("A CLIP vision model in models/clip_vision.")],
    context: Context,
) -> ClipVision:
    """A CLIP picture encoder: ViT-L, -H or -bigG."""
    return seeing.load_clip_vision(existing(context, "clip_vision", clip_name))


@node(
    "unCLIPCheckpointLoader",
    title="unCLIPCheckpointLoader",
    category="loaders",
    fingerprint=precision,
    infer=checkpoint_facts("ckpt_name", "checkpoints"),
)
def unclip_checkpoint_loader(
    ckpt_name: CheckpointFile, context: Context
) -> tuple[Model, Clip, Vae, ClipVision]:
    """An unCLIP checkpoint's denoiser, text encoder, VAE and picture encoder."""
    path = existing(context, "checkpoints", ckpt_name)
    model, clip, vae = parts(loading.load_checkpoint(path), ckpt_name, context)
    return model, clip, vae, seeing.load_clip_vision(path)


@node("CLIPVisionEncode", title="CLIP Vision Encode", category=CATEGORY)
def clip_vision_encode(
    clip_vision: ClipVision,
    image: Image,
    crop: Annotated[
        Literal["center", "none"], Hint("center takes the middle square, none squeezes the whole picture.")
    ],
) -> ClipVisionOutput:
    """What CLIP sees in pictures, as numbers."""
    return clip_vision.encode_image(image, crop == "center")


def _same(known: Known) -> Mapping[str, Facts]:
    return {"CONDITIONING": known.facts.get("conditioning", {})}


@node("unCLIPConditioning", title="unCLIPConditioning", category=CATEGORY, infer=_same)
def unclip_conditioning(
    conditioning: Conditioning,
    clip_vision_output: ClipVisionOutput,
    strength: Annotated[
        float, Number(-10.0, 10.0, 0.01), Hint("How much the picture counts beside others; 0 leaves it out.")
    ] = 1.0,
    noise_augmentation: Annotated[
        float,
        Number(0.0, 1.0, 0.01),
        Hint("Noise on what CLIP saw: 0 stays near the picture, more goes farther away."),
    ] = 0.0,
) -> Conditioning:
    """Conditioning that shows an unCLIP model a picture beside the text."""
    return unclip.with_picture(conditioning, clip_vision_output, strength, noise_augmentation)
