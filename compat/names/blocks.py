# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy.ldm.modules.diffusionmodules.openaimodel`: a U-Net's numbered blocks, and the whole."""

import sys
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from compat.names.attention import OPERATIONS, SpatialTransformer
from compat.names.placeholders import NotSupported
from diffusion.unet import timestep_embedding
from diffusion.wrappers import wrapped

MODULE: Final = "comfy.ldm.modules.diffusionmodules.openaimodel"


class TimestepBlock(nn.Module):
    """A layer that is told the time step."""


class Upsample(nn.Module):
    """Twice the size, or a given one, and a convolution."""

    def __init__(
        self, channels: int, use_conv: bool, dims: int = 2, out_channels: int | None = None, padding: int = 1,
        dtype: Any = None, device: Any = None, operations: Any = OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels, self.out_channels = channels, out_channels or channels
        self.use_conv, self.dims = use_conv, dims
        if use_conv:
            self.conv = operations.Conv2d(
                channels, self.out_channels, 3, padding=padding, dtype=dtype, device=device
            )

    def forward(self, x: Tensor, output_shape: Any = None) -> Tensor:
        size = output_shape[2:4] if output_shape is not None else (x.shape[2] * 2, x.shape[3] * 2)
        x = F.interpolate(x, size=tuple(size), mode="nearest")
        return self.conv(x) if self.use_conv else x


class Downsample(nn.Module):
    """Half the size, by a convolution or an average."""

    def __init__(
        self, channels: int, use_conv: bool, dims: int = 2, out_channels: int | None = None, padding: int = 1,
        dtype: Any = None, device: Any = None, operations: Any = OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels, self.out_channels = channels, out_channels or channels
        self.use_conv, self.dims = use_conv, dims
        made = {"stride": 2, "padding": padding, "dtype": dtype, "device": device}
        self.op = operations.Conv2d(channels, self.out_channels, 3, **made) if use_conv else nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class ResBlock(TimestepBlock):
    """Two convolutions told the time step, added to what came in."""

    def __init__(
        self, channels: int, emb_channels: int, dropout: float, out_channels: int | None = None,
        use_conv: bool = False, use_scale_shift_norm: bool = False, dims: int = 2,
        use_checkpoint: bool = False, up: bool = False, down: bool = False, dtype: Any = None,
        device: Any = None, operations: Any = OPERATIONS, **_: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        out, at = out_channels or channels, {"dtype": dtype, "device": device}
        self.channels, self.emb_channels, self.out_channels, self.dropout = (
            channels,
            emb_channels,
            out,
            dropout,
        )
        self.use_conv, self.use_scale_shift_norm, self.updown = use_conv, use_scale_shift_norm, up or down
        conv = lambda a, b, size: operations.Conv2d(a, b, size, padding=size // 2, **at)  # noqa: E731
        self.in_layers = nn.Sequential(
            operations.GroupNorm(32, channels, **at), nn.SiLU(), conv(channels, out, 3)
        )
        sampler = (Upsample if up else Downsample)(channels, False) if self.updown else nn.Identity()
        self.h_upd = self.x_upd = sampler
        told = out * 2 if use_scale_shift_norm else out
        self.emb_layers = nn.Sequential(nn.SiLU(), operations.Linear(emb_channels, told, **at))
        self.out_layers = nn.Sequential(
            operations.GroupNorm(32, out, **at), nn.SiLU(), nn.Dropout(dropout), conv(out, out, 3)
        )
        wider = 3 if use_conv else 1
        self.skip_connection = nn.Identity() if out == channels else conv(channels, out, wider)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        return self._forward(x, emb)

    def _forward(self, x: Tensor, emb: Tensor) -> Tensor:
        if self.updown:
            h = self.in_layers[-1](self.h_upd(self.in_layers[:-1](x)))
            x = self.x_upd(x)
        else:
            h = self.in_layers(x)
        told = self.emb_layers(emb).to(h.dtype)[:, :, None, None]
        if self.use_scale_shift_norm:
            scale, shift = told.chunk(2, dim=1)
            h = self.out_layers[1:](self.out_layers[0](h) * (1 + scale) + shift)
        else:
            h = self.out_layers(h + told)
        return self.skip_connection(x) + h


class TimestepEmbedSequential(nn.Sequential, TimestepBlock):  # type: ignore[misc]
    """A numbered block: layers one after the other, each told what it takes."""

    def forward(self, *values: Any, **named: Any) -> Tensor:  # type: ignore[override]
        return live("forward_timestep_embed")(self, *values, **named)


def forward_timestep_embed(
    ts: Any, x: Tensor, emb: Tensor, context: Any = None, transformer_options: Any = None,
    output_shape: Any = None, time_context: Any = None, num_video_frames: Any = None,
    image_only_indicator: Any = None,
) -> Tensor:  # fmt: skip
    """What the layers of a block make of x; a patch may bring its own way for classes of layers."""
    options = {} if transformer_options is None else transformer_options
    handlers = options.get("patches", {}).get("forward_timestep_embed_patch", ())
    frames = (time_context, num_video_frames, image_only_indicator)
    for layer in ts:
        own = next((handle for kind, handle in handlers if isinstance(layer, kind)), None)
        if isinstance(layer, TimestepBlock):
            x = layer(x, emb)
        elif isinstance(layer, SpatialTransformer):
            x = layer(x, context, options)
            if "transformer_index" in options:
                options["transformer_index"] += 1
        elif isinstance(layer, Upsample):
            x = layer(x, output_shape=output_shape)
        elif own is not None:
            x = own(layer, x, emb, context, options, output_shape, *frames)
        else:
            x = layer(x)
    return x


def apply_control(h: Tensor, control: Any, name: str) -> Tensor:
    """h with what a ControlNet adds here; each addition is used once."""
    if not control or not control.get(name):
        return h
    added = control[name].pop()
    return h if added is None else h + added.to(h.dtype)


FUNCTIONS: Final = {"forward_timestep_embed": forward_timestep_embed, "apply_control": apply_control}


def live(name: str) -> Any:
    """A function by its published name, as a pack may have put another in its place."""
    return getattr(sys.modules.get(MODULE), name, FUNCTIONS[name])


class _Unets(type):
    """The kind of a class that the U-Nets belong to which answer to its names."""

    def __instancecheck__(cls, instance: Any) -> bool:
        is_ours = cls is UNetModel and type(instance).__name__ == "UNet2DConditionModel"
        return (is_ours and hasattr(instance, "_forward")) or super().__instancecheck__(instance)


class UNetModel(nn.Module, metaclass=_Unets):
    """A U-Net in its published layout; only those of loaded models are supported."""

    def __init__(self, *values: Any, **named: Any) -> None:
        raise NotSupported(f"{MODULE}.UNetModel")

    num_classes: Any = None
    predict_codebook_ids = False
    default_num_video_frames: Any = None

    def forward(
        self, x: Tensor, timesteps: Any = None, context: Any = None, y: Any = None, control: Any = None,
        transformer_options: Any = None, **named: Any,
    ) -> Tensor:  # fmt: skip
        options = {} if transformer_options is None else transformer_options
        run = wrapped(self._forward, "diffusion_model", options, self)
        return run(x, timesteps, context, y, control, options, **named)

    def _forward(
        self, x: Tensor, timesteps: Any = None, context: Any = None, y: Any = None, control: Any = None,
        transformer_options: Any = None, **named: Any,
    ) -> Tensor:  # fmt: skip
        return unet_forward(self, x, timesteps, context, y, control, transformer_options, **named)


def unet_forward(
    unet: Any, x: Tensor, timesteps: Any = None, context: Any = None, y: Any = None, control: Any = None,
    transformer_options: Any = None, **named: Any,
) -> Tensor:  # fmt: skip
    """The output (B, C, H, W) of a U-Net in its published layout."""
    options = {} if transformer_options is None else transformer_options
    options |= {"original_shape": list(x.shape), "transformer_index": 0}
    added = {side: list(parts) for side, parts in (control or {}).items()}
    frames = {"num_video_frames": named.get("num_video_frames"), "time_context": named.get("time_context")}
    emb = _embedding(unet, x, timesteps, y, options)
    told = (emb, context, options)
    h, skips = _down(unet, _as_weights(unet, x), told, added, frames)
    options["block"] = ("middle", 0)
    if unet.middle_block is not None:
        h = live("forward_timestep_embed")(unet.middle_block, h, *told, **frames)
    h = live("apply_control")(h, added, "middle")
    h = _up(unet, h, skips, told, added, frames)
    return unet.out(h.to(x.dtype))


def _as_weights(unet: Any, x: Tensor) -> Tensor:
    """x in the order in memory that the first convolution's weights have."""
    weight = getattr(unet.input_blocks[0][0], "weight", None)
    is_last = weight is not None and weight.is_contiguous(memory_format=torch.channels_last)
    return x.contiguous(memory_format=torch.channels_last) if is_last else x


def _embedding(unet: Any, x: Tensor, timesteps: Tensor, y: Any, options: dict[str, Any]) -> Tensor:
    emb = unet.time_embed(timestep_embedding(timesteps, unet.model_channels).to(x.dtype))
    for patch in options.get("patches", {}).get("emb_patch", ()):
        emb = patch(emb, unet.model_channels, options)
    return emb if unet.num_classes is None else emb + unet.label_emb(y.to(x.dtype))


def _down(unet: Any, h: Tensor, told: Any, added: Any, frames: Any) -> tuple[Tensor, list[Tensor]]:
    options, skips = told[2], list[Tensor]()
    patches = options.get("patches", {})
    for number, block in enumerate(unet.input_blocks):
        options["block"] = ("input", number)
        h = live("forward_timestep_embed")(block, h, *told, **frames)
        h = live("apply_control")(h, added, "input")
        for patch in patches.get("input_block_patch", ()):
            h = patch(h, options)
        skips.append(h)
        for patch in patches.get("input_block_patch_after_skip", ()):
            h = patch(h, options)
    return h, skips


def _up(unet: Any, h: Tensor, skips: list[Tensor], told: Any, added: Any, frames: Any) -> Tensor:
    options = told[2]
    for number, block in enumerate(unet.output_blocks):
        options["block"] = ("output", number)
        skip = live("apply_control")(skips.pop(), added, "output")
        for patch in options.get("patches", {}).get("output_block_patch", ()):
            h, skip = patch(h, skip, options)
        shape = skips[-1].shape if skips else None
        h = live("forward_timestep_embed")(block, torch.cat([h, skip], 1), *told, shape, **frames)
    return h


LAYERS: Final = (TimestepBlock, TimestepEmbedSequential, Upsample, Downsample, ResBlock, UNetModel)
