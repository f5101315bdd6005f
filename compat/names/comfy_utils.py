# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The module `comfy.utils`: progress bars, scaling, weight files, small tools."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from compat.names.session import Session
from diffusion.tensors import open_tensors
from nodes import tensors

Names = dict[str, Any]


def comfy_utils(session: Session) -> Names:
    """The names of `comfy.utils`."""

    class ProgressBar:
        """Shows how far the running node is."""

        def __init__(self, total: float, node_id: str | None = None) -> None:
            self.total: Any = total
            self.current: Any = 0
            self.node_id = node_id
            self.hook = session.modules["comfy.utils"].__dict__.get("PROGRESS_BAR_HOOK")

        def update_absolute(self, value: Any, total: Any = None, preview: Any = None) -> None:
            """Say how much of the whole is done, with a preview (format, picture, longest side)."""
            self.total = self.total if total is None else total
            self.current = min(value, self.total)
            if self.hook is not None:
                self.hook(self.current, self.total, preview, node_id=self.node_id)
            picture = preview[1] if isinstance(preview, tuple) else preview
            session.check_interrupted()
            session.context().progress(int(self.current), int(self.total), picture)

        def update(self, value: Any) -> None:
            """Say that so much more is done."""
            self.update_absolute(self.current + value)

    return {
        "ProgressBar": ProgressBar,
        "PROGRESS_BAR_ENABLED": True,
        "PROGRESS_BAR_HOOK": None,
        "set_progress_bar_global_hook": lambda hook: session.modules["comfy.utils"].__dict__.update(
            PROGRESS_BAR_HOOK=hook
        ),
        "set_progress_bar_enabled": lambda on: session.modules["comfy.utils"].__dict__.update(
            PROGRESS_BAR_ENABLED=on
        ),
        "common_upscale": common_upscale,
        "lanczos": tensors.lanczos,
        "bislerp": tensors.bislerp,
        "load_torch_file": load_torch_file,
        "save_torch_file": save_torch_file,
        "tiled_scale": tiled_scale,
        "tiled_scale_multidim": tiled_scale_multidim,
        "get_tiled_scale_steps": get_tiled_scale_steps,
        "repeat_to_batch_size": repeat_to_batch_size,
        "resize_to_batch_size": resize_to_batch_size,
        "state_dict_prefix_replace": state_dict_prefix_replace,
        "state_dict_key_replace": state_dict_key_replace,
        "calculate_parameters": calculate_parameters,
        "weight_dtype": weight_dtype,
        "get_attr": get_attr,
        "set_attr": set_attr,
        "set_attr_param": set_attr_param,
        "copy_to_param": copy_to_param,
        "convert_sd_to": lambda weights, dtype: {key: value.to(dtype) for key, value in weights.items()},
        "string_to_seed": string_to_seed,
        "reshape_mask": reshape_mask,
        "torch": torch,
        "math": math,
    }


def common_upscale(samples: Tensor, width: int, height: int, upscale_method: str, crop: str) -> Tensor:
    """Scale (B, C, H, W), or (B, C, F, H, W) frame by frame."""
    if samples.ndim == 5:
        batch, channels, frames = samples.shape[:3]
        flat = samples.movedim(2, 1).reshape(-1, channels, *samples.shape[-2:])
        scaled = tensors.resize(flat, width, height, upscale_method, crop)
        return scaled.reshape(batch, frames, channels, height, width).movedim(1, 2)
    return tensors.resize(samples, width, height, upscale_method, crop)


def load_torch_file(
    ckpt: Any, safe_load: bool = False, device: Any = None, return_metadata: bool = False
) -> Any:
    """The weights of a file by name; a pickle is never run."""
    found = {name: tensor.to(device or "cpu") for name, tensor in open_tensors(Path(str(ckpt))).items()}
    return (found, _metadata(Path(str(ckpt)))) if return_metadata else found


def _metadata(path: Path) -> dict[str, str] | None:
    from safetensors import safe_open

    if path.suffix not in (".safetensors", ".sft"):
        return None
    with safe_open(str(path), framework="pt") as file:
        return file.metadata()


def save_torch_file(sd: Mapping[str, Tensor], ckpt: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Save weights as safetensors."""
    from safetensors.torch import save_file

    whole = {name: tensor.contiguous() for name, tensor in sd.items()}
    save_file(whole, str(ckpt), metadata=None if metadata is None else dict(metadata))


def get_tiled_scale_steps(width: int, height: int, tile_x: int, tile_y: int, overlap: int) -> int:
    """How many tiles `tiled_scale` works through."""
    rows = 1 if height <= tile_y else math.ceil((height - overlap) / (tile_y - overlap))
    columns = 1 if width <= tile_x else math.ceil((width - overlap) / (tile_x - overlap))
    return rows * columns


def tiled_scale(
    samples: Tensor,
    function: Callable[[Tensor], Tensor],
    tile_x: int = 64,
    tile_y: int = 64,
    overlap: int = 8,
    upscale_amount: float = 4,
    out_channels: int = 3,
    output_device: Any = "cpu",
    pbar: Any = None,
) -> Tensor:
    """What a function makes of (B, C, H, W), tile by tile, joined with soft seams."""
    tile = (tile_y, tile_x)
    return tiled_scale_multidim(
        samples, function, tile, overlap, upscale_amount, out_channels, output_device, pbar=pbar
    )


def tiled_scale_multidim(
    samples: Tensor,
    function: Callable[[Tensor], Tensor],
    tile: Sequence[int] = (64, 64),
    overlap: int = 8,
    upscale_amount: float = 4,
    out_channels: int = 3,
    output_device: Any = "cpu",
    downscale: bool = False,
    index_formulas: Any = None,
    pbar: Any = None,
) -> Tensor:
    """The same for any number of axes after the first two; `downscale` divides by the amount."""
    factor = 1 / upscale_amount if downscale else float(upscale_amount)
    sizes = [round(size * factor) for size in samples.shape[2:]]
    result = torch.zeros(samples.shape[0], out_channels, *sizes, device=output_device)
    for number in range(samples.shape[0]):
        total, weights = torch.zeros_like(result[:1]), torch.zeros_like(result[:1])
        for starts in _tiles(samples.shape[2:], tile, overlap):
            place = [slice(at, at + side) for at, side in zip(starts, tile, strict=False)]
            made = function(samples[(slice(number, number + 1), slice(None), *place)]).to(output_device)
            share = _feathered(made, round(overlap * factor))
            target = [
                slice(round(at * factor), round(at * factor) + size)
                for at, size in zip(starts, made.shape[2:], strict=False)
            ]
            total[(slice(None), slice(None), *target)] += made * share
            weights[(slice(None), slice(None), *target)] += share
            if pbar is not None:
                pbar.update(1)
        result[number : number + 1] = total / weights
    return result


def _tiles(sizes: Sequence[int], tile: Sequence[int], overlap: int) -> list[tuple[int, ...]]:
    axes = [
        [0] if size <= side else [min(at, size - side) for at in range(0, size - overlap, side - overlap)]
        for size, side in zip(sizes, tile, strict=False)
    ]
    found: list[tuple[int, ...]] = [()]
    for axis in axes:
        found = [(*before, at) for before in found for at in axis]
    return found


def _feathered(made: Tensor, fade: int) -> Tensor:
    share = torch.ones_like(made)
    for axis in range(2, made.ndim):
        for step in range(min(fade, made.shape[axis])):
            part = (step + 1) / fade
            share.narrow(axis, step, 1).mul_(part)
            share.narrow(axis, made.shape[axis] - 1 - step, 1).mul_(part)
    return share


def repeat_to_batch_size(tensor: Tensor, batch_size: int, dim: int = 0) -> Tensor:
    """A batch of this size: cut, or repeated from its beginning."""
    have = tensor.shape[dim]
    if have >= batch_size:
        return tensor.narrow(dim, 0, batch_size)
    times = [1] * tensor.ndim
    times[dim] = math.ceil(batch_size / have)
    return tensor.repeat(times).narrow(dim, 0, batch_size)


def resize_to_batch_size(tensor: Tensor, batch_size: int) -> Tensor:
    """A batch of this size: items chosen evenly over the whole of it."""
    have = tensor.shape[0]
    if have == batch_size:
        return tensor
    if batch_size <= 1:
        return tensor[:batch_size]
    if batch_size < have:
        step = (have - 1) / (batch_size - 1)
        places = [min(round(number * step), have - 1) for number in range(batch_size)]
    else:
        step = have / batch_size
        places = [min(math.floor((number + 0.5) * step), have - 1) for number in range(batch_size)]
    return torch.stack([tensor[place] for place in places])


def state_dict_prefix_replace(
    state_dict: dict[str, Any], replace_prefix: Mapping[str, str], filter_keys: bool = False
) -> dict[str, Any]:
    """Weights with prefixes of their names replaced, in place; filter_keys: a new dict of those alone."""
    target = dict[str, Any]() if filter_keys else state_dict
    for old, new in replace_prefix.items():
        for key in [name for name in state_dict if name.startswith(old)]:
            target[new + key[len(old) :]] = state_dict.pop(key)
    return target


def state_dict_key_replace(state_dict: dict[str, Any], keys_to_replace: Mapping[str, str]) -> dict[str, Any]:
    """Weights with whole names replaced, in place."""
    for old, new in keys_to_replace.items():
        if old in state_dict:
            state_dict[new] = state_dict.pop(old)
    return state_dict


def calculate_parameters(sd: Mapping[str, Tensor], prefix: str = "") -> int:
    """How many numbers the weights below a prefix hold."""
    return sum(tensor.nelement() for name, tensor in sd.items() if name.startswith(prefix))


def weight_dtype(sd: Mapping[str, Tensor], prefix: str = "") -> torch.dtype | None:
    """The dtype that most of the weights' numbers are in."""
    counts = dict[torch.dtype, int]()
    for name, tensor in sd.items():
        if name.startswith(prefix):
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.numel()
    return max(counts, key=lambda dtype: counts[dtype]) if counts else None


def get_attr(obj: Any, attr: str) -> Any:
    """An attribute by dotted name."""
    for part in attr.split("."):
        obj = getattr(obj, part)
    return obj


def set_attr(obj: Any, attr: str, value: Any) -> Any:
    """Assign an attribute by dotted name; gives what was there."""
    *path, last = attr.split(".")
    holder = get_attr(obj, ".".join(path)) if path else obj
    before = getattr(holder, last)
    setattr(holder, last, value)
    return before


def set_attr_param(obj: Any, attr: str, value: Tensor) -> Any:
    """Assign a parameter by dotted name."""
    return set_attr(obj, attr, torch.nn.Parameter(value, requires_grad=False))


def copy_to_param(obj: Any, attr: str, value: Tensor) -> None:
    """Copy numbers into a parameter by dotted name."""
    get_attr(obj, attr).data.copy_(value)


def string_to_seed(data: bytes | str) -> int:
    """A number of 32 bits that follows from a text (CRC-32 of its bytes)."""
    import zlib

    return zlib.crc32(data.encode() if isinstance(data, str) else data)


def reshape_mask(input_mask: Tensor, output_shape: Sequence[int]) -> Tensor:
    """A mask scaled to the last axes of a shape and repeated over its batch and channels."""
    size = (output_shape[-2], output_shape[-1])
    mask = input_mask.reshape(-1, 1, input_mask.shape[-2], input_mask.shape[-1])
    mask = torch.nn.functional.interpolate(mask, size=size, mode="bilinear")
    if mask.shape[1] < output_shape[1]:
        mask = mask.repeat(1, output_shape[1], 1, 1)[:, : output_shape[1]]
    return repeat_to_batch_size(mask, output_shape[0])
