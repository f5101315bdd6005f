"""The trainer of LoRA, ControlNet, embedding and upscaler: what they learn from, and the exported files."""

from pathlib import Path
from random import Random

import numpy as np
import torch
from safetensors.torch import load_file

from diffusion.controlnet_files import load_controlnet
from diffusion.lora import load_lora
from diffusion.lora_formats import delta_of
from diffusion.upscalers import load_upscaler
from tools.scenes import PICTURE, draw_scene, plain_caption, render
from tools.tiny.control import build_control, edges, export_control, free_scene, hints_of, placeless_caption
from tools.tiny.lessons import noised, spread_steps
from tools.tiny.run import Run, learn
from tools.tiny.shipped import copy_shared
from tools.tiny.style import LowRank, add_changes, export_style, night
from tools.tiny.text import rows_of, used_tokens
from tools.tiny.unet import build_unet
from tools.tiny.upscaler import Upscaler, export_upscaler, pair
from tools.tiny.word import VECTORS, WithWord, export_word, rows_with_word, tree


def test_free_scenes_stand_apart_and_inside_and_their_captions_say_no_place() -> None:
    random = Random(0)
    for _ in range(50):
        scene = free_scene(random)
        assert all(
            at - item.radius > 0 and at + item.radius < PICTURE for item in scene.items for at in (item.x,)
        )
        said = placeless_caption(scene, random)
        assert not {"left", "right", "above", "below", "top", "bottom", "center"} & set(said.split())
        assert all(item.colour in said and item.shape in said for item in scene.items)


def test_hints_are_white_lines_where_the_shapes_end() -> None:
    random = Random(1)
    scene = next(s for s in iter(lambda: draw_scene(random), None) if s.background == "dark")
    lines = edges(scene, random)
    hints = hints_of([lines, lines], random)
    assert hints.shape == (2, 3, PICTURE, PICTURE) and set(hints.unique().tolist()) == {0.0, 1.0}
    assert 0.002 < float(lines.mean()) < 0.06


def test_an_exported_controlnet_is_loaded_whole_and_starts_with_the_networks_way_down(tmp_path: Path) -> None:
    unet, control = build_unet(), build_control()
    assert all(name.startswith("controlnet_") for name in copy_shared(control, unet.state_dict()))
    export_control(tmp_path / "edges.safetensors", control)
    kept = load_controlnet(tmp_path / "edges.safetensors").control_model
    assert kept is not None
    assert kept.state_dict().keys() == control.state_dict().keys()
    assert torch.allclose(
        kept.state_dict()["conv_in.weight"].float(), unet.state_dict()["conv_in.weight"], atol=1e-3
    )


def test_changes_start_as_nothing_and_are_exported_as_what_they_add(tmp_path: Path) -> None:
    unet = build_unet()
    before = unet.state_dict()["mid_block.resnets.0.conv1.weight"].clone()
    changes = add_changes(unet)
    assert torch.equal(unet.mid_block.resnets[0].conv1.weight, before)
    change = changes["lora_unet_mid_block_resnets_0_conv1"]
    assert isinstance(change, LowRank)
    torch.nn.init.normal_(change.up)
    export_style(tmp_path / "style.safetensors", changes)
    delta = delta_of(load_lora(tmp_path / "style.safetensors").groups["lora_unet_mid_block_resnets_0_conv1"])
    assert delta is not None
    added = unet.mid_block.resnets[0].conv1.weight - before
    assert torch.allclose(delta(before), added, atol=0.01 * float(added.detach().abs().max()))


def test_night_is_dark_with_white_rims() -> None:
    scene = draw_scene(Random(3))
    picture = night(scene)
    assert np.median(picture) < 40 and (picture.min(2) > 240).mean() > 0.01


def test_a_prompt_with_the_word_has_its_rows_in_place_of_letters() -> None:
    random = Random(0)
    rows = rows_with_word(tree(random), random)
    new = [row for row in rows if row > len(used_tokens())]
    assert len(rows) == 77 and len(new) == VECTORS and rows[0] == rows_of("")[0]


def test_a_table_with_a_word_learns_nothing_but_the_word(tmp_path: Path) -> None:
    word = WithWord(torch.ones(3, 4), torch.zeros(2, 4))
    assert torch.equal(word(torch.tensor([0, 3])), torch.tensor([[1.0] * 4, [0.0] * 4]))
    assert [name for name, _ in word.named_parameters()] == ["vectors"]
    export_word(tmp_path / "word.safetensors", word.vectors)
    assert load_file(tmp_path / "word.safetensors")["emb_params"].shape == (2, 4)


def test_an_exported_upscaler_draws_as_it_was_trained(tmp_path: Path) -> None:
    network = Upscaler()
    export_upscaler(tmp_path / "2x.safetensors", network)
    found = load_upscaler(tmp_path / "2x.safetensors")
    x = torch.rand(1, 3, 16, 12)
    with torch.no_grad():
        assert found.scale == 2 and torch.allclose(found.model(x), network(x), atol=5e-3)


def test_pairs_for_the_upscaler_differ_in_size_by_two() -> None:
    large, small = pair(Random(0))
    assert large.shape == (64, 64, 3) and small.shape == (32, 32, 3)
    assert abs(large.astype(float).mean() - small.astype(float).mean()) < 1


def test_steps_are_spread_evenly_below_the_highest() -> None:
    steps = spread_steps(8, 400)
    assert sorted((steps // 50).tolist()) == list(range(8))


def test_noised_latents_keep_their_variance() -> None:
    noisy, noise = noised(torch.randn(64, 4, 16, 16), torch.full((64,), 500))
    assert abs(float(noisy.std()) - 1) < 0.05 and noise.shape == noisy.shape


def test_learning_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def learned(minutes: float) -> torch.nn.Linear:
        torch.manual_seed(0)
        layer = torch.nn.Linear(2, 1)
        learn(
            Run(tmp_path, {"line": minutes}),
            "line",
            layer,
            lambda _: layer(torch.ones(2)).square().sum(),
            1e-2,
        )
        return layer

    first = learned(0.005)
    again = learned(0.005)
    assert torch.equal(first.weight, again.weight)
    torch.manual_seed(0)
    assert not torch.equal(first.weight, torch.nn.Linear(2, 1).weight)


def test_a_caption_of_a_scene_is_one_that_the_model_knows() -> None:
    random = Random(7)
    scene = free_scene(random)
    assert 0 not in rows_of(placeless_caption(scene, random)) + rows_of(plain_caption(scene))
    assert render(scene).shape == (PICTURE, PICTURE, 3)
