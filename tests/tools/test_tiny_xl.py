"""The trainer of SDXL's kind: views, encoders, the start of the base, and the exported files."""

from pathlib import Path
from random import Random

import numpy as np
import torch

from diffusion.loading import load_checkpoint
from diffusion.text import encode, run_encoder, tokenize_weighted
from diffusion.unet_layout import unet_config
from tools.scenes import PICTURE, draw_scene, plain_caption, render
from tools.tiny.export_xl import export_base, export_refiner
from tools.tiny.refiner import HIGHEST, REFINER, rated_sizes, refining_weights
from tools.tiny.shipped import small_table, whole_table
from tools.tiny.text import build_text, rows_of
from tools.tiny.towers import CONTEXT, G_WIDTH, L_WIDTH, Pupils, Towers, zero_padded
from tools.tiny.unet import build_unet, signal_shares
from tools.tiny.vae import build_vae
from tools.tiny.views import View, draw_view, enlarged, render_view
from tools.tiny.xl import BASE, build_xl, start_base


def test_a_view_tells_the_crop_by_which_its_picture_is_moved() -> None:
    scene = draw_scene(Random(1))
    whole, cropped = render(scene), render_view(View(scene, PICTURE, top=8, left=4))
    assert np.array_equal(cropped[:-8, :-4], whole[8:, 4:])
    assert View(scene, 256, 8, 4).sizes() == (256, 256, 8, 4, PICTURE, PICTURE)


def test_a_picture_of_a_small_original_has_softer_edges() -> None:
    picture = render(draw_scene(Random(2))).astype(float)
    soft = enlarged(picture.astype(np.uint8), 32).astype(float)
    assert soft.shape == picture.shape
    assert np.abs(np.diff(soft, axis=1)).max() < 0.7 * np.abs(np.diff(picture, axis=1)).max()


def test_most_views_are_whole_and_sharp() -> None:
    random = Random(3)
    plain = sum(draw_view(random).plain for _ in range(300))
    assert 0.65 < plain / 300 < 0.85


def test_spoilt_pictures_never_have_a_good_score() -> None:
    random, scene = Random(4), draw_scene(Random(4))
    assert all(rated_sizes(View(scene, -PICTURE), random)[4] < 4.5 for _ in range(50))
    good = [rated_sizes(View(scene), random)[4] >= 4.5 for _ in range(200)]
    assert 0.7 < sum(good) / 200 < 0.95
    assert rated_sizes(View(scene, -PICTURE), random)[:2] == (PICTURE, PICTURE)


def test_the_refiners_weights_never_fall_with_the_noise() -> None:
    weights = refining_weights(signal_shares())[:HIGHEST]
    assert (weights.diff() >= 0).all() and weights[-1] > weights[0]


def test_a_small_table_and_the_whole_vocabulary_hold_the_same_rows() -> None:
    name = "embeddings.token_embedding.weight"
    small = build_text(L_WIDTH).state_dict()
    whole = {**small, name: whole_table(small[name])}
    assert whole[name].shape == (49408, L_WIDTH)
    assert torch.equal(small_table(whole)[name], small[name])


def test_the_g_is_padded_with_token_zero_after_its_first_end() -> None:
    rows = torch.tensor([rows_of("a red circle")])
    padded = zero_padded(rows)
    assert torch.equal(padded[0, :5], rows[0, :5]) and (padded[0, 5:] == 0).all()


def test_levels_that_the_published_head_width_does_not_divide_have_narrower_heads() -> None:
    assert unet_config(BASE, None, 64)["attention_head_dim"] == (1, 3, 3)
    assert unet_config(BASE, 8, 64)["attention_head_dim"] == (8, 8, 8)


def test_the_base_starts_with_every_weight_of_the_tiny_network() -> None:
    tiny, pupils = build_unet(), Pupils()
    unet = start_base(tiny, pupils).state_dict()
    name = "mid_block.attentions.0.transformer_blocks.0.attn2.to_v.weight"
    assert torch.equal(unet["conv_in.weight"], tiny.state_dict()["conv_in.weight"])
    assert torch.allclose(unet[name], tiny.state_dict()[name] @ pupils.map.weight, atol=1e-6)
    assert unet[name].shape[1] == CONTEXT


def test_an_exported_base_encodes_text_as_its_encoders_were_trained_to(tmp_path: Path) -> None:
    towers, prompt = Towers().eval(), plain_caption(draw_scene(Random(5)))
    export_base(tmp_path / "base.safetensors", build_vae(), towers, build_xl(BASE))
    found = load_checkpoint(tmp_path / "base.safetensors")
    assert found.clip is not None and found.vae is not None and found.model.family.name == "sdxl"
    text, keys = encode(found.clip, prompt)[0]
    with torch.no_grad():
        hidden, pooled = towers(torch.tensor([rows_of(prompt)]))
    assert torch.allclose(text, hidden, atol=0.02 * float(hidden.abs().max()))
    assert torch.allclose(keys["pooled_output"], pooled, atol=0.02 * float(pooled.abs().max()))


def test_an_exported_refiner_holds_the_same_g_as_the_base(tmp_path: Path) -> None:
    towers = Towers().eval()
    export_base(tmp_path / "base.safetensors", build_vae(), towers, build_xl(BASE))
    export_refiner(tmp_path / "refiner.safetensors", build_vae(), towers, build_xl(REFINER), REFINER)
    base, refiner = (load_checkpoint(tmp_path / f"{name}.safetensors") for name in ("base", "refiner"))
    assert base.clip is not None and refiner.clip is not None
    assert refiner.model.family.name == "sdxl-refiner" and refiner.model.model.layout == REFINER
    assert base.model.model.layout == BASE
    chunks = tokenize_weighted(refiner.clip, "a red circle")["g"]
    (ours, _), (theirs, _) = (run_encoder(clip.encoders[-1], chunks) for clip in (base.clip, refiner.clip))
    assert ours.shape[-1] == G_WIDTH and torch.equal(ours, theirs)
