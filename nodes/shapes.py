"""What travels on wires, in words: the form, shape and range of the values of each socket type."""

from collections.abc import Mapping
from typing import Final

SHAPES: Final[Mapping[str, str]] = {
    "*": "any value",
    "BOOLEAN": "yes or no",
    "CLIP": "a text encoder: shared weights and a list of patches",
    "CLIP_VISION": "a picture encoder",
    "CLIP_VISION_OUTPUT": "what a picture encoder saw: vectors (pictures, tokens, width)",
    "COMBO": "a text that is one of some choices",
    "CONDITIONING": "a list of [vectors (1, tokens, width), facts such as area, mask and times]",
    "CONTROL_NET": "a ControlNet: shared weights and its settings",
    "FLOAT": "a number",
    "GLIGEN": "a network that places things by boxes",
    "GUIDER": "a model with its prompts and the way they are weighed",
    "IMAGE": "float (pictures, height, width, channels) of 0..1, channels red, green, blue and perhaps alpha",
    "INT": "a whole number",
    "LATENT": '{"samples": float (pictures, 4, height / 8, width / 8)}, perhaps with a noise mask',
    "LATENT_OPERATION": "a function of latents",
    "LOOP": "the round of a loop, for its end",
    "LOOP_FACTS": "what a loop hands from round to round",
    "MASK": "float (masks, height, width) of 0..1",
    "MODEL": "a denoiser: shared weights and a list of patches",
    "NOISE": "a source of noise with its seed",
    "PHOTOMAKER": "an encoder of faces",
    "SAMPLER": "a step rule with its settings",
    "SIGMAS": "float (steps + 1), falling noise levels",
    "STITCH": "pictures, the place of a cut-out in them in pixels, and its seam",
    "STRING": "a text",
    "STYLE_MODEL": "a network that reads a style from a picture encoder's output",
    "UPSCALE_MODEL": "a network that makes pictures larger by a whole factor",
    "VAE": "an autoencoder: between pictures and latents",
}
"""The form of a socket type's values, by its name."""


def shape_of(names: tuple[str, ...], is_list: bool = False) -> str:
    """The form of values of a type of these names; "" for a plugin's type that nobody described."""
    known = [SHAPES[name] for name in names if name in SHAPES]
    words = "; or ".join(known)
    return f"a list, each: {words}" if words and is_list else words
