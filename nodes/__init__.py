"""The built-in node types, one module a family. Listing them imports no torch."""

from graph.registry import Registry, registry_from
from nodes import (
    conditioning,
    conditioning_pictures,
    controlnet,
    image,
    latent,
    loaders,
    lora,
    sampling,
    text,
    value,
)

FAMILIES = (
    loaders,
    text,
    conditioning,
    conditioning_pictures,
    lora,
    controlnet,
    latent,
    sampling,
    image,
    value,
)  # fmt: skip


def registry() -> Registry:
    """All built-in node types."""
    return registry_from(*FAMILIES)
