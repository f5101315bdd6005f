"""What is known of values before anything runs."""

from dataclasses import replace
from typing import Annotated, Any

from graph.document import Link, Node, Workflow
from graph.facts import Inferred, Known, carry, infer_facts
from graph.node import node
from graph.sockets import Socket
from graph.validation import check, validate
from tests.graph.toys import TOYS, Model, Thing, empty, encode, load, sample, spec

XL = Annotated[Thing, Socket("MODEL", (("family", "sdxl"),))]


def known(values: dict[str, Any] | None = None, **facts: dict[str, Any]) -> Known:
    return Known(values or {}, facts)


def test_infer_tells_the_facts_of_outputs() -> None:
    found = infer_facts(spec(load), known({"name": "sdxl/base.safetensors"}))
    assert found.outputs == {"MODEL": {"family": "sdxl"}, "CLIP": {"family": "sdxl"}}


def test_carry_gives_an_output_the_facts_of_an_input() -> None:
    assert infer_facts(spec(encode), known(clip={"family": "sd1"})).outputs == {
        "CONDITIONING": {"family": "sd1"}
    }
    assert carry("a", "width", to=("b",))(known(a={"width": 8, "height": 9})) == {"b": {"width": 8}}


def test_facts_that_must_agree_flow_to_outputs_of_the_same_type() -> None:
    found = infer_facts(spec(sample), known(latent={"family": "sd1", "width": 64}, model={"family": "sd1"}))
    assert found.outputs == {"LATENT": {"family": "sd1"}}


def test_a_node_that_tells_nothing_has_no_facts() -> None:
    assert infer_facts(spec(empty), known()) == Inferred()


def test_an_infer_that_fails_or_tells_nonsense_is_ignored() -> None:
    for answer in (
        lambda _: 1 / 0,
        lambda _: 3,
        lambda _: {"MODEL": 3},
        lambda _: {"MODEL": {"family": None}},
    ):
        assert infer_facts(replace(spec(load), infer=answer), known()) == Inferred()


def test_an_input_may_want_a_fact() -> None:
    @node("Refine", output=True)
    def refine(model: XL) -> None:
        """Take an SDXL model."""

    registry = TOYS.with_specs([spec(refine)])
    nodes = {"l": Node("Load", {"name": "sd1/a"}), "r": Node("Refine", {"model": Link("l", "MODEL")})}
    (problem,) = validate(Workflow(nodes), registry)
    assert problem.code == "family_mismatch"
    assert (
        problem.message == "Node r 'Refine', input model: takes the family sdxl, but node l 'Load' gives sd1."
    )
    assert not validate(Workflow(nodes | {"l": Node("Load", {"name": "sdxl/a"})}), registry)


def test_an_output_may_state_a_fact() -> None:
    @node("Fixed")
    def fixed() -> XL:
        """Give an SDXL model."""
        return Thing()

    nodes = {
        "f": Node("Fixed"),
        "l": Node("Load", {"name": "sd1/a"}),
        "t": Node("Encode", {"clip": Link("l", "CLIP"), "text": ""}),
        "e": Node("Empty"),
        "s": Node(
            "Sample",
            {
                "model": Link("f", "MODEL"),
                "positive": Link("t", "CONDITIONING"),
                "latent": Link("e", "LATENT"),
            },
        ),
    }
    problems = validate(Workflow(nodes), TOYS.with_specs([spec(fixed)]), targets=["s"])
    assert [problem.code for problem in problems] == ["family_mismatch"]


def test_a_chosen_file_takes_part_in_the_agreement() -> None:
    def of_file(known: Known) -> Inferred:
        return Inferred(inputs={"name": {"family": str(known.values["name"])}})

    @node("Adapt", output=True, agree="family", infer=of_file)
    def adapt(model: Model, name: str) -> Model:
        """Adapt a model by a file."""
        return model

    registry = TOYS.with_specs([spec(adapt)])
    nodes = {
        "l": Node("Load", {"name": "sd1/a"}),
        "a": Node("Adapt", {"model": Link("l", "MODEL"), "name": "sdxl"}),
    }
    (problem,) = validate(Workflow(nodes), registry)
    assert "model is sd1 (from node l 'Load'), name is sdxl (from the chosen file)" in problem.message
    assert not validate(Workflow({**nodes, "l": Node("Load", {"name": "sdxl/a"})}), registry)


def test_facts_pass_through_bypassed_nodes() -> None:
    nodes = {
        "l": Node("Load", {"name": "sd1/a"}),
        "x": Node("Load", {"name": "sdxl/a"}),
        "t": Node("Encode", {"clip": Link("x", "CLIP"), "text": ""}),
        "e": Node("Empty"),
        "p": Node("Patch", {"model": Link("l", "MODEL")}, mode="bypass"),
        "s": Node(
            "Sample",
            {
                "model": Link("p", "MODEL"),
                "positive": Link("t", "CONDITIONING"),
                "latent": Link("e", "LATENT"),
            },
        ),
    }

    @node("Patch")
    def patch(model: Model) -> Model:
        """Give the model."""
        return model

    problems = validate(Workflow(nodes), TOYS.with_specs([spec(patch)]), targets=["s"])
    assert [problem.code for problem in problems] == ["family_mismatch"]


def test_a_check_tells_the_facts_of_every_output_also_of_a_wrong_workflow() -> None:
    nodes = {
        "l": Node("Load", {"name": "sdxl/base"}),
        "e": Node("Encode", {"clip": Link("l", "CLIP"), "text": "x"}),
        "lost": Node("Encode", {"text": "x"}),
    }
    found = check(Workflow(nodes), TOYS)
    assert found.problems == validate(Workflow(nodes), TOYS) != []
    sdxl = {"family": "sdxl"}
    assert found.facts == {("l", "MODEL"): sdxl, ("l", "CLIP"): sdxl, ("e", "CONDITIONING"): sdxl}
