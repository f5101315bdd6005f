"""Other model files can stand in for those a workflow names."""

import pytest

from graph.document import Node, Workflow
from host.model_map import map_models
from nodes import registry

TYPES = registry()
FLOW = Workflow(
    {
        "model": Node("CheckpointLoaderSimple", {"ckpt_name": "deep/big.safetensors"}),
        "picture": Node("LoadImage", {"image": "big.png"}),
        "odd": Node("Unknown", {"ckpt_name": "big.safetensors"}),
    }
)


@pytest.mark.parametrize("name", ["deep/big.safetensors", "*", "deep/*", "*big*"])
def test_a_model_is_renamed_by_name_or_pattern(name: str) -> None:
    mapped = map_models(FLOW, TYPES, {name: "tiny.safetensors"})
    assert mapped.nodes["model"].inputs == {"ckpt_name": "tiny.safetensors"}
    assert mapped.nodes["picture"] == FLOW.nodes["picture"]
    assert mapped.nodes["odd"] == FLOW.nodes["odd"]


def test_a_name_that_does_not_match_is_kept() -> None:
    assert map_models(FLOW, TYPES, {"big.safetensors": "tiny.safetensors"}) == FLOW


def test_an_exact_name_comes_before_a_pattern() -> None:
    names = {"*": "any.safetensors", "deep/big.safetensors": "this.safetensors"}
    assert map_models(FLOW, TYPES, names).nodes["model"].inputs["ckpt_name"] == "this.safetensors"
