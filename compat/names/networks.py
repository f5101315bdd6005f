# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""A U-Net in its published layout: packs walk, replace and run its layers by their published names.

The layers with weights are those of the network itself, so what loading, casting and weight patches do to
them holds here too. When names are installed, this is what runs: a layer that a pack changed acts.
"""

from collections.abc import Iterator
from functools import cache, wraps
from typing import Any, Final

from torch import nn

from compat.names.attention import (
    GEGLU,
    BasicTransformerBlock,
    CrossAttention,
    FeedForward,
    SpatialTransformer,
)
from compat.names.blocks import (
    Downsample,
    ResBlock,
    TimestepEmbedSequential,
    UNetModel,
    Upsample,
)
from diffusion.unet import input_blocks, middle_block, output_blocks
from diffusion.values import Network

_VIEW: Final = "_published_layout"
_PARTS: Final = ("time_embed", "label_emb", "input_blocks", "middle_block", "output_blocks", "out")


def _layer(kind: type[nn.Module], **parts: Any) -> Any:
    """A layer of a published kind, made of parts that are there already."""
    made = kind.__new__(kind)
    nn.Module.__init__(made)
    for name, part in parts.items():
        setattr(made, name, part)
    return made


def _attention(own: Any) -> CrossAttention:
    return _layer(
        CrossAttention, to_q=own.to_q, to_k=own.to_k, to_v=own.to_v, to_out=nn.Sequential(*own.to_out),
        heads=own.heads, dim_head=own.inner_dim // own.heads, attn_precision=None,
    )  # fmt: skip


def _transformer(own: Any) -> BasicTransformerBlock:
    attn1 = _attention(own.attn1)
    net = nn.Sequential(_layer(GEGLU, proj=own.ff.net[0].proj), own.ff.net[1], own.ff.net[2])
    return _layer(
        BasicTransformerBlock, attn1=attn1, ff=_layer(FeedForward, net=net), attn2=_attention(own.attn2),
        norm1=own.norm1, norm2=own.norm2, norm3=own.norm3, n_heads=attn1.heads, d_head=attn1.dim_head,
        attn_precision=None, disable_self_attn=False,
    )  # fmt: skip


def _spatial(own: Any) -> SpatialTransformer:
    blocks = nn.ModuleList(_transformer(block) for block in own.transformer_blocks)
    return _layer(
        SpatialTransformer, norm=own.norm, proj_in=own.proj_in, transformer_blocks=blocks,
        proj_out=own.proj_out, use_linear=own.use_linear_projection, in_channels=own.norm.num_channels,
    )  # fmt: skip


def _res(own: Any) -> ResBlock:
    channels, out = own.conv1.in_channels, own.conv2.out_channels
    return _layer(
        ResBlock, in_layers=nn.Sequential(own.norm1, nn.SiLU(), own.conv1),
        h_upd=nn.Identity(), x_upd=nn.Identity(),
        emb_layers=nn.Sequential(nn.SiLU(), own.time_emb_proj),
        out_layers=nn.Sequential(own.norm2, nn.SiLU(), own.dropout, own.conv2),
        skip_connection=own.conv_shortcut or nn.Identity(), channels=channels, out_channels=out, updown=False,
        emb_channels=own.time_emb_proj.in_features, dropout=0.0, use_conv=False, use_scale_shift_norm=False,
    )  # fmt: skip


def _sampler(kind: type[nn.Module], own: Any, conv: str) -> nn.Module:
    facts = {
        "channels": own.conv.in_channels,
        "out_channels": own.conv.out_channels,
        "use_conv": True,
        "dims": 2,
    }
    return _layer(kind, **{conv: own.conv}, **facts)


_LAYERS: Final = {
    "conv": lambda own: own,
    "res": _res,
    "attention": _spatial,
    "down": lambda own: _sampler(Downsample, own, "op"),
    "up": lambda own: _sampler(Upsample, own, "conv"),
}


def _block(layers: list[tuple[str, nn.Module]]) -> TimestepEmbedSequential:
    return TimestepEmbedSequential(*(_LAYERS[kind](own) for kind, own in layers))


def _two_layers(own: Any) -> nn.Sequential:
    return nn.Sequential(own.linear_1, nn.SiLU(), own.linear_2)


def _view(unet: Any) -> UNetModel:
    middle, vector = middle_block(unet), getattr(unet, "add_embedding", None)
    parts: dict[str, Any] = {"time_embed": _two_layers(unet.time_embedding)}
    if vector is not None:
        parts |= {"label_emb": nn.Sequential(_two_layers(vector)), "num_classes": "sequential"}
    return _layer(
        UNetModel, **parts, model_channels=unet.conv_in.out_channels,
        input_blocks=nn.ModuleList(map(_block, input_blocks(unet))),
        middle_block=_block(middle) if middle else None,
        output_blocks=nn.ModuleList(map(_block, output_blocks(unet))),
        out=nn.Sequential(unet.conv_norm_out, nn.SiLU(), unet.conv_out),
    )  # fmt: skip


def layout_of(unet: nn.Module) -> UNetModel:
    """The published layout of a U-Net: the same one as long as the U-Net lives."""
    if _VIEW not in vars(unet):
        vars(unet)[_VIEW] = _view(unet)
    return vars(unet)[_VIEW]


def _named_modules(unet: nn.Module, *values: Any, **named: Any) -> Iterator[tuple[str, nn.Module]]:
    # torch asks with arguments, for the names of weights: those stay.
    if values or named:
        yield from nn.Module.named_modules(unet, *values, **named)
    else:
        yield "", unet
        yield from ((name, module) for name, module in layout_of(unet).named_modules() if name)


def _get_submodule(unet: nn.Module, target: str) -> nn.Module:
    owner = layout_of(unet) if target.partition(".")[0] in _PARTS else unet
    return nn.Module.get_submodule(owner, target)


def _set(unet: nn.Module, name: str, value: Any) -> None:
    nn.Module.__setattr__(layout_of(unet) if name in _PARTS else unet, name, value)


def _forward(unet: Any, *values: Any, **named: Any) -> Any:
    # Looked up at each call: packs put functions of their own in the class's place for it.
    return UNetModel.forward(unet, *values, **named)


def _inner_forward(unet: Any, *values: Any, **named: Any) -> Any:
    return UNetModel._forward(unet, *values, **named)


def _part(name: str) -> property:
    return property(lambda unet: getattr(layout_of(unet), name))


_UNET: Final[dict[str, Any]] = {
    "named_modules": _named_modules,
    "get_submodule": _get_submodule,
    "__setattr__": _set,
    "forward": _forward,
    "_forward": _inner_forward,
    **{name: _part(name) for name in (*_PARTS, "model_channels", "num_classes", "predict_codebook_ids")},
    "default_num_video_frames": None,
    "in_channels": property(lambda unet: unet.conv_in.in_channels),
    "out_channels": property(lambda unet: unet.conv_out.out_channels),
}


@cache
def _published(kind: type[nn.Module]) -> type[nn.Module]:
    """A kind of U-Net with the names that packs call; another network stays as it is."""
    is_unet = kind.__name__ == "UNet2DConditionModel" and "_forward" not in vars(kind)
    return type(kind.__name__, (kind,), _UNET) if is_unet else kind


def name_layers(network: type[Network]) -> None:
    """Let the U-Net of every network that is made from now on be walked, and run, by published names."""
    if hasattr(network.__init__, "__wrapped__"):
        return
    own, own_output = network.__init__, network.output

    @wraps(own)
    def made(self: Any, *values: Any, **named: Any) -> None:
        own(self, *values, **named)
        unet = self.diffusion_model
        unet.__class__ = _published(type(unet))

    @wraps(own_output)
    def output(self: Any, x: Any, timesteps: Any, context: Any, **more: Any) -> Any:
        unet = self.diffusion_model
        if _published(type(unet)) is not type(unet):  # made before packs were loaded
            return own_output(self, x, timesteps, context, **more)
        return unet(x, timesteps, context=context, **more)

    network.__init__ = made  # type: ignore[method-assign]
    network.output = output  # type: ignore[method-assign,assignment]
