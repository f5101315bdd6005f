"""Text encoders, U-Nets and small autoencoders from files of their own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from safetensors.torch import save_file

from diffusion.components import encoder_name, load_clip, load_tiny_vae
from diffusion.errors import DiffusionError
from diffusion.loading import load_model
from diffusion.tensors import check_numbers, open_tensors
from diffusion.text import encode
from diffusion.values import Checkpoint, Clip
from tests.diffusion.published import SD1, filled, save_checkpoint, text_shapes, unet_shapes
from tests.diffusion.test_model_folders import text_weights, write


@pytest.fixture
def files(loaded: dict[str, Checkpoint], tmp_path: Path) -> dict[str, Path]:
    """The text encoders of the families as files of their own, named by tower."""
    clips = {name: clip for name in loaded if (clip := loaded[name].clip)}
    towers = {"l": clips["sdxl"].encoders[0], "g": clips["sdxl"].encoders[1]}
    found = {name: write(tmp_path / f"{name}.safetensors", text_weights(e)) for name, e in towers.items()}
    found["open_clip"] = tmp_path / "open_clip.safetensors"
    shapes = text_shapes("open_clip", 128)
    save_file({n: t.half() for n, t in filled(shapes).items()}, found["open_clip"])
    return found


def vectors(clip: Clip | None) -> torch.Tensor:
    assert clip is not None
    return encode(clip, "a (red:1.3) circle")[0][0]


@pytest.mark.parametrize("order", [("l", "g"), ("g", "l")])
def test_the_two_encoders_of_sdxl_come_in_any_order(
    files: dict[str, Path], loaded: dict[str, Checkpoint], order: tuple[str, str]
) -> None:
    clip = load_clip([files[name] for name in order], "sdxl", on_cpu=True)
    assert clip.family is not None and clip.family.name == "sdxl"
    torch.testing.assert_close(vectors(clip), vectors(loaded["sdxl"].clip))


def test_one_encoder_alone_is_of_the_family_that_uses_it(files: dict[str, Path]) -> None:
    names = {name: load_clip([path], "stable_diffusion").family for name, path in files.items()}
    found = {name: family.name for name, family in names.items() if family}
    assert found == {"l": "sd1", "g": "sdxl-refiner", "open_clip": "sdxl-refiner"}


@pytest.mark.parametrize(("width", "name"), [(768, "l"), (1024, "h"), (1280, "g")])
def test_a_published_encoder_is_told_by_its_width(width: int, name: str) -> None:
    assert encoder_name({"text_model.embeddings.token_embedding.weight": (49408, width)}) == name


def test_two_of_the_same_encoder_are_no_pair(files: dict[str, Path]) -> None:
    with pytest.raises(DiffusionError, match=r"no pair for SDXL.*Choose one file of each"):
        load_clip([files["g"], files["open_clip"]], "sdxl")


def test_a_file_without_text_encoder_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", {"x": torch.zeros(2)})
    with pytest.raises(DiffusionError, match=r"a\.safetensors holds no CLIP text encoder"):
        load_clip([path], "stable_diffusion")


def test_an_encoder_may_be_taken_from_a_checkpoint(tmp_path: Path, loaded: dict[str, Checkpoint]) -> None:
    path = loaded["sd1"].model.path
    assert path is not None
    clip = load_clip([path], "stable_diffusion", on_cpu=True)
    torch.testing.assert_close(vectors(clip), vectors(loaded["sd1"].clip))


def test_weights_may_be_kept_in_eight_bits(tmp_path: Path) -> None:
    path = tmp_path / "unet.safetensors"
    save_file({n: t.half() for n, t in filled(unet_shapes(SD1)).items()}, path)
    for name, dtype in (("fp8_e4m3fn", torch.float8_e4m3fn), ("fp8_e5m2", torch.float8_e5m2)):
        module = load_model(path, weight_dtype=name).model.diffusion_model
        assert {parameter.dtype for parameter in module.parameters()} == {dtype}


def tiny(folder: Path, ending: str) -> tuple[Any, Path, Path]:
    """diffusers' small autoencoder of random weights, and its published files."""
    torch.manual_seed(0)
    theirs = AutoencoderTiny().eval()
    files = []
    for half, first in (("encoder", 0), ("decoder", 1)):
        tensors = {}
        for name, tensor in getattr(theirs, half).state_dict().items():
            _, number, rest = name.split(".", 2)
            tensors[f"{int(number) + first}.{rest}"] = tensor
        files.append(write(folder / f"taesd_{half}{ending}", tensors))
    return theirs, files[0], files[1]


@pytest.mark.parametrize("ending", [".safetensors", ".bin"])
@torch.no_grad()
def test_a_small_autoencoder_does_what_diffusers_does(tmp_path: Path, ending: str) -> None:
    theirs, encoder, decoder = tiny(tmp_path, ending)
    vae = load_tiny_vae(encoder, decoder, "taesd")
    vae.compute = type(vae.compute)(torch.device("cpu"), torch.float32)
    latent = torch.randn(1, 4, 4, 6, generator=torch.Generator().manual_seed(1))
    wanted = theirs.decode(latent * 0.18215).sample.movedim(1, -1) / 2 + 0.5
    torch.testing.assert_close(vae.decode(latent), wanted.clamp(0, 1), atol=1e-5, rtol=1e-4)
    picture = torch.rand(1, 16, 24, 3, generator=torch.Generator().manual_seed(2))
    coded = theirs.encode(picture.movedim(-1, 1) * 2 - 1).latents / 0.18215
    torch.testing.assert_close(vae.encode(picture), coded, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.float8_e5m2]
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_value_that_is_no_number_is_found_and_infinity_is_not(dtype: torch.dtype, sign: float) -> None:
    fine = torch.linspace(-2, 2, 2_000_003).to(dtype)
    fine[5], fine[6] = float("inf"), float("-inf")
    check_numbers({"fine": fine}, "the file")
    broken = fine.clone()
    broken[1_500_000] = torch.tensor(float("nan")).copysign(torch.tensor(sign)).to(dtype)
    with pytest.raises(
        DiffusionError, match=r"the file: the weight 'layer\.weight' .*NaN.*download it again"
    ):
        check_numbers({"fine": fine, "layer.weight": broken}, "the file")


def test_a_checkpoint_of_broken_weights_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    from diffusion.loading import load_checkpoint

    path = save_checkpoint(tmp_path, SD1)
    tensors = open_tensors(path)
    name = "first_stage_model.decoder.conv_in.bias"
    broken = tensors[name].clone()
    broken[3] = float("nan")
    save_file({**{n: t.clone() for n, t in tensors.items()}, name: broken}, path)
    with pytest.raises(DiffusionError, match=r"small\.safetensors: the weight 'first_stage_model\.decoder"):
        load_checkpoint(path)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="tells what is mapped on Linux alone")
def test_weights_stay_mapped_from_the_file_in_its_dtype(loaded: dict[str, Checkpoint]) -> None:
    small = load_model(_given(loaded["sd1"].model.path)).model
    parameters = list(small.diffusion_model.parameters())
    assert {parameter.dtype for parameter in parameters} == {torch.float16}
    mapped = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith("sd1.safetensors")
    ]
    assert all(any(a <= p.data_ptr() < b for a, b in mapped) for p in parameters)


def _given(path: Path | None) -> Path:
    assert path is not None
    return path
