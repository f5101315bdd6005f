"""What packs draw, and what they put in the place of the network's own run, gives ComfyUI's latents."""

import importlib
from typing import Any

import torch

from tests.compat.plugins.packs import Shelf
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import sampled


def module(name: str) -> Any:
    return importlib.import_module(name)


def test_noise_without_a_seed_goes_on_where_the_noise_of_the_run_ended(named: Shelf) -> None:
    latent = torch.zeros(1, 4, 8, 8)
    generator = torch.Generator().manual_seed(7)
    first, second, third = (torch.randn(latent.shape, generator=generator) for _ in range(3))
    assert torch.equal(module("comfy.sample").prepare_noise(latent, 7), first)
    draw = module("comfy.k_diffusion.sampling").default_noise_sampler(latent)
    assert torch.equal(draw(torch.tensor(2.0), torch.tensor(1.0)), second)
    assert torch.equal(torch.randn_like(latent), third)


def test_noise_with_a_seed_is_the_seeds_own(named: Shelf) -> None:
    latent = torch.zeros(1, 4, 8, 8)
    draw = module("comfy.k_diffusion.sampling").default_noise_sampler(latent, seed=3)
    drawn = torch.randn(latent.shape, generator=torch.Generator().manual_seed(3))
    assert torch.equal(draw(torch.tensor(2.0), torch.tensor(1.0)), drawn)


def test_a_function_in_the_place_of_the_networks_forward_acts(named: Shelf, loaded: Any) -> None:
    unets = module("comfy.ldm.modules.diffusionmodules.openaimodel").UNetModel
    plain, own, sides = sampled(loaded, loaded.model), unets.forward, list[int]()

    def forward(
        self: Any, x: Any, timesteps: Any = None, transformer_options: Any = None, **named: Any
    ) -> Any:
        sides.extend(transformer_options["cond_or_uncond"])
        return own(self, x, timesteps=timesteps, transformer_options=transformer_options, **named) * 1.1

    unets.forward = forward
    try:
        changed = sampled(loaded, loaded.model)
    finally:
        unets.forward = own
    assert set(sides) == {0, 1}
    assert differ(changed, plain) > 1e-3
    assert differ(sampled(loaded, loaded.model), plain) == 0
