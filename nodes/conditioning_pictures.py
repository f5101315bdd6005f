"""Conditioning for networks that are shown a picture beside the text: inpainting, editing, upscaling."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from graph.facts import Facts, Known
from graph.node import node
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.lookups import CELL
from nodes.sockets import Conditioning, Image, Latent, Mask, Vae

if TYPE_CHECKING:
    from diffusion import conditioning as conds
else:
    conds = LazyModule("diffusion.conditioning")

AGREE: Final = ("family",)

Positive = Annotated[Conditioning, Hint("What the picture should show.")]
Negative = Annotated[Conditioning, Hint("What it should not show.")]


class Shown(NamedTuple):
    """Both sides with the picture, and the latent to start from."""

    positive: Conditioning
    negative: Conditioning
    latent: Latent


def _sized(known: Known) -> Mapping[str, Facts]:
    """A latent of the size of the picture at `pixels`."""
    facts = {name: known.fact("pixels", name) for name in ("width", "height", "batch")}
    sides = {side: facts[side] // CELL * CELL for side in ("width", "height") if facts[side]}
    return {"latent": facts | sides | {"latents": known.fact("vae", "latents")}}


@node(
    "InpaintModelConditioning",
    title="InpaintModelConditioning",
    category="conditioning/inpaint",
    agree=AGREE,
    infer=_sized,
)
def inpaint_model_conditioning(
    positive: Positive,
    negative: Negative,
    vae: Vae,
    pixels: Annotated[Image, Hint("The picture; sides are cut to a multiple of 8.")],
    mask: Annotated[Mask, Hint("1 where the picture is to be painted anew.")],
    noise_mask: Annotated[
        bool, Hint("Also keep the latent outside the mask as it is, which may leave a seam.")
    ] = True,
) -> Shown:
    """Conditioning that shows an inpainting model the picture around a mask."""
    shown, cut, latent = conds.inpainting(vae, pixels, mask)
    told = {"concat_latent_image": shown, "concat_mask": cut}
    start = latent | {"noise_mask": cut} if noise_mask else latent
    return Shown(conds.with_keys(positive, **told), conds.with_keys(negative, **told), start)


@node(
    "InstructPixToPixConditioning",
    title="InstructPixToPixConditioning",
    category="conditioning/instructpix2pix",
    agree=AGREE,
    infer=_sized,
)
def instruct_pix_to_pix_conditioning(
    positive: Annotated[Conditioning, Hint("What is to be done to the picture.")],
    negative: Negative,
    vae: Vae,
    pixels: Annotated[Image, Hint("The picture to edit; sides are cut to a multiple of 8.")],
) -> Shown:
    """Conditioning that shows an InstructPix2Pix model the picture it edits."""
    shown, latent = conds.editing(vae, pixels)
    told = {"concat_latent_image": shown}
    return Shown(conds.with_keys(positive, **told), conds.with_keys(negative, **told), latent)


@node(
    "SD_4XUpscale_Conditioning",
    title="SD_4XUpscale_Conditioning",
    category="conditioning/upscale_diffusion",
    agree=AGREE,
)
def sd_4x_upscale_conditioning(
    images: Annotated[Image, Hint("The pictures to enlarge.")],
    positive: Positive,
    negative: Negative,
    scale_ratio: Annotated[float, Number(0.0, 10.0, 0.01), Hint("New size over old.")] = 4.0,
    noise_augmentation: Annotated[
        float,
        Number(0.0, 1.0, 0.001),
        Hint("Noise added to what the model is shown: more lets it invent more."),
    ] = 0.0,
) -> Shown:
    """Conditioning that shows the Stable Diffusion ×4 upscaler the picture it enlarges."""
    shown, latent = conds.enlarging(images, scale_ratio)
    told = {"concat_image": shown, "noise_augmentation": noise_augmentation}
    return Shown(conds.with_keys(positive, **told), conds.with_keys(negative, **told), latent)
