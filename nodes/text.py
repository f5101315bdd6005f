"""Prompts: from words to conditioning."""

from typing import TYPE_CHECKING, Annotated

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number, Text
from nodes.lazy import LazyModule
from nodes.sockets import Clip, Conditioning

if TYPE_CHECKING:
    from diffusion import text as words
else:
    words = LazyModule("diffusion.text")

PromptText = Annotated[
    str,
    Text(multiline=True, dynamic_prompts=True),
    Hint("What the picture shows; (word:1.2) makes a word weigh more, (word:0.8) less."),
]


@node(
    "CLIPTextEncode",
    title="CLIP Text Encode (Prompt)",
    category="conditioning",
    infer=carry("clip", "family", to=["CONDITIONING"]),
)
def clip_text_encode(
    text: PromptText, clip: Annotated[Clip, Hint("The text encoder of a checkpoint.")]
) -> Conditioning:
    """A prompt as conditioning, which steers the sampler towards what it says."""
    return words.encode(clip, text)


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
