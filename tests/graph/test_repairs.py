"""Fixes that a program can make."""

from dataclasses import replace
from typing import Any

import pytest

from graph.document import Link, Node, Workflow
from graph.problems import Problem, Repair
from graph.validation import validate
from tests.graph.toys import TOYS, changed, picture_nodes


def repaired(workflow: Workflow, problem: Problem) -> Workflow:
    """The workflow after the repair of a problem, as the editor makes it."""
    assert problem.repair and problem.node
    key, input, value = problem.node, problem.input or "", problem.repair.value
    nodes, inputs = dict(workflow.nodes), dict(workflow.nodes[key].inputs)
    match problem.repair.action:
        case "set":
            inputs[input] = value
        case "link":
            inputs[input] = Link(*value)
        case "remove":
            del inputs[input]
        case "rename":
            inputs[value] = inputs.pop(input)
        case "retype":
            nodes[key] = replace(nodes[key], type=value)
        case "unmute":
            nodes[value] = replace(nodes[value], mode="run")
    nodes[key] = replace(nodes[key], inputs=inputs)
    return replace(workflow, nodes=nodes)


def picture(**inputs: Any) -> Workflow:
    nodes = picture_nodes()
    return Workflow(nodes | {"sample": changed(nodes["sample"], **inputs)})


def with_node(key: str, node: Node) -> Workflow:
    return Workflow(picture_nodes() | {key: node})


WRONG = [
    (picture(steps=0), Repair("set", 1, safe=True)),
    (picture(steps="7"), Repair("set", 7, safe=True)),
    (picture(sampler="eular"), Repair("set", "euler")),
    (picture(stepz=3), Repair("remove")),
    (picture(latent=Link("empty", "LATTENT")), Repair("link", ["empty", "LATENT"])),
    (picture(latent=Link("gone", "LATENT")), Repair("link", ["empty", "LATENT"])),
    (with_node("save", Node("Save", {"imagez": Link("decode", "IMAGE")})), Repair("rename", "images")),
    (with_node("save", Node("Savee", {"images": Link("decode", "IMAGE")})), Repair("retype", "Save")),
    (with_node("save", Node("Save")), Repair("link", ["decode", "IMAGE"])),
]


@pytest.mark.parametrize(("workflow", "repair"), WRONG)
def test_what_a_program_can_fix_is_right_after_its_repair(workflow: Workflow, repair: Repair) -> None:
    found = validate(workflow, TOYS)
    (problem,) = [item for item in found if item.repair == repair]
    assert len(validate(repaired(workflow, problem), TOYS)) < len(found)


def test_a_muted_source_is_repaired_by_letting_it_run() -> None:
    nodes = picture_nodes()
    nodes["empty"] = replace(nodes["empty"], mode="mute")
    nodes["save"] = replace(nodes["save"], inputs={"images": Link("decode", "IMAGE")})
    problem = next(item for item in validate(Workflow(nodes), TOYS) if item.code == "muted_source")
    assert problem.repair == Repair("unmute", "empty")
    assert validate(repaired(Workflow(nodes), problem), TOYS) == []


def test_a_fault_of_one_item_of_a_list_offers_no_value_for_the_whole_list() -> None:
    from graph.literals import read_literal
    from graph.sockets import as_list, socket_type
    from graph.spec import Input, Number

    many = Input("x", as_list(socket_type("INT")), widget=Number(0, 100))
    (fault,) = read_literal(many, [5, 101]).faults
    assert fault.repair is None
    (alone,) = read_literal(replace(many, type=socket_type("INT")), 101).faults
    assert alone.repair == Repair("set", 100, safe=True)
