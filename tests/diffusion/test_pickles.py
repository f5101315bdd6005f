"""Pickled weights: read whole where they are weights, refused with the reason where they are more."""

import collections
import os
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.headers import read_header
from diffusion.loading import load_checkpoint
from diffusion.probe import probe
from diffusion.tensors import open_tensors
from tests.diffusion.published import SD1, checkpoint_shapes, filled

FORMATS = {"archive": {}, "legacy": {"_use_new_zipfile_serialization": False}}


def weights() -> dict[str, Tensor]:
    """Tensors of several dtypes, one transposed, one a view of another, one a parameter."""
    a = torch.arange(12.0).reshape(3, 4)
    return collections.OrderedDict(
        a=a.half(),
        b=a.t(),
        c=a[1:],
        d=torch.nn.Parameter(a.bfloat16()),
        e=torch.tensor(7),
        f=a.double()[:, 1],
    )


def save(path: Path, value: Any, format: str = "archive") -> Path:
    torch.save(value, path, **FORMATS[format])
    return path


class Hostile:
    """Unpickled, it would make a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "wrap", [lambda t: t, lambda t: {"state_dict": t, "epoch": 3}, lambda t: {"params": t}]
)
def test_a_pickle_of_weights_is_read_as_torch_reads_it(tmp_path: Path, format: str, wrap: Any) -> None:
    path = save(tmp_path / "a.ckpt", wrap(weights()), format)
    header, tensors = read_header(path), open_tensors(path)
    assert header.shapes == {name: tuple(t.shape) for name, t in weights().items()}
    for name, wanted in weights().items():
        assert tensors[name].dtype == wanted.dtype
        assert torch.equal(tensors[name], wanted)
    assert header.read("c") == weights()["c"].numpy().tobytes()
    assert header.tensors["d"].dtype == "BF16"


@pytest.mark.parametrize("format", FORMATS)
def test_a_whole_checkpoint_may_be_a_pickle(tmp_path: Path, format: str) -> None:
    tensors = filled(checkpoint_shapes(SD1), dtype=torch.float16)
    path = save(tmp_path / "a.ckpt", {"state_dict": tensors, "global_step": 5}, format)
    facts = probe(path)
    assert (facts.kind, facts.family, facts.precision) == ("checkpoint", "sd1", "fp16")
    model, clip, vae = load_checkpoint(path)
    assert model.family.name == "sd1" and clip and vae
    name = "out.2.weight"
    loaded = model.model.diffusion_model.get_parameter(model.model.names[name])
    assert torch.equal(loaded, tensors[f"model.diffusion_model.{name}"])


@pytest.mark.parametrize("format", FORMATS)
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, format: str) -> None:
    mark = tmp_path / "ran"
    path = save(tmp_path / "a.ckpt", {"state_dict": weights(), "x": Hostile(mark)}, format)
    for read in (read_header, probe, load_checkpoint, open_tensors):
        with pytest.raises(
            DiffusionError, match=r"a\.ckpt.*asks for \w+\.system.*convert it to \.safetensors"
        ):
            read(path)
    assert not mark.exists()


def test_a_plain_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Hostile(mark)))
    with pytest.raises(DiffusionError, match=r"asks for \w+\.system"):
        read_header(tmp_path / "a.pt")
    assert not mark.exists()


def test_what_training_programs_leave_beside_the_weights_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pytorch_lightning.callbacks.model_checkpoint"
    module = types.ModuleType(name)
    kind = type("ModelCheckpoint", (), {"__module__": name})
    vars(module)["ModelCheckpoint"] = kind
    found = kind()
    vars(found)["best"] = 3
    for part in ("pytorch_lightning", "pytorch_lightning.callbacks", name):
        monkeypatch.setitem(sys.modules, part, module)
    path = save(tmp_path / "a.ckpt", {"state_dict": weights(), "callbacks": {kind: {"x": found}, "y": found}})
    for part in ("pytorch_lightning", "pytorch_lightning.callbacks", name):
        monkeypatch.delitem(sys.modules, part)
    assert set(open_tensors(path)) == set(read_header(path).tensors) == set(weights())


def test_an_embedding_in_automatic_s_format_tells_its_width(tmp_path: Path) -> None:
    value = {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.zeros(3, 768)}, "name": "cat"}
    facts = probe(save(tmp_path / "cat.pt", value))
    assert (facts.kind, facts.family, facts.dimensions) == ("embedding", "sd1", {"width": 768})
    own = probe(save(tmp_path / "cat.bin", {"<cat>": torch.zeros(1024)}))
    assert (own.kind, own.family) == ("embedding", "sd2")


def repacked(path: Path, method: int, extra: dict[str, bytes] | None = None) -> Path:
    """An archive with the same records, written in another way."""
    other = path.with_suffix(".packed")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, content in (extra or {}).items():
            new.writestr(name, content)
    return other


def test_a_zip_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ckpt", {"a": torch.zeros(50_000_000, dtype=torch.uint8)})
    bomb = repacked(path, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    for read in (read_header, open_tensors):
        with pytest.raises(DiffusionError, match=r"unpacked it would take 5\d{7} bytes and it has \d{5}"):
            read(bomb)


def test_a_tensor_spread_from_one_value_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ckpt", {"a": torch.zeros(1).expand(10**12)})
    with pytest.raises(DiffusionError, match=r"a\.ckpt is damaged"):
        read_header(path)


def test_a_program_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = repacked(save(tmp_path / "a.ckpt", weights()), zipfile.ZIP_STORED, {"a/code/__torch__.py": b""})
    with pytest.raises(DiffusionError, match="TorchScript program"):
        read_header(path)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_pickle_that_is_cut_off_is_a_sentence(tmp_path: Path, format: str, share: float) -> None:
    path = save(tmp_path / "a.ckpt", weights() | {"big": torch.zeros(9999)}, format)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DiffusionError, match=r"a\.ckpt.*Download it again"):
        read_header(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02r\xff\xff\xff\x7f.",
        b"\x80\x02]q\x00(h\x00h\x00e.",
        b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x02ccollections\nOrderedDict\n}b.",
    ],
)
def test_a_pickle_made_to_take_all_memory_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(DiffusionError, match=r"a\.ckpt"):
        read_header(tmp_path / "a.ckpt")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(FORMATS)),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
)
def test_no_damage_escapes_as_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, format: str, damage: list[tuple[float, bytes]]
) -> None:
    path = save(tmp_path_factory.getbasetemp() / "damaged.ckpt", {"state_dict": weights()}, format)
    content = bytearray(path.read_bytes())
    for place, bytes_ in damage:
        at = int(place * len(content))
        content[at : at + len(bytes_)] = bytes_
    path.write_bytes(content)
    for read in (read_header, open_tensors):
        try:
            read(path)
        except DiffusionError as refusal:
            assert "damaged.ckpt" in str(refusal)
