"""What node signatures are written in: a name for each socket type, and for numbers with usual widgets.

Nothing here imports torch: a type checker sees the real types, the engine the socket names.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from graph.sockets import Socket
from graph.spec import Hint, Number, Text

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any

MAX_RESOLUTION: Final = 16384
MAX_SEED: Final = 2**64 - 1

Image = Annotated[Tensor, Socket("IMAGE")]
"""Pictures, float (B, H, W, C), values 0..1."""
Mask = Annotated[Tensor, Socket("MASK")]
"""Masks, float (B, H, W), values 0..1."""
Latent = Annotated[dict[str, Any], Socket("LATENT")]
"""{"samples": float (B, C, H/8, W/8)}, and perhaps "noise_mask" and "batch_index"."""
Conditioning = Annotated[list[Any], Socket("CONDITIONING")]
"""A list of [tokens (B, T, D), facts]."""
Model = Annotated[Any, Socket("MODEL")]
Clip = Annotated[Any, Socket("CLIP")]
Vae = Annotated[Any, Socket("VAE")]
Sigmas = Annotated[Tensor, Socket("SIGMAS")]
"""Noise levels, float (N + 1,), falling."""
Sampler = Annotated[Any, Socket("SAMPLER")]
Guider = Annotated[Any, Socket("GUIDER")]
Noise = Annotated[Any, Socket("NOISE")]
AnyValue = Annotated[Any, Socket("*")]

Seed = Annotated[
    int, Number(0, MAX_SEED, seed=True), Hint("Where the noise starts: the same seed, the same picture.")
]
Steps = Annotated[int, Number(1, 10000), Hint("How many steps the denoising takes.")]
Cfg = Annotated[
    float,
    Number(0.0, 100.0, 0.1, 0.01),
    Hint("How strongly the prompt is followed; 1 ignores the negative prompt."),
]
Percent = Annotated[float, Number(0.0, 1.0, 0.01)]
Strength = Annotated[
    float,
    Number(0.0, 1.0, 0.01),
    Hint("The share of the noise schedule that is run: 1 starts from noise alone, less keeps more."),
]
Width = Annotated[int, Number(16, MAX_RESOLUTION, 8), Hint("Width in pixels, a multiple of 8.")]
Height = Annotated[int, Number(16, MAX_RESOLUTION, 8), Hint("Height in pixels, a multiple of 8.")]
PixelWidth = Annotated[int, Number(0, MAX_RESOLUTION, 1), Hint("Width in pixels; 0 follows from the height.")]
PixelHeight = Annotated[
    int, Number(0, MAX_RESOLUTION, 1), Hint("Height in pixels; 0 follows from the width.")
]
BatchSize = Annotated[int, Number(1, 4096), Hint("How many pictures are made at once.")]
Lines = Annotated[str, Text(multiline=True)]

Crop = Literal["disabled", "center"]
ImageScaling = Literal["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
LatentScaling = Literal["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]
