"""Small random checkpoints, written once for all tests of this folder."""

import pytest
import torch

from diffusion.devices import Device
from diffusion.loading import load_checkpoint
from diffusion.values import Checkpoint
from tests.diffusion.published import REFINER, SD1, SD2, SDXL, Sizes, save_checkpoint

FAMILIES: dict[str, Sizes] = {"sd1": SD1, "sd2": SD2, "sdxl": SDXL, "sdxl-refiner": REFINER}


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """A loaded checkpoint of each family, computing in fp32 on every machine."""
    device = Device(torch.device("cpu"), torch.float32)
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        name: load_checkpoint(save_checkpoint(folder, sizes, f"{name}.safetensors"), device=device)
        for name, sizes in FAMILIES.items()
    }


@pytest.fixture(scope="session")
def small(loaded: dict[str, Checkpoint]) -> Checkpoint:
    """The loaded checkpoint of the SD1 family."""
    return loaded["sd1"]
