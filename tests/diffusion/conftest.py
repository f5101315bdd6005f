"""Small random checkpoints, written once for all tests of this folder."""

import pytest

from diffusion.loading import load_checkpoint
from diffusion.values import Checkpoint
from tests.diffusion.published import REFINER, SD1, SD2, SDXL, Sizes, save_checkpoint

FAMILIES: dict[str, Sizes] = {"sd1": SD1, "sd2": SD2, "sdxl": SDXL, "sdxl-refiner": REFINER}


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """A loaded checkpoint of each family."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        name: load_checkpoint(save_checkpoint(folder, sizes, f"{name}.safetensors"))
        for name, sizes in FAMILIES.items()
    }


@pytest.fixture(scope="session")
def small(loaded: dict[str, Checkpoint]) -> Checkpoint:
    """The loaded checkpoint of the SD1 family."""
    return loaded["sd1"]
