"""The only file that knows about devices, dtypes and free memory."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import psutil
import torch
import torch.nn.functional as F

from diffusion.errors import DiffusionError

Precision = Literal["auto", "fp32", "bf16", "fp16"]

_PROBE: Final = 512
"""Rows and columns of the matrices that this machine's speed is measured with."""
DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model computes: torch device and compute dtype."""

    device: torch.device
    dtype: torch.dtype

    @property
    def text_dtype(self) -> torch.dtype:
        """Text encoders are small: on a CPU they always compute in fp32."""
        return torch.float32 if self.device.type == "cpu" else self.dtype

    @property
    def vae_dtype(self) -> torch.dtype:
        """The published autoencoders overflow in fp16."""
        return torch.float32 if self.dtype == torch.float16 else self.dtype


def choose_device(precision: Precision | None = None) -> Device:
    """The best device here and the dtype that `precision` stands for on it (default: $DARKROOM_PRECISION,
    auto)."""
    wanted = precision or os.environ.get("DARKROOM_PRECISION", "auto")
    device = _best_device()
    if wanted == "auto":
        return Device(device, _fast_dtype(device))
    if wanted not in DTYPES:
        raise DiffusionError(f"precision '{wanted}' is unknown: use auto, fp32, bf16 or fp16.")
    return Device(device, DTYPES[wanted])


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _fast_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_is_faster_in_bf16() else torch.float32


@cache
def _cpu_is_faster_in_bf16() -> bool:
    """Whether this CPU gains by bf16: it has matrix units for it, or it can multiply it and was measured."""
    if not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return False
    return (
        torch.cpu._is_amx_tile_supported() or _gain(_product(torch.float32), _product(torch.bfloat16)) > 1.5
    )


@cache
def convolution_multiplies_faster() -> bool:
    """Whether a linear layer in fp32 is faster as a 1 × 1 convolution on this CPU.

    torch gives the one to MKL and the other to oneDNN; which of them knows a CPU better differs.
    """
    return torch.backends.mkldnn.is_available() and _gain(_product(torch.float32), _convolution()) > 1.25


def _product(dtype: torch.dtype) -> Callable[[], object]:
    x, weight = torch.ones(_PROBE, _PROBE, dtype=dtype), torch.ones(2 * _PROBE, _PROBE, dtype=dtype)
    return lambda: F.linear(x, weight)


def _convolution() -> Callable[[], object]:
    x, weight = torch.ones(1, _PROBE, 1, _PROBE).permute(0, 3, 1, 2), torch.ones(2 * _PROBE, _PROBE, 1, 1)
    return lambda: F.conv2d(x, weight)


def channels_last_pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether a network is faster in 16 bits with a pixel's channels side by side: on GPUs, and on CPUs with
    matrix units. On others single convolutions gain by it, but a whole network was measured to lose."""
    units = device.type == "cuda" or (device.type == "cpu" and torch.cpu._is_amx_tile_supported())
    return units and dtype != torch.float32


def _gain(slow: Callable[[], object], fast: Callable[[], object], times: int = 5) -> float:
    """How many times faster the second is: the best of each, taken in turns."""
    best = [float("inf"), float("inf")]
    for _ in range(times):
        for place, action in enumerate((slow, fast)):
            start = time.perf_counter()
            action()
            best[place] = min(best[place], time.perf_counter() - start)
    return best[0] / best[1]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: torch tells so in several ways."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken on a device without pushing other things out."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
