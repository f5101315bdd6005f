"""Upscaling models are read from every published layout and run in tiles without seams."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion import upscalers
from diffusion.errors import DiffusionError
from diffusion.upscalers import Compact, Esrgan, Upscaler, build, load_upscaler, starts, tiled, upscale

CPU = torch.device("cpu")


def esrgan(doublings: int = 2, shrink: int = 1) -> Esrgan:
    torch.manual_seed(1)
    return Esrgan(3 * shrink * shrink, 3, 8, 4, 2, doublings, shrink).eval()


def old_names(weights: dict[str, Tensor], doublings: int) -> dict[str, Tensor]:
    """The weights under the names of the first ESRGAN files."""
    tail = [3 * (number + 1) for number in range(doublings)]
    names = {"conv_first": "model.0", "conv_body": "model.1.sub.2"}
    names |= {f"conv_up{number + 1}": f"model.{place}" for number, place in enumerate(tail)}
    names |= {"conv_hr": f"model.{tail[-1] + 2}", "conv_last": f"model.{tail[-1] + 4}"}
    found = dict[str, Tensor]()
    for key, value in weights.items():
        stem, _, kind = key.rpartition(".")
        if stem in names:
            found[f"{names[stem]}.{kind}"] = value
        else:
            _, block, dense, layer = stem.split(".")
            found[f"model.1.sub.{block}.{dense.upper()}.{layer}.0.{kind}"] = value
    return found


def trunk_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names of BSRGAN's and the second ESRGAN's files."""
    pairs = (("body.", "RRDB_trunk."), ("conv_body", "trunk_conv"), ("rdb", "RDB"), ("conv_up", "upconv"),
             ("conv_hr", "HRconv"))  # fmt: skip
    found = dict[str, Tensor]()
    for key, value in weights.items():
        for new, old in pairs:
            key = key.replace(new, old)
        found[key] = value
    return found


PIXELS = torch.rand(1, 3, 10, 12, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("doublings", [1, 2, 3])
def test_esrgan_is_read_from_its_three_layouts(doublings: int) -> None:
    network = esrgan(doublings)
    weights = network.state_dict()
    expected = network(PIXELS)
    for layout in (weights, old_names(weights, doublings), trunk_names(weights)):
        found = build(layout, "a.pth")
        assert found is not None and found.scale == 2**doublings
        assert torch.equal(found.model(PIXELS), expected)


def test_a_larger_picture_stays_in_the_range_of_pictures() -> None:
    found = build(esrgan(1).state_dict(), "a.pth")
    assert found is not None
    far = dataclasses.replace(found, model=torch.nn.Upsample(scale_factor=2))
    assert far(PIXELS * 4 - 2).aminmax() == (0.0, 1.0)


@pytest.mark.parametrize(("doublings", "shrink", "scale"), [(2, 2, 2), (2, 4, 1)])
def test_a_network_that_folds_the_picture_first_is_known_by_its_channels(
    doublings: int, shrink: int, scale: int
) -> None:
    found = build(esrgan(doublings, shrink).state_dict(), "a.pth")
    assert found is not None and found.scale == scale
    assert found(PIXELS[..., :9, :11]).shape == (1, 3, 9 * scale, 11 * scale)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_compact_network_is_read_and_adds_to_the_picture(scale: int) -> None:
    network = Compact(3, 3, 8, 2, scale)
    last: Any = network.body[-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    found = build(network.state_dict(), "a.pth")
    assert found is not None and found.scale == scale
    assert torch.equal(found(PIXELS), PIXELS.repeat_interleave(scale, -1).repeat_interleave(scale, -2))


@pytest.mark.parametrize("wrap", ["params_ema", "params", "state_dict"])
def test_files_of_both_kinds_are_read(tmp_path: Path, wrap: str) -> None:
    weights = esrgan(1).state_dict()
    torch.save({wrap: {f"module.{key}": value for key, value in weights.items()}}, tmp_path / "a.pth")
    save_file(weights, tmp_path / "a.safetensors")
    both = [load_upscaler(tmp_path / name) for name in ("a.pth", "a.safetensors")]
    assert torch.equal(both[0](PIXELS), both[1](PIXELS))


class Trap:
    """Runs code when it is unpickled, in careless readers."""

    def __reduce__(self) -> Any:
        return (print, ("caught",))


def test_a_file_that_is_no_model_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"params": Trap()}, tmp_path / "evil.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 99)
    torch.save({"params": [1, 2]}, tmp_path / "list.pth")
    weights = esrgan(1).state_dict()
    torch.save({key: value for key, value in weights.items() if "rdb2" not in key}, tmp_path / "part.pth")
    for name in ("evil.pth", "bad.safetensors", "list.pth", "part.pth"):
        with pytest.raises(DiffusionError, match=f"^{name} .+[.]$"):
            load_upscaler(tmp_path / name)
    assert "caught" not in capsys.readouterr().out


def test_an_unknown_network_is_told_with_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"strange.weight": torch.zeros(1)}, tmp_path / "a.safetensors")
    monkeypatch.setattr(upscalers, "find_spec", lambda name: None)
    with pytest.raises(DiffusionError, match=r"not known here.+With the package spandrel installed"):
        load_upscaler(tmp_path / "a.safetensors")


@pytest.mark.parametrize(("length", "tile", "overlap"), [(5, 8, 2), (8, 8, 2), (9, 8, 2), (100, 32, 8)])
def test_tiles_cover_a_side(length: int, tile: int, overlap: int) -> None:
    seen = set[int]()
    for start in starts(length, tile, overlap):
        assert 0 <= start < length
        seen |= set(range(start, min(length, start + tile)))
    assert seen == set(range(length))


def doubled(pixels: Tensor) -> Tensor:
    return pixels.repeat_interleave(2, -1).repeat_interleave(2, -2)


@pytest.mark.parametrize(("height", "width"), [(7, 9), (40, 33), (1, 100)])
def test_tiles_leave_no_seams(height: int, width: int) -> None:
    pixels = torch.rand(2, 3, height, width)
    told = list[tuple[int, int]]()
    made = tiled(doubled, pixels, 2, CPU, lambda done, total: told.append((done, total)), 16, 4)
    assert torch.allclose(made, doubled(pixels), atol=1e-5)
    assert [done for done, _ in told] == list(range(1, len(told) + 1)) and told[-1][0] == told[-1][1]


class Hungry(nn.Module):
    """Runs out of memory for tiles that are too large."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > self.largest:
            raise torch.OutOfMemoryError
        return doubled(x)


def test_a_device_without_memory_gets_smaller_tiles() -> None:
    images = torch.rand(1, 20, 400, 4)
    made = upscale(Upscaler(Hungry(150), 2, "a.pth"), images, lambda done, total: None)
    assert torch.allclose(made, doubled(images[..., :3].movedim(-1, 1)).movedim(1, -1), atol=1e-5)
    with pytest.raises(DiffusionError, match=r"a\.pth does not fit .+ even in small tiles"):
        upscale(Upscaler(Hungry(100), 2, "a.pth"), images, lambda done, total: None)
