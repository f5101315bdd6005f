"""CLIP vision from both published layouts, against transformers' own forward; unCLIP's vector."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from diffusion import latents
from diffusion.clip_vision import ClipVisionOutput, load_clip_vision, seen
from diffusion.devices import choose_device
from diffusion.errors import DiffusionError
from diffusion.loading import load_checkpoint
from diffusion.modules import vision_classes
from diffusion.sampling import sample_latent
from diffusion.text import encode
from diffusion.unclip import Augmentor, pooled_of, unclip_vector, with_picture
from tests.diffusion.published import SD2, save_checkpoint

WIDTH, LAYERS, PROJECTED, SIZE = 64, 3, 32, 28
IMAGE = torch.rand(2, 40, 56, 3, generator=torch.Generator().manual_seed(0))


def transformers_model() -> Any:
    config, model = vision_classes()
    torch.manual_seed(0)
    sizes = {
        "hidden_size": WIDTH,
        "intermediate_size": 128,
        "num_hidden_layers": LAYERS,
        "hidden_act": "quick_gelu",
    }
    made = config(**sizes, num_attention_heads=1, image_size=SIZE, patch_size=14, projection_dim=PROJECTED)
    return model(made).eval()


def open_clip_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights in OpenCLIP's layout."""
    plain = {name.removeprefix("vision_model."): tensor for name, tensor in state.items()}
    made = {
        "class_embedding": plain["embeddings.class_embedding"],
        "positional_embedding": plain["embeddings.position_embedding.weight"],
        "conv1.weight": plain["embeddings.patch_embedding.weight"],
        "proj": plain["visual_projection.weight"].t(),
    }
    for leaf in ("weight", "bias"):
        made |= {
            f"ln_pre.{leaf}": plain[f"pre_layrnorm.{leaf}"],
            f"ln_post.{leaf}": plain[f"post_layernorm.{leaf}"],
        }
        for n in range(LAYERS):
            ours, theirs = f"encoder.layers.{n}.", f"transformer.resblocks.{n}."
            joined = [plain[f"{ours}self_attn.{x}_proj.{leaf}"] for x in "qkv"]
            made[f"{theirs}attn.in_proj_{leaf}"] = torch.cat(joined)
            for a, b in (
                ("self_attn.out_proj", "attn.out_proj"),
                ("mlp.fc1", "mlp.c_fc"),
                ("mlp.fc2", "mlp.c_proj"),
            ):
                made[f"{theirs}{b}.{leaf}"] = plain[f"{ours}{a}.{leaf}"]
            for number in (1, 2):
                made[f"{theirs}ln_{number}.{leaf}"] = plain[f"{ours}layer_norm{number}.{leaf}"]
    return made


@pytest.mark.parametrize("layout", ["transformers", "open_clip", "unclip"])
def test_a_picture_is_seen_as_transformers_own_model_sees_it(layout: str, tmp_path: Path) -> None:
    model = transformers_model()
    tensors = dict(model.state_dict())
    if layout != "transformers":
        start = "visual." if layout == "open_clip" else "embedder.model.visual."
        tensors = {f"{start}{name}": tensor for name, tensor in open_clip_names(tensors).items()}
    save_file({n: t.contiguous().clone() for n, t in tensors.items()}, tmp_path / "vision.safetensors")
    vision = load_clip_vision(tmp_path / "vision.safetensors")
    found = vision.encode_image(IMAGE)
    with torch.no_grad():
        theirs = model(seen(IMAGE, SIZE), output_hidden_states=True)
    torch.testing.assert_close(found.image_embeds, theirs.image_embeds)
    torch.testing.assert_close(found.last_hidden_state, theirs.last_hidden_state)
    torch.testing.assert_close(found["penultimate_hidden_states"], theirs.hidden_states[-2])


def test_the_middle_of_a_picture_is_seen_or_all_of_it_squeezed() -> None:
    wide = torch.zeros(1, 8, 24, 3)
    wide[:, :, 8:16] = 1.0
    middle, whole = seen(wide, 8), seen(wide, 8, crop=False)
    assert middle.shape == whole.shape == (1, 3, 8, 8)
    assert middle[0, 0].min() == middle[0, 0].max() > 0
    assert whole[0, 0].min() < 0 < whole[0, 0].max()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_file({"emb_params": torch.zeros(1, 768)}, tmp_path / "a.safetensors")
    with pytest.raises(DiffusionError, match=r"a\.safetensors holds no CLIP vision model"):
        load_clip_vision(tmp_path / "a.safetensors")


def shown(*values: float) -> ClipVisionOutput:
    rows = torch.tensor(values)[:, None].repeat(1, PROJECTED)
    return ClipVisionOutput(rows, rows, rows)


def test_no_noise_leaves_a_picture_nearly_as_it_is_and_all_noise_nothing_of_it() -> None:
    augmentor = Augmentor(torch.full((1, PROJECTED), 0.5), torch.full((1, PROJECTED), 2.0))
    [clean, noisy] = (
        unclip_vector(
            [{"clip_vision_output": shown(3.0), "strength": 2.0, "noise_augmentation": level}], augmentor, 1
        )
        for level in (0.0, 1.0)
    )
    assert clean.shape == (1, 2 * PROJECTED)
    assert float((clean[:, :PROJECTED] - 6.0).abs().max()) < 0.3
    assert float(noisy[:, :PROJECTED].std()) > 2
    # The waves of level 0 are ones, then zeros.
    assert clean[0, PROJECTED:].tolist() == [2.0] * (PROJECTED // 2) + [0.0] * (PROJECTED // 2)


def test_several_pictures_are_summed_by_strength() -> None:
    augmentor = Augmentor(torch.zeros(1, PROJECTED), torch.ones(1, PROJECTED))
    items = [
        {"clip_vision_output": shown(8.0), "strength": strength, "noise_augmentation": 0.0}
        for strength in (1.0, -0.5)
    ]
    found = unclip_vector(items, augmentor, 1)
    assert abs(float(found[:, :PROJECTED].mean()) - 4.0) < 0.3
    pooled = pooled_of({"unclip_conditioning": items}, 1, PROJECTED)
    assert pooled is not None and pooled.shape == (1, PROJECTED)


def test_an_unclip_checkpoint_is_steered_by_a_picture(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, replace(SD2, adm=2 * PROJECTED))
    names = open_clip_names(dict(transformers_model().state_dict()))
    extra = {f"embedder.model.visual.{n}": t.contiguous().clone() for n, t in names.items()}
    extra |= {
        "noise_augmentor.data_mean": torch.zeros(1, PROJECTED),
        "noise_augmentor.data_std": torch.ones(1, PROJECTED),
    }
    save_file(load_file(path) | extra, path)
    found = load_checkpoint(path, device=choose_device("fp32"))
    vision = load_clip_vision(path)
    assert found.clip is not None
    plain = encode(found.clip, "a cat")
    assert with_picture(plain, None, 0.0, 0.0) is plain
    first, second = (with_picture(plain, vision.encode_image(IMAGE[n : n + 1]), 1.0, 0.1) for n in (0, 1))
    results = [
        sample_latent(
            found.model,
            seed=3,
            steps=1,
            cfg=1.0,
            sampler_name="euler",
            scheduler="normal",
            positive=positive,
            negative=plain,
            latent=latents.empty(32, 32),
        )["samples"]
        for positive in (plain, first, second, first)
    ]
    assert all(not torch.allclose(results[0], other) for other in results[1:])
    assert not torch.allclose(results[1], results[2])
    assert torch.equal(results[1], results[3])
    with pytest.raises(DiffusionError, match="has 8 values, this unCLIP model takes 32"):
        unclip_vector(
            [
                {
                    "clip_vision_output": replace(shown(1.0), image_embeds=torch.zeros(1, 8)),
                    "strength": 1.0,
                    "noise_augmentation": 0.0,
                }
            ],
            Augmentor(torch.zeros(1, 32), torch.ones(1, 32)),
            0,
        )
