"""The only file that knows about devices, dtypes and free memory."""

import os
from dataclasses import dataclass
from typing import Final, Literal

import psutil
import torch

from diffusion.errors import DiffusionError

Precision = Literal["auto", "fp32", "bf16", "fp16"]

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
    return torch.bfloat16 if _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware; emulated bf16 is slower than fp32."""
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


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
