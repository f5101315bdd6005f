"""Patches of a model's inside: its features, attention, sizes and computation."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal

from graph.facts import carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Clip, LatentScaling, Model, Tensor

if TYPE_CHECKING:
    from diffusion.patches import bands, computing, reuse, shrink
    from diffusion.patches import tokens as token_patches
    from nodes import tensors
else:
    bands = LazyModule("diffusion.patches.bands")
    computing = LazyModule("diffusion.patches.computing")
    reuse = LazyModule("diffusion.patches.reuse")
    shrink = LazyModule("diffusion.patches.shrink")
    token_patches = LazyModule("diffusion.patches.tokens")
    tensors = LazyModule("nodes.tensors")

Factor = Annotated[float, Number(0.0, 10.0, 0.01)]
Deep = Annotated[Factor, Hint("Factor for the features of the way up's deepest levels.")]
Middle = Annotated[Factor, Hint("Factor for the features of the next level.")]
DeepSkip = Annotated[Factor, Hint("Factor for the low frequencies of the deepest levels' skips.")]
MiddleSkip = Annotated[Factor, Hint("Factor for the low frequencies of the next level's skips.")]
Queries = Annotated[Factor, Hint("Factor for the queries.")]
Keys = Annotated[Factor, Hint("Factor for the keys.")]
Values = Annotated[Factor, Hint("Factor for the values.")]
Result = Annotated[Factor, Hint("Factor for the result.")]
Part = Annotated[float, Number(0.0, 1.0, 0.001)]
UNET: Final = "model_patches/unet"
patched = carry("model", to=["MODEL"])


@node("FreeU", title="FreeU", category=UNET, infer=patched)
def free_u(model: Model, b1: Deep = 1.1, b2: Middle = 1.2, s1: DeepSkip = 0.9, s2: MiddleSkip = 0.2) -> Model:
    """The model with stronger features and weaker skips on the way up (FreeU)."""
    return bands.free_u(model, b1, b2, s1, s2)


@node("FreeU_V2", title="FreeU V2", category=UNET, infer=patched)
def free_u_v2(
    model: Model, b1: Deep = 1.3, b2: Middle = 1.4, s1: DeepSkip = 0.9, s2: MiddleSkip = 0.2
) -> Model:
    """The model with features stronger where they are large, and weaker skips (FreeU, second version)."""
    return bands.free_u(model, b1, b2, s1, s2, by_strength=True)


@node("TomePatchModel", title="Token Merging", category=UNET, infer=patched)
def tome_patch_model(
    model: Model,
    ratio: Annotated[float, Number(0.0, 1.0, 0.01), Hint("The part of the tokens that is merged.")] = 0.3,
) -> Model:
    """A faster model: tokens that are alike ask self-attention together."""
    return token_patches.merge_tokens(model, ratio)


@node("HyperTile", title="HyperTile", category=UNET, infer=patched)
def hyper_tile(
    model: Model,
    tile_size: Annotated[
        int, Number(1, 2048), Hint("The least side of a tile in pixels, at least 32.")
    ] = 256,
    swap_size: Annotated[int, Number(1, 128), Hint("How many tilings are drawn from.")] = 2,
    max_depth: Annotated[int, Number(0, 10), Hint("How many levels below the first are tiled too.")] = 0,
    scale_depth: Annotated[bool, Hint("Whether deeper levels get larger tiles.")] = False,
) -> Model:
    """A faster model for large pictures: self-attention looks within tiles only."""
    return token_patches.hyper_tile(model, tile_size, swap_size, max_depth, scale_depth)


@node("PatchModelAddDownscale", title="Deep Shrink", category=UNET, infer=patched)
def patch_model_add_downscale(
    model: Model,
    block_number: Annotated[int, Number(1, 32, 1), Hint("The input block whose output is shrunk.")] = 3,
    downscale_factor: Annotated[float, Number(0.1, 9.0, 0.001), Hint("How many times smaller.")] = 2.0,
    start_percent: Annotated[Part, Hint("Where on the way from noise it begins, 0 to 1.")] = 0.0,
    end_percent: Annotated[Part, Hint("Where on the way it ends, 0 to 1.")] = 0.35,
    downscale_after_skip: Annotated[bool, Hint("Whether the block's skip keeps its size.")] = True,
    *,
    downscale_method: Annotated[
        Literal["bicubic", "nearest-exact", "bilinear", "area", "bislerp"],
        Hint("How it is shrunk; bislerp keeps the values' strength."),
    ],
    upscale_method: Annotated[
        Literal["bicubic", "nearest-exact", "bilinear", "area", "bislerp"],
        Hint("How it is grown again; bislerp keeps the values' strength."),
    ],
) -> Model:
    """A model that draws the outlines of large pictures small, so that subjects are not repeated."""
    return shrink.deep_shrink(
        model,
        block_number,
        downscale_factor,
        start_percent,
        end_percent,
        downscale_after_skip,
        partial(_resize, downscale_method),
        partial(_resize, upscale_method),
    )


def _resize(method: LatentScaling, samples: Tensor, width: int, height: int) -> Tensor:
    return tensors.resize(samples, width, height, method)


@node(
    "UNetSelfAttentionMultiply",
    title="Multiply Self-Attention",
    category="_for_testing/attention_experiments",
    experimental=True,
    infer=patched,
)
def unet_self_attention_multiply(
    model: Model, q: Queries = 1.0, k: Keys = 1.0, v: Values = 1.0, out: Result = 1.0
) -> Model:
    """The model with the weights of its self-attention multiplied."""
    return token_patches.multiply_attention(model, "attn1", q, k, v, out)


@node(
    "UNetCrossAttentionMultiply",
    title="Multiply Cross-Attention",
    category="_for_testing/attention_experiments",
    experimental=True,
    infer=patched,
)
def unet_cross_attention_multiply(
    model: Model, q: Queries = 1.0, k: Keys = 1.0, v: Values = 1.0, out: Result = 1.0
) -> Model:
    """The model with the weights of its attention to the text multiplied."""
    return token_patches.multiply_attention(model, "attn2", q, k, v, out)


@node(
    "CLIPAttentionMultiply",
    title="Multiply CLIP Attention",
    category="_for_testing/attention_experiments",
    experimental=True,
    infer=carry("clip", to=["CLIP"]),
)
def clip_attention_multiply(
    clip: Clip, q: Queries = 1.0, k: Keys = 1.0, v: Values = 1.0, out: Result = 1.0
) -> Clip:
    """The text encoders with the weights of their attention multiplied."""
    return token_patches.multiply_text_attention(clip, q, k, v, out)


@node(
    "DifferentialDiffusion",
    title="Differential Diffusion",
    category="_for_testing",
    experimental=True,
    infer=patched,
)
def differential_diffusion(
    model: Model,
    strength: Annotated[
        float,
        Number(0.0, 1.0, 0.01),
        Hint("1 follows the mask's greys in time, less blends them in.", optional=True),
    ] = 1.0,
) -> Model:
    """A model for which the grey of a noise mask says how much may change."""
    return shrink.differential(model, strength)


@node("TorchCompileModel", title="Compile Model", category="_for_testing", experimental=True, infer=patched)
def torch_compile_model(
    model: Model,
    backend: Annotated[Literal["inductor", "cudagraphs"], Hint("What compiles; cudagraphs needs a GPU.")],
) -> Model:
    """The model run through torch's compiler: the first step takes minutes, those after it less."""
    return computing.compiled(model, backend)


@node("ModelComputeDtype", title="Model Compute Precision", category="advanced/debug/model", infer=patched)
def model_compute_dtype(
    model: Model,
    dtype: Annotated[
        Literal["default", "fp32", "fp16", "bf16"], Hint("default is what --precision says for this device.")
    ],
) -> Model:
    """The model computing in another precision."""
    return computing.compute_in(model, dtype)


Threshold = Annotated[float, Number(0.0, 3.0, 0.01), Hint("The change below which a step is left out.")]
Begin = Annotated[float, Number(0.0, 1.0, 0.01), Hint("Where on the way from noise it begins, 0 to 1.")]
End = Annotated[float, Number(0.0, 1.0, 0.01), Hint("Where on the way it ends, 0 to 1.")]
Verbose = Annotated[bool, Hint("Whether each step left out is told in the log.")]


@node("EasyCache", title="EasyCache", category="advanced/debug/model", experimental=True, infer=patched)
def easy_cache(
    model: Model,
    reuse_threshold: Threshold = 0.2,
    start_percent: Begin = 0.15,
    end_percent: End = 0.95,
    verbose: Verbose = False,
) -> Model:
    """A faster model: calls of the network are left out while little changes."""
    return reuse.easy_cache(model, reuse.Range(reuse_threshold, start_percent, end_percent, verbose))


@node("LazyCache", title="LazyCache", category="advanced/debug/model", experimental=True, infer=patched)
def lazy_cache(
    model: Model,
    reuse_threshold: Threshold = 0.2,
    start_percent: Begin = 0.15,
    end_percent: End = 0.95,
    verbose: Verbose = False,
) -> Model:
    """A faster model: whole steps are left out while little changes; works with any model."""
    return reuse.lazy_cache(model, reuse.Range(reuse_threshold, start_percent, end_percent, verbose))
