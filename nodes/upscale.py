"""Upscaling with a trained model."""

from typing import TYPE_CHECKING, Annotated, Any

from graph.context import Context
from graph.node import node
from graph.sockets import Socket
from graph.spec import FileChoice, Hint
from nodes.files import existing
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    from diffusion import upscalers
else:
    upscalers = LazyModule("diffusion.upscalers")

UpscaleModel = Annotated[Any, Socket("UPSCALE_MODEL")]


@node("UpscaleModelLoader", title="Load Upscale Model", category="loaders")
def upscale_model_loader(
    model_name: Annotated[
        str,
        FileChoice("upscale_models"),
        Hint("A model in models/upscale_models: ESRGAN, Real-ESRGAN or its compact form."),
    ],
    context: Context,
) -> UpscaleModel:
    """A model that makes pictures larger by a fixed factor."""
    return upscalers.load_upscaler(existing(context, "upscale_models", model_name))


@node("ImageUpscaleWithModel", title="Upscale Image (using Model)", category="image/upscaling")
def image_upscale_with_model(
    upscale_model: Annotated[UpscaleModel, Hint("From Load Upscale Model; it decides the factor.")],
    image: Image,
    context: Context,
) -> Image:
    """Pictures made larger by a trained model, tile by tile."""
    return upscalers.upscale(upscale_model, image, context.progress)
