"""Files told from their headers, and refused in a sentence when they are no models."""

import json
import struct
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from diffusion.errors import DiffusionError
from diffusion.headers import read_header
from diffusion.loading import load_checkpoint
from diffusion.probe import probe
from tests.diffusion.conftest import FAMILIES
from tests.diffusion.published import (
    SD1,
    checkpoint_shapes,
    filled,
    text_shapes,
    unet_shapes,
    vae_shapes,
)


def saved(path: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    save_file({name: torch.zeros(shape, dtype=torch.float16) for name, shape in shapes.items()}, path)
    return path


@pytest.mark.parametrize("name", FAMILIES)
def test_a_checkpoint_tells_its_family_and_sizes(name: str, tmp_path: Path) -> None:
    facts = probe(saved(tmp_path / "a.safetensors", checkpoint_shapes(FAMILIES[name])))
    assert (facts.kind, facts.family, facts.precision) == ("checkpoint", name, "fp16")
    assert facts.dimensions["unet"]["channels"] == FAMILIES[name].channels
    assert facts.dimensions["unet"]["context"] == FAMILIES[name].context
    assert facts.dimensions["vae"]["latent_channels"] == 4
    assert facts.prediction == "eps"


def test_parts_are_told_from_each_other(tmp_path: Path) -> None:
    control = {f"control_model.{n}": s for n, s in unet_shapes(SD1, control=True).items()}
    lora = {
        "lora_unet_x_attn2_to_k.lora_down.weight": (4, 768),
        "lora_unet_x_attn2_to_k.lora_up.weight": (9, 4),
    }
    files = {
        "unet": unet_shapes(SD1),
        "vae": vae_shapes(SD1.vae),
        "clip": text_shapes("clip", 768),
        "controlnet": control,
        "lora": lora,
        "embedding": {"emb_params": (3, 768)},
        "upscaler": {"conv_first.weight": (64, 3, 3, 3)},
        "unknown": {"something": (2,)},
    }
    found = {kind: probe(saved(tmp_path / f"{kind}.safetensors", shapes)) for kind, shapes in files.items()}
    assert {kind: facts.kind for kind, facts in found.items()} == {kind: kind for kind in files}
    compact = saved(
        tmp_path / "x2.safetensors", {"body.0.weight": (8, 3), "body.0.bias": (8,), "body.1.weight": (8,)}
    )
    assert probe(compact).kind == "upscaler"
    assert found["lora"].family == found["embedding"].family == "sd1"


def test_v_prediction_is_told_from_the_spread_of_one_norm(tmp_path: Path) -> None:
    name = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
    tensors = filled(checkpoint_shapes(FAMILIES["sd2"]), dtype=torch.float16)
    for spread, prediction in ((0.02, "eps"), (0.2, "v_prediction")):
        tensors[name] = torch.linspace(-spread, spread, 64).half()
        save_file(tensors, tmp_path / "a.safetensors")
        assert probe(tmp_path / "a.safetensors").prediction == prediction


def test_input_channels_that_no_family_has_are_a_sentence(tmp_path: Path) -> None:
    shapes = checkpoint_shapes(SD1)
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = (32, 7, 3, 3)
    with pytest.raises(DiffusionError, match=r"7 input channels; sd1 models have 4, 8, 9"):
        probe(saved(tmp_path / "a.safetensors", shapes))


def header(entries: object) -> bytes:
    raw = json.dumps(entries).encode()
    return struct.pack("<Q", len(raw)) + raw


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"abc", "not a safetensors file"),
        (b"PK\x03\x04" + b"x" * 500, "is cut off or damaged: as a zip archive"),
        (b"\x80\x02}q\x00." + b"x" * 50, "a pickle that torch did not write"),
        (struct.pack("<Q", 5000) + b"{}", "is cut off"),
        (struct.pack("<Q", 10) + b"{not json}", "header is not JSON"),
        (struct.pack("<Q", 2) + b"[]", "not a JSON object"),
        (header({"a": 3}), "tensor 'a' has no dtype"),
        (header({"a": {**ONE, "dtype": "F99"}}), "tensor 'a' has no dtype"),
        (header({"a": {**ONE, "shape": [-2]}}), "does not fill its place"),
        (header({"a": {**ONE, "shape": [2.0]}}), "does not fill its place"),
        (header({"a": {**ONE, "shape": [3]}}) + b"x" * 8, "does not fill its place"),
        (header({"a": ONE}), "is cut off"),
        (header({"a": ONE}) + b"x" * 12, "belong to nothing"),
        (header({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}) + b"x" * 12, "overlaps"),
        (header({"a": {**ONE, "data_offsets": [4, 12]}}) + b"x" * 12, "leaves a gap"),
        (struct.pack("<Q", 200000) + b"[" * 200000, "header is not JSON"),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(DiffusionError, match=words) as refusal:
        probe(path)
    assert "bad.safetensors" in str(refusal.value)


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DiffusionError, match="does not exist"):
        probe(tmp_path / "nothing.safetensors")
    with pytest.raises(DiffusionError, match="is a folder"):
        probe(tmp_path)


@given(st.binary(max_size=200))
def test_no_bytes_escape_as_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    try:
        read_header(path)
    except DiffusionError as refusal:
        assert str(refusal)


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none(), st.text(max_size=3), st.just(0)
)
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "dtype": st.sampled_from(["F32", "F16", "BOOL", "F99", "", 3, None]),
            "shape": st.one_of(st.lists(NUMBERS, max_size=4), NUMBERS),
            "data_offsets": st.one_of(st.lists(NUMBERS, max_size=3), NUMBERS),
        },
    ),
    NUMBERS,
    st.lists(NUMBERS, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), ENTRIES, max_size=4), NUMBERS, st.integers(0, 64))
def test_no_lie_of_a_header_escapes_as_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, object], metadata: object, room: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "lying.safetensors"
    path.write_bytes(header({**entries, "__metadata__": metadata}) + b"\0" * room)
    try:
        found = read_header(path)
    except DiffusionError as refusal:
        assert "lying.safetensors" in str(refusal)
        return
    ends = sorted(info.end for info in found.tensors.values())
    assert (ends[-1] if ends else 0) == room
    assert all(info.begin >= 0 for info in found.tensors.values())


def test_a_name_that_stands_twice_is_damage(tmp_path: Path) -> None:
    one = json.dumps(ONE)
    raw = f'{{"a": {one}, "b": {one}, "a": {one}}}'.encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"x" * 8)
    with pytest.raises(DiffusionError, match=r"its header names 'a' twice"):
        read_header(path)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("lacking", ["out.2.weight", "input_blocks.0.0.weight"])
def test_a_checkpoint_that_lacks_a_part_is_not_taken_for_something_else(
    name: str, lacking: str, tmp_path: Path
) -> None:
    shapes = checkpoint_shapes(FAMILIES[name])
    del shapes[f"model.diffusion_model.{lacking}"]
    with pytest.raises(
        DiffusionError, match=rf"not complete: its U-Net lacks 'model\.diffusion_model\.{lacking}'"
    ):
        probe(saved(tmp_path / "a.safetensors", shapes))
    with pytest.raises(DiffusionError, match="not complete"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_a_probe_takes_milliseconds(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.safetensors", unet_shapes(SD1))
    probe(path)
    best = min(_seconds(path) for _ in range(5))
    assert best < 0.03


def _seconds(path: Path) -> float:
    begin = time.process_time()
    probe(path)
    return time.process_time() - begin
