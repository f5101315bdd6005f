"""The VAE: latents developed into pictures, and pictures turned into latents."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from graph.context import Context
from graph.facts import Facts, Known, carry
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.lookups import CELL
from nodes.sockets import Image, Latent, Mask, Vae

if TYPE_CHECKING:
    from diffusion import latents
else:
    latents = LazyModule("diffusion.latents")

SIZE: Final = ("width", "height", "batch")

Samples = Annotated[Latent, Hint("The latents to develop.")]
Pixels = Annotated[Image, Hint("Pictures; sides are cut to a multiple of 8.")]
TileSize = Hint("The side of a tile in pixels; smaller takes less memory.")
Overlap = Annotated[
    int, Number(0, 4096, 32), Hint("Not needed: tiles make the same picture as the whole, without seams.")
]
Frames = Annotated[int, Number(8, 4096, 4), Hint("For video VAEs, which there are none of here.")]
FrameOverlap = Annotated[int, Number(4, 4096, 4), Hint("For video VAEs, which there are none of here.")]


def _care(context: Context, tile: int | None = None) -> Any:
    return latents.Care(tile, context.note, context.check_cancelled)


def _encoded(known: Known) -> Mapping[str, Facts]:
    facts = {name: known.fact("pixels", name) for name in SIZE}
    sides = {side: facts[side] // CELL * CELL for side in ("width", "height") if facts[side]}
    return {"LATENT": facts | sides | {"latents": known.fact("vae", "latents")}}


developed = carry("samples", *SIZE, to=["IMAGE"])


@node("VAEDecode", title="VAE Decode", category="latent", agree="latents", infer=developed)
def vae_decode(samples: Samples, vae: Vae, context: Context) -> Image:
    """Latents developed into pictures."""
    return latents.decode(vae, samples, _care(context))


@node(
    "VAEDecodeTiled",
    title="VAE Decode (Tiled)",
    category="_for_testing",
    agree="latents",
    infer=developed,
)
def vae_decode_tiled(
    samples: Samples,
    vae: Vae,
    tile_size: Annotated[int, Number(64, 4096, 32), TileSize] = 512,
    overlap: Overlap = 64,
    temporal_size: Frames = 64,
    temporal_overlap: FrameOverlap = 8,
    *,
    context: Context,
) -> Image:
    """Latents developed into pictures tile by tile, which takes less memory and makes the same picture."""
    return latents.decode(vae, samples, _care(context, tile_size))


@node("VAEEncode", title="VAE Encode", category="latent", infer=_encoded)
def vae_encode(pixels: Pixels, vae: Vae, context: Context) -> Latent:
    """Pictures turned into latents, the start of image to image."""
    return latents.encode(vae, pixels, _care(context))


@node("VAEEncodeTiled", title="VAE Encode (Tiled)", category="_for_testing", infer=_encoded)
def vae_encode_tiled(
    pixels: Pixels,
    vae: Vae,
    tile_size: Annotated[int, Number(64, 4096, 64), TileSize] = 512,
    overlap: Overlap = 64,
    temporal_size: Frames = 64,
    temporal_overlap: FrameOverlap = 8,
    *,
    context: Context,
) -> Latent:
    """Pictures turned into latents tile by tile, which takes less memory and makes the same latents."""
    return latents.encode(vae, pixels, _care(context, tile_size))


@node("VAEEncodeForInpaint", title="VAE Encode (for Inpainting)", category="latent/inpaint", infer=_encoded)
def vae_encode_for_inpaint(
    pixels: Pixels,
    vae: Vae,
    mask: Annotated[Mask, Hint("1 where the picture is to be painted anew.")],
    grow_mask_by: Annotated[
        int, Number(0, 64, 1), Hint("How many pixels wider the mask is made, so that no edge shows.")
    ] = 6,
    *,
    context: Context,
) -> Latent:
    """Pictures turned into latents that are grey under a mask, for inpainting at full denoise."""
    return latents.for_inpainting(vae, pixels, mask, grow_mask_by, _care(context))
