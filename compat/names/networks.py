# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The layers of a U-Net under the names that packs walk: blocks, and modules by their published names."""

import re
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any, Final

from torch import nn

from compat.names.placeholders import Placeholder
from diffusion.unet import input_blocks, middle_block, output_blocks, transformer
from diffusion.values import Model, Network

_BLOCK: Final = re.compile(
    r"diffusion_model\.(input|middle|output)_blocks?\.(\d+)(?:\.\d+)?\.transformer_blocks\.(\d+)\.forward"
)
_ATTENTION: Final = "comfy.ldm.modules.attention"
_KINDS: Final = {
    "SpatialTransformer": "Transformer2DModel",
    "BasicTransformerBlock": "BasicTransformerBlock",
    "CrossAttention": "Attention",
}
"""ComfyUI's name of a kind of layer → diffusers'."""


class Recognised(Placeholder):
    """The kind of placeholders that isinstance knows our layers by; they cannot be made either."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return type(instance).__name__ == cls.__dict__.get("__ours__") and isinstance(instance, nn.Module)


def recognised_layers() -> dict[str, Any]:
    """The classes of `comfy.ldm.modules.attention` that a U-Net's layers belong to."""
    return {
        name: Recognised(
            name, (), {"__host_name__": f"{_ATTENTION}.{name}", "__module__": _ATTENTION, "__ours__": ours}
        )
        for name, ours in _KINDS.items()
    }


def published_layers(unet: Any) -> Iterator[tuple[str, nn.Module]]:
    """Each layer of a U-Net's blocks with its published name, such as `input_blocks.4.1`."""
    for side, blocks in (("input_blocks", input_blocks(unet)), ("output_blocks", output_blocks(unet))):
        for number, layers in enumerate(blocks):
            yield from ((f"{side}.{number}.{place}", layer) for place, (_, layer) in enumerate(layers))
    yield from ((f"middle_block.{place}", layer) for place, (_, layer) in enumerate(middle_block(unet)))


def _published_modules(unet: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Every module once: those of blocks by their published names, the others by their own."""
    yield "", unet
    seen = {unet}
    for name, layer in published_layers(unet):
        inner = list(layer.named_modules(prefix=name))
        seen.update(module for _, module in inner)
        yield from inner
    yield from ((name, module) for name, module in nn.Module.named_modules(unet) if module not in seen)


def _named_modules(unet: nn.Module, *values: Any, **named: Any) -> Iterator[tuple[str, nn.Module]]:
    # torch asks with arguments, for the names of weights: those stay.
    if values or named:
        return nn.Module.named_modules(unet, *values, **named)
    return _published_modules(unet)


def _lists(blocks: list[list[tuple[str, nn.Module]]]) -> nn.ModuleList:
    return nn.ModuleList(nn.ModuleList(layer for _, layer in block) for block in blocks)


def _forward(block: Any, x: Any, context: Any = None, transformer_options: Any = None) -> Any:
    options = {"patches": {}, "patches_replace": {}, **(transformer_options or {})}
    return transformer(block, x, context, options)


_UNET: Final[dict[str, Any]] = {
    "named_modules": _named_modules,
    "input_blocks": property(lambda unet: _lists(input_blocks(unet))),
    "middle_block": property(lambda unet: _lists([middle_block(unet)])[0]),
    "output_blocks": property(lambda unet: _lists(output_blocks(unet))),
}
_TRANSFORMER: Final[dict[str, Any]] = {"forward": _forward}
_CROSS: Final[dict[str, Any]] = {"dim_head": property(lambda layer: layer.inner_dim // layer.heads)}
_NAMED: Final = {"UNet2DConditionModel": _UNET, "BasicTransformerBlock": _TRANSFORMER, "Attention": _CROSS}


@cache
def _published(kind: type[nn.Module]) -> type[nn.Module]:
    """A kind of network or layer with the names that packs call; another of diffusers' own stays as it is."""
    names = _NAMED.get(kind.__name__)
    if names is None or names.items() <= vars(kind).items():
        return kind
    return type(kind.__name__, (kind,), names)


def name_layers(network: type[Network]) -> None:
    """Let the U-Net of every network that is made from now on be walked by published names."""
    if hasattr(network.__init__, "__wrapped__"):
        return
    own = network.__init__

    @wraps(own)
    def made(self: Any, *values: Any, **named: Any) -> None:
        own(self, *values, **named)
        for module in self.diffusion_model.modules():
            module.__class__ = _published(type(module))

    network.__init__ = made  # type: ignore[method-assign]


def replacing_blocks(own: Callable[..., None]) -> Callable[..., None]:
    """MODEL.add_object_patch, where the forward of a transformer block is one of its replaced parts."""

    @wraps(own)
    def add_object_patch(self: Model, name: str, value: Any) -> None:
        if found := _BLOCK.fullmatch(name):
            side, number, index = found[1], int(found[2]), int(found[3])
            place = 0 if side == "middle" else number
            self.set_model_patch_replace(value, "transformer_block", side, place, index)
        else:
            own(self, name, value)

    return add_object_patch
