"""A name that several packs gave to node types means in a foreign workflow the one that its inputs fit."""

from compat.clashes import OURS_ALONE, last_of, with_full_types
from compat.object_info import object_infos
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Input, NodeSpec
from tests.compat.plugins.packs import BUILT_IN


def blur(pack: str, *names: str) -> NodeSpec:
    inputs = tuple(Input(name, socket_type("INT")) for name in names)
    return NodeSpec("Blur", lambda **inputs: None, inputs, source=pack)


TYPES = Registry((blur("first", "radius", "sigma"), blur("second", "size")))


def entry(**inputs: int) -> dict[str, object]:
    return {"1": {"class_type": "Blur", "inputs": inputs}}


def test_the_type_is_chosen_whose_inputs_the_node_has() -> None:
    assert with_full_types(entry(radius=1, sigma=2), TYPES)["1"]["class_type"] == "first/Blur"
    assert with_full_types(entry(size=1), TYPES)["1"]["class_type"] == "second/Blur"


def test_where_both_fit_the_last_one_counts() -> None:
    types = Registry((blur("first", "size"), blur("second", "size")))
    assert with_full_types(entry(size=1), types)["1"]["class_type"] == "second/Blur"


def test_a_built_in_type_counts_unless_a_packs_fits_better() -> None:
    own = NodeSpec("Blur", lambda **inputs: None, (Input("sigma", socket_type("INT")),))
    types = Registry((own, blur("pack", "radius")))
    assert with_full_types(entry(sigma=1), types)["1"]["class_type"] == "Blur"
    assert with_full_types(entry(), types)["1"]["class_type"] == "Blur"
    assert with_full_types(entry(radius=1), types)["1"]["class_type"] == "pack/Blur"


def test_prompts_without_such_names_stay_as_they_are() -> None:
    prompt = {"1": {"class_type": "first/Blur", "inputs": {}}, "2": "broken"}
    assert with_full_types(prompt, TYPES) is prompt


def test_names_that_are_ours_alone_are_names_of_built_in_nodes() -> None:
    assert {spec.id for spec in BUILT_IN} >= OURS_ALONE


def test_clients_are_told_the_last_one_by_the_bare_name() -> None:
    infos = object_infos(TYPES, lambda kind: ())
    assert last_of("Blur", TYPES) == "second/Blur"
    assert list(infos["Blur"]["input"]["required"]) == ["size"]
    assert list(infos["first/Blur"]["input"]["required"]) == ["radius", "sigma"]
