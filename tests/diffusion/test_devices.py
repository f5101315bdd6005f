"""Devices: precisions by name, what is measured of a CPU, and what says that memory ran out."""

import time

import pytest
import torch

from diffusion import devices
from diffusion.devices import choose_device, is_out_of_memory
from diffusion.errors import DiffusionError


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_a_precision_is_taken_by_its_name(
    name: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_PRECISION", name)
    assert choose_device().dtype == dtype
    assert choose_device().vae_dtype == (torch.float32 if name == "fp16" else dtype)


def test_an_unknown_precision_names_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PRECISION", "fp8")
    with pytest.raises(DiffusionError, match="use auto, fp32, bf16 or fp16"):
        choose_device()


@pytest.mark.parametrize(("fast", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bf16_only_on_a_cpu_that_gains_by_it(
    fast: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(devices, "_cpu_is_faster_in_bf16", lambda: fast)
    assert choose_device("auto").dtype == dtype


def test_a_gain_is_how_many_times_faster_the_second_is() -> None:
    gain = devices._gain(lambda: time.sleep(0.02), lambda: time.sleep(0.002))  # pyright: ignore[reportPrivateUsage]
    assert 3 < gain < 11


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_that_say_memory_ran_out_are_known(error: Exception, found: bool) -> None:
    assert is_out_of_memory(error) == found
