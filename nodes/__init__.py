"""The built-in node types, one module a family. Listing them imports no torch."""

from graph.registry import Registry, registry_from
from nodes import (
    component_loaders,
    compose,
    conditioning,
    conditioning_pictures,
    controlnet,
    dynamic,
    expression,
    filters,
    image,
    image_edit,
    image_save,
    inpaint_crop,
    latent,
    latent_batch,
    latent_ops,
    loaders,
    lora,
    mask,
    merging,
    model_saving,
    sampling,
    strings,
    text,
    upscale,
    value,
    vision,
)

FAMILIES = (
    loaders,
    component_loaders,
    text,
    merging,
    model_saving,
    vision,
    conditioning,
    conditioning_pictures,
    lora,
    controlnet,
    latent,
    sampling,
    image,
    value,
    compose,
    dynamic,
    expression,
    filters,
    image_edit,
    image_save,
    inpaint_crop,
    latent_batch,
    latent_ops,
    mask,
    strings,
    upscale,
)


def registry() -> Registry:
    """All built-in node types."""
    return registry_from(*FAMILIES)
