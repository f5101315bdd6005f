"""ControlNet files of every kind: diffusers' names, unions, differences, LoRAs, T2I-Adapters."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.adapter import T2IAdapter
from safetensors.torch import save_file
from torch import Tensor

from diffusion import latents
from diffusion.controlnet import ControlNet
from diffusion.controlnet_files import load_controlnet
from diffusion.controlnet_layout import rename_control
from diffusion.controlnet_union import kinds_of
from diffusion.devices import choose_device
from diffusion.errors import DiffusionError
from diffusion.probe import probe
from diffusion.sampling import sample_latent
from diffusion.text import encode
from diffusion.unet_layout import unet_layout
from diffusion.values import Checkpoint
from tests.diffusion.published import SD1, SDXL, Sizes, filled, unet_shapes

FP32 = choose_device("fp32")
HINT = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def single(sizes: Sizes, seed: int = 3) -> dict[str, Tensor]:
    """A plain ControlNet by its published names, without prefix."""
    return filled(unet_shapes(sizes, control=True), seed=seed, dtype=torch.float16)


def diffusers_named(sizes: Sizes) -> dict[str, Tensor]:
    tensors = single(sizes)
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    names = rename_control(shapes, unet_layout(shapes))
    return {names[name]: tensor for name, tensor in tensors.items()}


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)
    return path


def made(found: Checkpoint, control: ControlNet | None, **keys: Any) -> Tensor:
    assert found.clip is not None
    own = keys if control is None else {**keys, "control": control}
    positive = [[text, {**facts, **own}] for text, facts in encode(found.clip, "a red circle")]
    latent = sample_latent(
        found.model,
        seed=1,
        steps=2,
        cfg=1.0,
        sampler_name="euler",
        scheduler="normal",
        positive=positive,
        negative=positive,
        latent=latents.empty(64, 64),
    )
    return latent["samples"]


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_both_namings_are_the_same_network(
    family: str, loaded: dict[str, Checkpoint], tmp_path: Path
) -> None:
    sizes = {"sd1": SD1, "sdxl": SDXL}[family]
    paths = [
        saved(tmp_path / "single.safetensors", single(sizes)),
        saved(tmp_path / "diffusers.safetensors", diffusers_named(sizes)),
    ]
    one, two = (
        made(loaded[family], load_controlnet(path, device=FP32).set_cond_hint(HINT)) for path in paths
    )
    torch.testing.assert_close(one, two)
    assert not torch.allclose(one, made(loaded[family], None))


def test_a_shuffle_network_adds_one_value_a_channel(small: Checkpoint, tmp_path: Path) -> None:
    path = saved(tmp_path / "control_v11e_sd15_shuffle.safetensors", single(SD1))
    control = load_controlnet(path, device=FP32).set_cond_hint(HINT)
    control.pre_run(small.model.model, small.model.sampling.percent_to_sigma)
    found = control.get_control(
        torch.randn(1, 4, 8, 8), torch.tensor([2.0]), {"c_crossattn": torch.randn(1, 77, 64)}, 1, {}
    )
    assert found is not None
    assert all(part is not None and part.shape[2:] == (1, 1) for part in found["output"])


def union_parts(sizes: Sizes, kinds: int = 6) -> dict[str, Tensor]:
    width, embedded = sizes.channels[0], sizes.channels[0] * 4
    shapes = {
        "task_embedding": (kinds, width),
        "spatial_ch_projs.weight": (width, width),
        "spatial_ch_projs.bias": (width,),
        "control_add_embedding.linear_1.weight": (embedded, kinds * 256),
        "control_add_embedding.linear_1.bias": (embedded,),
        "control_add_embedding.linear_2.weight": (embedded, embedded),
        "control_add_embedding.linear_2.bias": (embedded,),
        "transformer_layes.0.attn.in_proj_weight": (3 * width, width),
        "transformer_layes.0.attn.in_proj_bias": (3 * width,),
        "transformer_layes.0.attn.out_proj.weight": (width, width),
        "transformer_layes.0.attn.out_proj.bias": (width,),
        "transformer_layes.0.mlp.c_fc.weight": (4 * width, width),
        "transformer_layes.0.mlp.c_fc.bias": (4 * width,),
        "transformer_layes.0.mlp.c_proj.weight": (width, 4 * width),
        "transformer_layes.0.mlp.c_proj.bias": (width,),
    }
    for norm in ("ln_1", "ln_2"):
        shapes |= {f"transformer_layes.0.{norm}.{leaf}": (width,) for leaf in ("weight", "bias")}
    return filled(shapes, seed=5, dtype=torch.float16)


def test_a_union_network_is_told_the_kind_of_its_hint(loaded: dict[str, Checkpoint], tmp_path: Path) -> None:
    path = saved(tmp_path / "union.safetensors", diffusers_named(SDXL) | union_parts(SDXL))
    union = load_controlnet(path, device=FP32)
    results = []
    for kind in ("auto", "depth", "segment", "tile"):
        told = union.copy().set_cond_hint(HINT)
        told.set_extra_arg("control_type", kinds_of(kind))
        results.append(made(loaded["sdxl"], told))
    auto, depth, segment, unknown = results
    assert not torch.allclose(auto, depth)
    assert not torch.allclose(depth, segment)
    # A network of six kinds knows no tiles, and so hears nothing.
    torch.testing.assert_close(unknown, auto)
    assert union.extra_args == {}


def test_a_union_network_computes_what_its_formula_says(tmp_path: Path) -> None:
    path = saved(tmp_path / "union.safetensors", diffusers_named(SDXL) | union_parts(SDXL))
    parts: Any = load_controlnet(path, device=FP32).network().float().union
    emb, shown = torch.randn(2, 256), torch.randn(2, 64, 4, 4)
    layer = parts.transformer_layes[0]
    with torch.no_grad():
        told, moved = parts(emb, shown, [1])
        x = (shown.mean((2, 3)) + parts.task_embedding[1])[:, None]
        normed = layer.ln_1(x)
        attention = torch.nn.MultiheadAttention(64, 8, batch_first=True)
        attention.load_state_dict(layer.attn.state_dict())
        x = x + attention(normed, normed, normed)[0]
        hidden = layer.mlp["c_fc"](layer.ln_2(x))
        x = x + layer.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))
        expected = shown + parts.spatial_ch_projs(x[:, 0])[:, :, None, None]
    torch.testing.assert_close(moved, expected)
    assert not torch.allclose(told, emb)


def test_a_file_of_differences_is_added_to_its_model(small: Checkpoint, tmp_path: Path) -> None:
    full = {name: tensor.float() for name, tensor in single(SD1).items()}
    names, unet = small.model.model.names, small.model.model.diffusion_model
    differences = {
        name: tensor - unet.get_parameter(names[name]).float() if name in names else tensor
        for name, tensor in full.items()
    }
    path = saved(tmp_path / "diff.safetensors", differences | {"difference": torch.zeros(1)})
    with pytest.raises(DiffusionError, match=r"holds only the difference.*DiffControlNetLoader"):
        load_controlnet(path)
    control = load_controlnet(path, small.model, device=FP32).set_cond_hint(HINT)
    plain = load_controlnet(saved(tmp_path / "full.safetensors", full), device=FP32).set_cond_hint(HINT)
    torch.testing.assert_close(made(small, control), made(small, plain), rtol=1e-3, atol=1e-3)


def test_a_control_lora_is_built_on_the_model_it_is_used_with(small: Checkpoint, tmp_path: Path) -> None:
    names, unet = small.model.model.names, small.model.model.diffusion_model
    own, changes, full = dict[str, Tensor](), dict[str, Tensor](), dict[str, Tensor]()
    for name, tensor in single(SD1).items():
        if name not in names:
            own[name] = full[name] = tensor.float()
            continue
        full[name] = unet.get_parameter(names[name]).float()
        if name.endswith("attn2.to_k.weight"):
            stem = name.removesuffix(".weight")
            up, down = torch.randn(tensor.shape[0], 2), torch.randn(2, tensor.shape[1])
            changes |= {f"{stem}.up": up, f"{stem}.down": down}
            full[name] = full[name] + up @ down
    marked = own | changes | {"lora_controlnet": torch.zeros(1)}
    control = load_controlnet(saved(tmp_path / "lora.safetensors", marked), device=FP32)
    # The file says by its widths what it is for; this small one is of no published width.
    control.family = small.model.family
    plain = load_controlnet(saved(tmp_path / "full.safetensors", full), device=FP32).set_cond_hint(HINT)
    torch.testing.assert_close(made(small, control.set_cond_hint(HINT)), made(small, plain))


ADAPTERS: dict[str, dict[str, Any]] = {
    "full": {"adapter_type": "full_adapter", "channels": [32, 64, 64], "downscale_factor": 8},
    "light": {"adapter_type": "light_adapter", "channels": [32, 64], "downscale_factor": 8},
}


def adapter_of(kind: str, in_channels: int = 3) -> Any:
    torch.manual_seed(0)
    return T2IAdapter(in_channels=in_channels, num_res_blocks=2, **ADAPTERS[kind]).eval()


def published(kind: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """diffusers' adapter by the names that its authors published it under."""
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        parts = name.removeprefix("adapter.").split(".")
        if parts[0] == "body" and kind == "light" and parts[2] == "resnets":
            parts[2] = "body"
        elif parts[0] == "body" and kind != "light":
            level, number = int(parts[1]), int(parts[3]) if parts[2] == "resnets" else 0
            parts = ["body", str(2 * level + number), *parts[4 if parts[2] == "resnets" else 2 :]]
        made[".".join(parts)] = tensor
    return made


@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize("named", ["published", "diffusers"])
def test_an_adapter_adds_diffusers_features_to_the_way_down(
    kind: str, named: str, small: Checkpoint, tmp_path: Path
) -> None:
    adapter = adapter_of(kind)
    state = adapter.state_dict()
    path = saved(tmp_path / "t2i.safetensors", published(kind, state) if named == "published" else state)
    assert (probe(path).kind, probe(path).family) == ("controlnet", "sd1")
    control = load_controlnet(path, device=FP32).set_cond_hint(HINT, 0.5)
    control.pre_run(small.model.model, small.model.sampling.percent_to_sigma)
    found = control.get_control(torch.zeros(2, 4, 8, 8), torch.tensor([1.0, 1.0]), {}, 1, {})
    assert found is not None
    with torch.no_grad():
        features = adapter(HINT)
    added = found["input"][::-1]
    assert [part is not None for part in added] == [False, False, True] * len(features)
    for ours, theirs in zip(added[2::3], features, strict=True):
        assert ours is not None
        torch.testing.assert_close(ours[:1], 0.5 * theirs)
        assert ours.shape[0] == 2
    assert not torch.allclose(made(small, control), made(small, None))


def test_an_sdxl_adapter_adds_to_the_middle_too(loaded: dict[str, Checkpoint], tmp_path: Path) -> None:
    torch.manual_seed(0)
    adapter = T2IAdapter(3, [64, 64, 128, 128], 2, 16, "full_adapter_xl").eval()
    path = saved(tmp_path / "xl.safetensors", dict(adapter.state_dict()))
    assert probe(path).family == "sdxl"
    control = load_controlnet(path, device=FP32).set_cond_hint(HINT)
    control.pre_run(loaded["sdxl"].model.model, loaded["sdxl"].model.sampling.percent_to_sigma)
    found = control.get_control(torch.zeros(1, 4, 8, 8), torch.tensor([1.0]), {}, 1, {})
    assert found is not None
    with torch.no_grad():
        features = adapter(HINT)
    places = {number: part for number, part in enumerate(found["input"][::-1]) if part is not None}
    assert list(places) == [3, 5, 8]
    for ours, theirs in zip((*places.values(), *found["middle"]), features, strict=True):
        assert ours is not None
        torch.testing.assert_close(ours, theirs)


def test_a_grey_adapter_reads_the_mean_of_the_colours(small: Checkpoint, tmp_path: Path) -> None:
    adapter = adapter_of("full", in_channels=1)
    control = load_controlnet(saved(tmp_path / "sketch.safetensors", dict(adapter.state_dict())), device=FP32)
    control.set_cond_hint(HINT).pre_run(small.model.model, small.model.sampling.percent_to_sigma)
    found = control.get_control(torch.zeros(1, 4, 8, 8), torch.tensor([1.0]), {}, 1, {})
    assert found is not None
    with torch.no_grad():
        features = adapter(HINT.mean(1, keepdim=True))
    last = found["input"][0]
    assert last is not None
    torch.testing.assert_close(last, features[-1])


def test_an_adapter_and_a_controlnet_work_together(small: Checkpoint, tmp_path: Path) -> None:
    adapter = load_controlnet(
        saved(tmp_path / "t2i.safetensors", dict(adapter_of("full").state_dict())), device=FP32
    )
    control = load_controlnet(saved(tmp_path / "control.safetensors", single(SD1)), device=FP32)
    both = control.copy().set_cond_hint(HINT, 0.5)
    both.set_previous_controlnet(adapter.copy().set_cond_hint(HINT, 0.5))
    turned = adapter.copy().set_cond_hint(HINT, 0.5)
    turned.set_previous_controlnet(control.copy().set_cond_hint(HINT, 0.5))
    torch.testing.assert_close(made(small, both), made(small, turned))
    assert not torch.allclose(made(small, both), made(small, control.copy().set_cond_hint(HINT, 0.5)))


def test_a_controlnet_may_read_a_prompt_of_its_own(small: Checkpoint, tmp_path: Path) -> None:
    assert small.clip is not None
    control = load_controlnet(saved(tmp_path / "control.safetensors", single(SD1)), device=FP32)
    control.set_cond_hint(HINT)
    same, other = (encode(small.clip, text)[0][0] for text in ("a red circle", "a dog"))
    plain = made(small, control)
    torch.testing.assert_close(made(small, control, cross_attn_controlnet=same), plain)
    assert not torch.allclose(made(small, control, cross_attn_controlnet=other), plain)


def test_an_adapter_for_another_base_names_both(loaded: dict[str, Checkpoint], tmp_path: Path) -> None:
    path = saved(tmp_path / "t2i.safetensors", dict(adapter_of("full").state_dict()))
    control = load_controlnet(path, device=FP32).set_cond_hint(HINT)
    with pytest.raises(DiffusionError, match=r"t2i\.safetensors is a ControlNet for .*1\.x, but .* XL"):
        made(loaded["sdxl"], control)


def test_a_controlnet_that_lacks_layers_is_refused(tmp_path: Path) -> None:
    tensors = {name: t for name, t in single(SD1).items() if "middle_block.0.in_layers" not in name}
    with pytest.raises(DiffusionError, match=r"a\.safetensors is not complete"):
        load_controlnet(saved(tmp_path / "a.safetensors", tensors))
    wide = replace(SD1, channels=(32, 64))
    assert load_controlnet(saved(tmp_path / "b.safetensors", single(wide))).layout is not None
