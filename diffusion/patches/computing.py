"""Patches of how a network computes, not what."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.devices import DTYPES
from diffusion.unet import run_unet
from diffusion.values import Model
from diffusion.wrappers import Executor

COMPILER: Final = "torch.compile"


def compute_in(model: Model, dtype: str) -> Model:
    """Compute in "fp32", "fp16" or "bf16"; "default" is what the device was given."""
    patched = model.clone()
    patched.set_model_compute_dtype(DTYPES.get(dtype))
    return patched


def compiled(model: Model, backend: str, compiler: Callable[..., Any] = torch.compile) -> Model:
    """The network run through torch's compiler, which the first step waits for."""
    faster = compiler(run_unet, backend=backend)

    def instead(call: Executor, *args: Any) -> Tensor:
        return replace(call, original=partial(faster, call.class_obj))(*args)

    patched = model.clone()
    options = patched.model_options["transformer_options"]
    options["wrappers"] = {kind: dict(keys) for kind, keys in options.get("wrappers", {}).items()}
    options["wrappers"].get("diffusion_model", {}).pop(COMPILER, None)
    patched.add_wrapper_with_key("diffusion_model", COMPILER, instead)
    return patched
