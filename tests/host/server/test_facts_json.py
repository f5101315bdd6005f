"""Facts as the API tells them."""

from host.server.facts_json import FactsShape, facts_json


def test_facts_stand_by_node_and_output() -> None:
    size = {"width": 512, "height": 768, "batch": 2}
    found = facts_json({("a", "LATENT"): size, ("a", "MODEL"): {"family": "sd1"}, ("b", "CLIP"): {}})
    assert found == {"a": {"LATENT": size, "MODEL": {"family": "sd1"}}}


def test_what_has_no_known_name_or_another_type_is_left_out() -> None:
    odd = {"width": "wide", "height": True, "batch": 1.5, "family": object(), "secret": 4, "latents": "sd"}
    assert facts_json({("a", "X"): odd}) == {"a": {"X": {"latents": "sd"}}}


def test_every_fact_that_is_told_stands_in_the_shape() -> None:
    all_of_them = {"width": 1, "height": 2, "batch": 3, "family": "sdxl", "latents": "sdxl"}
    assert (
        FactsShape.model_validate(facts_json({("a", "X"): all_of_them})["a"]["X"]).model_dump() == all_of_them
    )
    assert set(FactsShape.model_fields) == set(all_of_them)
