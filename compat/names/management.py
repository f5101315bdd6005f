# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The module `comfy.model_management`: devices, dtypes and memory, as this host has them."""

import enum
import gc
from typing import Any

import torch

from compat.names.session import Session
from compat.plugins.values import InterruptProcessing
from diffusion.devices import choose_device, free_memory

Names = dict[str, Any]


class VRAMState(enum.Enum):
    """How much of a graphics card's memory models may take."""

    DISABLED = 0
    NO_VRAM = 1
    LOW_VRAM = 2
    NORMAL_VRAM = 3
    HIGH_VRAM = 4
    SHARED = 5


class CPUState(enum.Enum):
    """What kind of device computes."""

    GPU = 0
    CPU = 1
    MPS = 2


def model_management(session: Session) -> Names:
    """The names of `comfy.model_management`."""
    chosen = choose_device()
    device, cpu = chosen.device, torch.device("cpu")
    on_gpu = device.type == "cuda"

    def interrupt_current_processing(value: bool = True) -> None:
        token: Any = session.context().cancel
        if value and hasattr(token, "set"):
            token.set()

    def fixed(value: Any) -> Any:
        return lambda *ignored, **named: value

    names: Names = {
        "VRAMState": VRAMState,
        "CPUState": CPUState,
        "vram_state": VRAMState.NORMAL_VRAM if on_gpu else VRAMState.DISABLED,
        "set_vram_to": VRAMState.NORMAL_VRAM,
        "cpu_state": CPUState.GPU if on_gpu else CPUState.MPS if device.type == "mps" else CPUState.CPU,
        "InterruptProcessingException": InterruptProcessing,
        "OOM_EXCEPTION": torch.cuda.OutOfMemoryError,
        "XFORMERS_IS_AVAILABLE": False,
        "XFORMERS_VERSION": "",
        "FORCE_FP32": False,
        "FORCE_FP16": False,
        "DISABLE_SMART_MEMORY": False,
        "current_loaded_models": [],
        "total_vram": _total(device) / 2**20,
        "total_ram": _total(cpu) / 2**20,
        "interrupt_processing": False,
        "interrupt_processing_mutex": None,
        "throw_exception_if_processing_interrupted": session.check_interrupted,
        "processing_interrupted": lambda: session.context().cancel.is_set(),
        "interrupt_current_processing": interrupt_current_processing,
        "get_torch_device": lambda: device,
        "get_torch_device_name": lambda device: str(device),
        "get_autocast_device": lambda dev=device: torch.device(dev).type,
        "soft_empty_cache": soft_empty_cache,
        "load_models_gpu": fixed(None),
        "load_model_gpu": fixed(None),
        "free_memory": fixed([]),
        "unload_all_models": lambda: soft_empty_cache(),
        "loaded_models": fixed([]),
        "cleanup_models": fixed(None),
        "cleanup_models_gc": lambda: gc.collect(),
        "get_free_memory": _free(device),
        "get_total_memory": lambda dev=device, torch_total_too=False: _pair(_total(dev), torch_total_too),
        "module_size": module_size,
        "dtype_size": lambda dtype: torch.empty((), dtype=dtype).element_size(),
        "cast_to_device": cast_to_device,
        "cast_to": lambda weight, dtype=None, device=None, **rest: cast_to_device(
            weight, device or weight.device, dtype or weight.dtype
        ),
        "is_nvidia": lambda: on_gpu and torch.version.cuda is not None,
        "is_amd": lambda: on_gpu and torch.version.hip is not None,
        "is_device_cpu": lambda dev: torch.device(dev).type == "cpu",
        "is_device_mps": lambda dev: torch.device(dev).type == "mps",
        "is_device_cuda": lambda dev: torch.device(dev).type == "cuda",
        "should_use_fp16": lambda device=None, **rest: chosen.dtype == torch.float16,
        "should_use_bf16": lambda device=None, **rest: chosen.dtype == torch.bfloat16,
        "unet_dtype": lambda **rest: chosen.dtype,
        "unet_manual_cast": fixed(None),
        "unet_inital_load_device": lambda *rest: device,
        "vae_dtype": lambda *rest: chosen.vae_dtype,
        "text_encoder_dtype": lambda *rest: chosen.text_dtype,
        "pick_weight_dtype": lambda dtype, fallback, device=None: dtype or fallback,
        "minimum_inference_memory": fixed(2**30),
        "maximum_vram_for_weights": lambda device=None: free_memory(torch.device(device or chosen.device)),
        "resolve_lowvram_weight": lambda weight, model, key: weight,
        "supports_dtype": fixed(True),
        "synchronize": lambda: torch.cuda.synchronize() if on_gpu else None,
        "unload_model_clones": fixed(None),
        "intermediate_dtype": fixed(torch.float32),
        "is_oom": is_out_of_memory,
        "raise_non_oom": raise_other,
        "cpu_mode": lambda: device.type == "cpu",
        "mps_mode": lambda: device.type == "mps",
    }
    here = ("vae_device", "text_encoder_device", "text_encoder_initial_device")
    away = (
        "unet_offload_device", "vae_offload_device", "text_encoder_offload_device", "intermediate_device",
    )  # fmt: skip
    never = (
        "xformers_enabled",
        "xformers_enabled_vae",
        "is_intel_xpu",
        "is_ascend_npu",
        "is_mlu",
        "is_directml_enabled",
        "supports_fp8_compute",
        "force_channels_last",
        "sage_attention_enabled",
        "flash_attention_enabled",
        "device_supports_non_blocking",
        "force_upcast_attention_dtype",
        "is_device_xpu",
        "is_ixuca",
    )
    names |= {name: (lambda *rest: device) for name in here} | {name: (lambda *rest: cpu) for name in away}
    names |= {name: fixed(False) for name in never}
    names |= {
        name: fixed(True) for name in ("pytorch_attention_enabled", "pytorch_attention_flash_attention")
    }
    return names


def soft_empty_cache(force: bool = False) -> None:
    """Give memory of the graphics card back that nothing uses."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError)


def raise_other(error: BaseException) -> None:
    """Raise an error on, unless it says that memory is full: packs then try again with less."""
    if not is_out_of_memory(error):
        raise error


def _total(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    import psutil

    return psutil.virtual_memory().total


def _free(default: torch.device) -> Any:
    def get_free_memory(dev: Any = None, torch_free_too: bool = False) -> Any:
        return _pair(free_memory(torch.device(dev or default)), torch_free_too)

    return get_free_memory


def _pair(value: int, twice: bool) -> Any:
    return (value, value) if twice else value


def module_size(module: torch.nn.Module) -> int:
    """The bytes of a network's weights."""
    return sum(tensor.nelement() * tensor.element_size() for tensor in module.state_dict().values())


def cast_to_device(tensor: torch.Tensor, device: Any, dtype: Any, copy: bool = False) -> torch.Tensor:
    """A tensor on a device and in a dtype; the same one where it is there already, unless a copy is asked."""
    return tensor.to(device=device, dtype=dtype, copy=copy)
