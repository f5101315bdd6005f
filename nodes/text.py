"""Prompts: from words to conditioning."""

from typing import TYPE_CHECKING, Annotated, Literal

from graph.context import Context
from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number, Text
from nodes.lazy import LazyModule
from nodes.prompt_facts import embedding_files, prompt_facts
from nodes.sockets import MAX_RESOLUTION, Clip, Conditioning

if TYPE_CHECKING:
    from diffusion import conditioning as conds
    from diffusion import text as words
else:
    conds = LazyModule("diffusion.conditioning")
    words = LazyModule("diffusion.text")

PromptText = Annotated[
    str,
    Text(multiline=True, dynamic_prompts=True),
    Hint("What the picture shows; (word:1.2) makes a word weigh more, (word:0.8) less."),
]
Encoder = Annotated[Clip, Hint("The text encoder of a checkpoint.")]
Side = Annotated[
    int, Number(0, MAX_RESOLUTION), Hint("Pixels; the size that the training picture is said to have had.")
]
CropStart = Annotated[
    int, Number(0, MAX_RESOLUTION), Hint("Pixels that are said to have been cut off; 0 centres the subject.")
]
TargetSide = Annotated[
    int, Number(0, MAX_RESOLUTION), Hint("Pixels of the picture to be made; usually its real size.")
]


@node(
    "CLIPTextEncode",
    title="CLIP Text Encode (Prompt)",
    category="conditioning",
    infer=prompt_facts("text"),
    fingerprint=embedding_files("text"),
)
def clip_text_encode(text: PromptText, clip: Encoder, context: Context | None = None) -> Conditioning:
    """A prompt as conditioning, which steers the sampler towards what it says."""
    return words.encode(clip, text, context.log) if context else words.encode(clip, text)


@node(
    "CLIPTextEncodeSDXL",
    title="CLIPTextEncodeSDXL",
    category="advanced/conditioning",
    infer=prompt_facts("text_g", "text_l"),
    fingerprint=embedding_files("text_g", "text_l"),
)
def clip_text_encode_sdxl(
    clip: Annotated[Clip, Hint("The two text encoders of an SDXL checkpoint.")],
    width: Side = 1024,
    height: Side = 1024,
    crop_w: CropStart = 0,
    crop_h: CropStart = 0,
    target_width: TargetSide = 1024,
    target_height: TargetSide = 1024,
    *,
    text_g: Annotated[
        str, Text(multiline=True, dynamic_prompts=True), Hint("The prompt for the large encoder (bigG).")
    ],
    text_l: Annotated[
        str, Text(multiline=True, dynamic_prompts=True), Hint("The prompt for the small encoder (L).")
    ],
    context: Context,
) -> Conditioning:
    """SDXL conditioning with a prompt for each encoder, and the sizes that the model is told."""
    sizes = {
        "width": width,
        "height": height,
        "crop_w": crop_w,
        "crop_h": crop_h,
        "target_width": target_width,
        "target_height": target_height,
    }
    return words.encode_pair(clip, text_g, text_l, context.log, **sizes)


@node(
    "CLIPTextEncodeSDXLRefiner",
    title="CLIPTextEncodeSDXLRefiner",
    category="advanced/conditioning",
    infer=prompt_facts("text"),
    fingerprint=embedding_files("text"),
)
def clip_text_encode_sdxl_refiner(
    ascore: Annotated[
        float,
        Number(0.0, 1000.0, 0.01),
        Hint("How beautiful the picture is to be, on the scale of LAION, 1..10."),
    ] = 6.0,
    width: Side = 1024,
    height: Side = 1024,
    *,
    text: PromptText,
    clip: Annotated[Clip, Hint("The text encoder of an SDXL refiner.")],
    context: Context,
) -> Conditioning:
    """Conditioning for the SDXL refiner, which is told an aesthetic score beside the size."""
    return words.encode(clip, text, context.log, aesthetic_score=ascore, width=width, height=height)


@node(
    "CLIPTextEncodeControlnet",
    title="CLIPTextEncodeControlnet",
    experimental=True,
    category="_for_testing/conditioning",
    agree="family",
    fingerprint=embedding_files("text"),
)
def clip_text_encode_controlnet(
    clip: Encoder, conditioning: Conditioning, text: PromptText, context: Context
) -> Conditioning:
    """Conditioning whose ControlNets read a prompt of their own."""
    [[cond, keys]] = words.encode(clip, text, context.log)
    own = {"cross_attn_controlnet": cond, "pooled_output_controlnet": keys["pooled_output"]}
    return conds.with_keys(conditioning, **own)


@node(
    "CLIPSetLastLayer",
    title="CLIP Set Last Layer",
    category="conditioning",
    infer=carry("clip", to=["CLIP"]),
)
def clip_set_last_layer(
    clip: Clip,
    stop_at_clip_layer: Annotated[
        int, Number(-24, -1, 1), Hint("The layer to stop at, counted from the last, which is -1.")
    ] = -1,
) -> Clip:
    """A text encoder that stops at an earlier layer (often called clip skip)."""
    stopped = clip.clone()
    stopped.clip_layer(stop_at_clip_layer)
    return stopped


@node(
    "PromptWeighting",
    title="Prompt Weighting",
    category="advanced/conditioning",
    infer=carry("clip", to=["CLIP"]),
)
def prompt_weighting(
    clip: Clip,
    mode: Annotated[
        Literal["comfy", "a1111"],
        Hint(
            "comfy moves each word away from an empty prompt's; a1111 scales it and keeps the mean, "
            "reads [word] as less and begins a new chunk at BREAK."
        ),
    ] = "comfy",
) -> Clip:
    """A text encoder that reads brackets and weights in prompts as one program or the other does."""
    changed = clip.clone()
    changed.weighting = mode
    return changed
