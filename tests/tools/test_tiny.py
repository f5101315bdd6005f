"""The trainer's own arithmetic: the scale of latents, the export and the captions' tokens."""

from pathlib import Path
from random import Random

import torch
from safetensors.torch import load_file

from diffusion.loading import load_checkpoint
from diffusion.tokenizer import END, START, tokenize
from tools.scenes import draw_scene
from tools.tiny.export import export
from tools.tiny.parts import PARTS, minutes_of
from tools.tiny.text import UNKNOWN, build_text, rows_of, training_rows, used_tokens
from tools.tiny.unet import build_unet
from tools.tiny.vae import SCALE, build_vae, fold_scale
from tools.train_tiny import NAMES


def test_folding_the_scale_centres_latents_and_decodes_as_before() -> None:
    vae, x = build_vae().eval(), torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = vae.encode(x).latent_dist.mean
        picture = vae.decode(before).sample
        fold_scale(vae, before.mean((0, 2, 3)), before.std((0, 2, 3)), SCALE)
        after = vae.encode(x).latent_dist.mean
        assert torch.allclose(after.std((0, 2, 3)) * SCALE, torch.ones(4), atol=1e-4)
        assert torch.allclose(vae.decode(after).sample, picture, atol=1e-4)


def test_an_exported_checkpoint_is_loaded_whole(tmp_path: Path) -> None:
    vae, text, unet = build_vae(), build_text(), build_unet()
    export(tmp_path / "tiny.safetensors", vae, text, unet)
    loaded = load_checkpoint(tmp_path / "tiny.safetensors")
    assert loaded.clip is not None and loaded.vae is not None
    kept = loaded.model.model.diffusion_model.state_dict()
    assert kept.keys() == unet.state_dict().keys()
    assert all(torch.allclose(kept[n].float(), v, atol=1e-2) for n, v in unet.state_dict().items())
    assert loaded.vae.first_stage_model.state_dict().keys() == vae.state_dict().keys()
    table = load_file(tmp_path / "tiny.safetensors")[
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    ]
    assert table.shape == (49408, 64) and torch.equal(table[0], table[1])


def test_captions_become_77_rows_with_start_and_end() -> None:
    table = (None, *used_tokens())
    rows = rows_of("a red circle, masterpiece")
    tokens = [table[row] for row in rows]
    assert len(rows) == 77 and tokens[0] == START and tokens[-1] == END
    assert rows.count(UNKNOWN) == len(tokenize("masterpiece"))
    random = Random(0)
    assert {len(training_rows(draw_scene(random), random)) for _ in range(300)} == {77}


def test_every_part_of_the_command_is_made_and_shipped() -> None:
    models = Path(__file__).parent.parent.parent / "models"
    assert tuple(PARTS) == NAMES
    assert all((models / part.file).is_file() for part in PARTS.values())
    assert len(list(models.rglob("darkroom-*.safetensors"))) == len(PARTS)


def test_the_minutes_of_a_part_are_shared_by_its_stages() -> None:
    assert sum(minutes_of("sd1", 100).values()) <= 100
    assert minutes_of("control", 14)["control"] == 14
    assert minutes_of("xl", 1)["towers"] == minutes_of("refiner", 9)["towers"]
