"""What the codecs write comes back the same; what they cannot write they say so of."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from nodes.codecs import TensorCodec, measure

CODEC = TensorCodec()


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and first.dtype == second.dtype and bool(first.equal(second))
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


VALUES = {
    "picture": torch.rand(2, 3, 4, 3),
    "a picture on no memory of its own": torch.rand(3).expand(1, 4, 4, 3),
    "half precision": torch.rand(3).half(),
    "bfloat16": torch.rand(3).bfloat16(),
    "no values": torch.zeros(0, 4),
    "one number": torch.tensor(3.0),
    "truth values": torch.tensor([True, False]),
    "latent": {"samples": torch.rand(1, 4, 2, 2), "noise_mask": torch.rand(1, 1, 16, 16), "batch_index": [0]},
    "conditioning": [[torch.rand(1, 77, 8), {"pooled_output": torch.rand(1, 8), "area": (1, 2, 3, 4)}]],
    "odd keys": {"a/b": torch.rand(1), "0": torch.rand(1), "": [None, 1.5, "text", b"\0", float("inf")]},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_stored_value_comes_back_the_same(name: str) -> None:
    value = VALUES[name]
    assert CODEC.can_store(value)
    assert same(CODEC.load(CODEC.dump(value)), value)


def test_the_same_tensor_in_two_places_comes_back_in_both() -> None:
    tensor = torch.rand(4)
    assert same(CODEC.load(CODEC.dump([tensor, tensor[1:]])), [tensor, tensor[1:]])


def test_a_loaded_tensor_may_be_written_to() -> None:
    loaded = CODEC.load(CODEC.dump(torch.zeros(2)))
    loaded += 1
    assert loaded.tolist() == [1, 1]


class Subclass(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "value",
    [
        "no tensor at all",
        [1, 2],
        [torch.rand(1), object()],
        torch.rand(1).as_subclass(Subclass),
        torch.rand(2, requires_grad=True),
        torch.eye(2).to_sparse(),
        {1: torch.rand(1)},
        [torch.rand(1), threading.Lock()],
    ],
)
def test_what_would_not_come_back_the_same_is_not_stored(value: Any) -> None:
    assert not CODEC.can_store(value)


def test_a_value_that_holds_itself_is_not_stored() -> None:
    ring: list[Any] = [torch.rand(1)]
    ring.append(ring)
    assert not CODEC.can_store(ring)


@dataclass
class Handle:
    module: torch.nn.Module
    name: str = ""


def test_the_weights_of_a_model_are_counted_once() -> None:
    layer = torch.nn.Linear(100, 100)
    alone = measure(Handle(layer))
    assert 40_400 <= alone < 41_000
    assert measure([Handle(layer), Handle(layer)]) < alone + 1000


def test_the_bytes_of_tensors_are_counted() -> None:
    assert 4000 <= measure({"samples": torch.zeros(1000)}) < 4200
