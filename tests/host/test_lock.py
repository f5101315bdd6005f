"""The lock says which model files and versions made a picture."""

import hashlib
import os
from pathlib import Path

from graph.document import Node, Workflow
from host.folders import folders_of
from host.lock import Hashes, lock_of
from nodes import registry

TYPES = registry()
FLOW = Workflow({"model": Node("CheckpointLoaderSimple", {"ckpt_name": "a.safetensors"})})


def put(home: Path, data: bytes) -> Path:
    path = home / "models" / "checkpoints" / "a.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_the_lock_holds_versions_and_the_hash_of_each_model(tmp_path: Path) -> None:
    put(tmp_path, b"weights")
    lock = lock_of(FLOW, TYPES, folders_of(tmp_path), Hashes(tmp_path / "hashes.json"), "fp32")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert lock["models"] == {"checkpoints/a.safetensors": f"sha256:{digest}"}
    assert lock["precision"] == "fp32"
    assert all(lock["versions"][name] for name in ("darkroom", "python", "torch", "diffusers"))


def test_a_missing_model_is_left_out_of_the_lock(tmp_path: Path) -> None:
    lock = lock_of(FLOW, TYPES, folders_of(tmp_path), Hashes(tmp_path / "hashes.json"), "fp32")
    assert lock["models"] == {}


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = put(tmp_path, b"one")
    hashes = Hashes(tmp_path / "cache" / "hashes.json")
    first, facts = hashes.of(path), path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert Hashes(hashes.remembered).of(path) == first
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert hashes.of(path) == f"sha256:{hashlib.sha256(b'two').hexdigest()}"


def test_a_damaged_memory_of_hashes_is_made_anew(tmp_path: Path) -> None:
    path = put(tmp_path, b"one")
    hashes = Hashes(tmp_path / "hashes.json")
    for text in ("", "[]", "{", '{"x": 1}'):
        hashes.remembered.write_text(text)
        assert hashes.of(path).startswith("sha256:")
