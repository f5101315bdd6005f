"""What validation must say; the M numbers are rows of the measured faults of the field."""

from dataclasses import replace
from typing import Annotated, Any

import pytest

from graph.document import Link, Node, Port, Workflow
from graph.node import node
from graph.problems import Problem
from graph.registry import Registry
from graph.sockets import Socket
from graph.spec import Choice
from graph.validation import validate
from tests.graph.toys import TOYS, Thing, add, changed, picture, picture_nodes, show, spec


def sentences(workflow: Workflow, registry: Registry = TOYS, **more: Any) -> list[str]:
    return [str(problem) for problem in validate(workflow, registry, **more)]


def only(workflow: Workflow, **more: Any) -> Problem:
    (problem,) = validate(workflow, TOYS, **more)
    return problem


def lenient(workflow: Workflow) -> Workflow:
    return replace(workflow, imported=True)


def test_a_right_workflow_has_no_problems() -> None:
    assert sentences(picture()) == []


def test_m2_depth_is_unbounded() -> None:
    chain = {str(n): Node("Add", {"a": Link(str(n - 1), "INT") if n else 1}) for n in range(5_000)}
    assert sentences(Workflow(chain | {"end": Node("Show", {"value": Link("4999", "INT")})})) == []


def test_m4_a_cycle_is_named_node_by_node() -> None:
    problem = only(
        Workflow(
            {
                "1": Node("Add", {"a": Link("3", "INT")}, title="First"),
                "2": Node("Add", {"a": Link("1", "INT")}),
                "3": Node("Add", {"a": Link("2", "INT")}),
                "4": Node("Show", {"value": Link("3", "INT")}),
            }
        )
    )
    assert problem.code == "cycle"
    assert "→ 2 'Add' → 3 'Add'" in problem.message or "3 'Add' → 1 'First' → 2 'Add'" in problem.message
    assert problem.message.count("→") == 3


def test_a_node_that_feeds_itself_is_told_so() -> None:
    loop = Node("Add", {"a": Link("1", "INT")})
    problem = only(Workflow({"1": loop, "2": Node("Show", {"value": Link("1", "INT")})}))
    assert problem.message == "A node feeds itself: 1 'Add' → 1 'Add'."


def test_a_very_long_cycle_is_shortened() -> None:
    ring = {str(n): Node("Add", {"a": Link(str((n - 1) % 5000), "INT")}) for n in range(5000)}
    problem = only(Workflow(ring | {"end": Node("Show", {"value": Link("7", "INT")})}))
    assert "more →" in problem.message and len(problem.message) < 500


def test_m5_a_link_to_a_missing_node_names_node_and_input() -> None:
    problem = only(Workflow({"1": Node("Save", {"images": Link("99", "IMAGE")}, title="Save")}))
    assert problem.message == "Node 1 'Save', input images: node 99 does not exist."
    assert (problem.code, problem.node, problem.input) == ("dangling_link", "1", "images")


def test_a_dangling_link_is_offered_an_output_that_fits() -> None:
    problem = only(picture(save={"images": Link("decod", "IMAGE")}), targets=["save", "decode"])
    assert problem.fix == "Link it to IMAGE of node decode 'Decode'."


@pytest.mark.parametrize("output", ["-1", "3", "image", ""])
def test_m5_m6_an_unknown_output_is_a_problem_that_lists_the_outputs(output: str) -> None:
    problem = only(picture(text={"clip": Link("load", output)}))
    assert problem.code == "unknown_output"
    assert problem.message == f"Node text 'Encode', input clip: node load 'Load' has no output \"{output}\"."
    assert problem.fix == "Its outputs are MODEL, CLIP."


def test_m6_a_misspelled_input_name_is_a_problem_with_the_nearest() -> None:
    problem = only(picture(sample={"stepz": 4}))
    assert (problem.code, problem.input) == ("unknown_input", "stepz")
    assert problem.fix == "Did you mean steps?"


@pytest.mark.parametrize(
    ("node", "input", "value", "code", "fix"),
    [
        ("sample", "steps", 3.9, "wrong_type", "Use 3 or 4."),
        ("sample", "steps", "3.9", "wrong_type", "Use 3 or 4."),
        ("sample", "steps", "3", "wrong_type", "Write 3."),
        ("sample", "steps", True, "wrong_type", "Write 1."),
        ("sample", "steps", 0, "too_small", "Use 1 or more."),
        ("sample", "steps", 101, "too_large", "Use 100 or less."),
        ("sample", "seed", 2**64, "too_large", "Use 18446744073709551615 or less."),
        ("sample", "cfg", "0.5", "wrong_type", "Write 0.5."),
        ("sample", "cfg", float("nan"), "not_finite", "Write a finite number."),
        ("sample", "cfg", float("inf"), "not_finite", "Write a finite number."),
        ("sample", "cfg", 10**400, "too_large", "Write a smaller number."),
        ("sample", "sampler", "eular", "unknown_choice", "Did you mean euler?"),
        ("save", "overwrite", "false", "wrong_type", "Write false, without quotes."),
        ("save", "overwrite", 0, "wrong_type", "Write false."),
        ("save", "prefix", 7, "wrong_type", 'Write "7", in quotes.'),
        ("empty", "width", 513, "off_step", "Use 512 or 520."),
        ("save", "images", "cat.png", "needs_link", "Link it to IMAGE of node decode 'Decode'."),
        ("sample", "steps", None, "wrong_type", "Write a whole number from 1 to 100."),
    ],
)
def test_m6_a_wrong_literal_is_a_problem_with_a_fix(
    node: str, input: str, value: Any, code: str, fix: str
) -> None:
    problem = only(picture(**{node: {input: value}}))
    assert (problem.code, problem.node, problem.input, problem.fix) == (code, node, input, fix)
    assert problem.severity == "error"


def test_a_number_too_long_to_write_is_still_told() -> None:
    assert "is above its maximum 100" in only(picture(sample={"steps": 10**5000})).message


def test_a_whole_fraction_is_a_whole_number_and_a_whole_number_a_fraction() -> None:
    assert sentences(picture(sample={"steps": 4.0, "cfg": 7})) == []


def test_steps_count_from_the_minimum() -> None:
    nodes = picture_nodes() | {"blur": Node("Blur", {"image": Link("decode", "IMAGE"), "radius": 4})}
    nodes["save"] = changed(nodes["save"], images=Link("blur", "IMAGE"))
    assert only(Workflow(nodes)).fix == "Use 3 or 5."


def test_a_link_of_the_wrong_type_says_what_is_taken_and_given() -> None:
    problem = only(picture(save={"images": Link("sample", "LATENT")}), targets=["save", "decode"])
    assert problem.code == "type_mismatch"
    assert problem.message == (
        "Node save 'Save Image', input images: takes IMAGE but is linked to LATENT of node sample 'Sample'."
    )
    assert problem.fix == "Put a Decode node between them."


def test_another_output_of_the_same_node_is_offered_when_it_fits() -> None:
    assert only(picture(text={"clip": Link("load", "MODEL")})).fix == "Its output CLIP fits."


def test_a_whole_number_may_flow_into_a_fraction_and_not_back() -> None:
    @node("Half")
    def half(x: float) -> float:
        """Give half."""
        return x / 2

    registry = TOYS.with_specs([spec(half)])
    chain = {"a": Node("Add", {"a": 1}), "h": Node("Half", {"x": Link("a", "INT")})}
    end = {"s": Node("Show", {"value": Link("h", "FLOAT")})}
    assert sentences(Workflow(chain | end), registry) == []
    back = {"b": Node("Add", {"a": Link("h", "FLOAT")}), "s": Node("Show", {"value": Link("b", "INT")})}
    assert "takes INT but is linked to FLOAT" in sentences(Workflow(chain | back), registry)[0]


def test_m7_all_problems_are_told_at_once() -> None:
    workflow = Workflow(
        {
            "s": Node("Sample"),
            "save": Node("Save", {"images": Link("s", "LATENT"), "prefix": 3}),
            "x": Node("Sampel"),
        }
    )
    codes = [(problem.node, problem.code) for problem in validate(workflow, TOYS)]
    assert codes == [
        ("s", "missing_input"),
        ("s", "missing_input"),
        ("s", "missing_input"),
        ("save", "type_mismatch"),
        ("save", "wrong_type"),
        ("x", "unknown_node_type"),
    ]


def test_an_unknown_node_type_is_offered_the_nearest() -> None:
    problem = only(picture(empty=Node("empti", {})))
    assert problem.message == "Node empty: there is no node type 'empti'."
    assert problem.fix == "Did you mean Empty?"


def test_links_of_an_unknown_node_type_are_still_checked() -> None:
    problems = validate(Workflow({"1": Node("Nowhere", {"x": Link("2", "INT")})}), TOYS)
    assert [problem.code for problem in problems] == ["unknown_node_type", "dangling_link"]


def test_an_ambiguous_node_type_lists_the_full_ids() -> None:
    both = [replace(spec(add), id="Sum", source=pack) for pack in ("red", "blue")]
    workflow = Workflow({"1": Node("Sum", {"a": 1}), "2": Node("Show", {"value": Link("1", "INT")})})
    (problem,) = validate(workflow, TOYS.with_specs(both))
    assert problem.code == "ambiguous_node_type"
    assert "red/Sum and blue/Sum" in problem.fix


def test_a_missing_input_is_told_with_an_output_to_link() -> None:
    nodes = picture_nodes()
    nodes["sample"] = Node("Sample", {k: v for k, v in nodes["sample"].inputs.items() if k != "model"})
    problem = only(Workflow(nodes))
    assert problem.message == "Node sample 'Sample', input model: needs MODEL, but nothing is linked to it."
    assert problem.fix == "Link it to MODEL of node load 'Load'."


def test_an_input_with_a_default_may_be_left_out_and_one_without_may_not() -> None:
    assert sentences(picture(empty=Node("Empty"))) == []
    assert only(picture(text=Node("Encode", {"clip": Link("load", "CLIP")}))).code == "missing_input"


def test_null_leaves_an_optional_input_out() -> None:
    assert sentences(picture(sample={"mask": None})) == []


def test_a_workflow_without_outputs_would_make_nothing() -> None:
    problem = only(Workflow({"1": Node("Empty")}))
    assert (problem.code, problem.fix) == ("no_outputs", "Add one, such as Save.")
    assert only(Workflow({})).code == "no_outputs"


def test_an_output_port_is_a_goal_where_there_is_no_output_node() -> None:
    nodes = {key: node for key, node in picture_nodes().items() if key != "save"}
    workflow = Workflow(nodes, ports={"image": Port("decode", output="IMAGE")})
    assert sentences(workflow) == []
    assert only(replace(workflow, nodes=nodes | {"empty": Node("Empty", {"width": 3})})).severity == "error"


def test_a_problem_of_a_node_that_no_output_needs_is_a_warning() -> None:
    problem = only(picture(aside=Node("Decode")))
    assert (problem.node, problem.severity) == ("aside", "warning")


def test_only_what_a_target_needs_stops_a_run() -> None:
    workflow = picture(save={"prefix": 3})
    assert only(workflow, targets=["decode"]).severity == "warning"
    assert only(workflow, targets=["save"]).severity == "error"


def test_an_unknown_target_is_offered_the_nearest() -> None:
    problem = only(picture(), targets=["sampel"])
    assert (problem.code, problem.fix) == ("unknown_target", "Did you mean sample?")


def test_a_muted_target_cannot_be_run() -> None:
    nodes = picture_nodes()
    nodes["save"] = replace(nodes["save"], mode="mute")
    assert only(Workflow(nodes), targets=["save"]).code == "muted_target"


def test_a_muted_node_stops_what_needs_it_and_says_so() -> None:
    nodes = picture_nodes() | {"show": Node("Show", {"value": 1})}
    nodes["sample"] = replace(nodes["sample"], mode="mute")
    problem = only(Workflow(nodes))
    assert (problem.code, problem.node, problem.severity) == ("muted_source", "decode", "warning")
    assert "node sample 'Sample' is muted" in problem.message


def test_muting_what_every_output_needs_leaves_nothing_to_run() -> None:
    nodes = picture_nodes()
    nodes["sample"] = replace(nodes["sample"], mode="mute")
    problems = validate(Workflow(nodes), TOYS)
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("muted_source", "warning"),
        ("no_outputs", "error"),
    ]


def test_a_muted_node_may_be_wrong() -> None:
    nodes = picture_nodes() | {"off": Node("Sampel", {"x": Link("gone", "X")}, mode="mute")}
    assert sentences(Workflow(nodes)) == []


def test_muting_all_outputs_leaves_nothing_to_run() -> None:
    nodes = picture_nodes()
    nodes["save"] = replace(nodes["save"], mode="mute")
    assert only(Workflow(nodes)).code == "no_outputs"


def test_a_bypassed_node_passes_on_its_input_of_the_same_type() -> None:
    nodes = picture_nodes()
    nodes["sample"] = replace(nodes["sample"], mode="bypass")
    assert sentences(Workflow(nodes)) == []


def test_a_bypassed_node_with_nothing_to_pass_on_is_a_problem() -> None:
    nodes = picture_nodes()
    nodes["decode"] = replace(nodes["decode"], mode="bypass")
    problem = only(Workflow(nodes | {"show": Node("Show", {"value": 1})}))
    assert (problem.code, problem.severity) == ("nothing_passed_on", "error")
    assert "is bypassed and has no input to pass on as IMAGE" in problem.message


def test_models_of_different_families_do_not_go_together() -> None:
    other = Node("Load", {"name": "sdxl/base.safetensors"})
    problem = only(picture(other=other, text={"clip": Link("other", "CLIP")}))
    assert (problem.code, problem.node, problem.input) == ("family_mismatch", "sample", "positive")
    assert "model is sd1 (from node load 'Load')" in problem.message
    assert "positive is sdxl (from node text 'Encode')" in problem.message


def test_a_file_that_is_missing_is_offered_the_nearest() -> None:
    files = FolderFiles({"checkpoints": ["sd1/tiny.safetensors", "sdxl/base.safetensors"]})
    assert sentences(picture(), files=files) == []
    problem = only(picture(load={"name": "tiny.safetensors"}), files=files)
    assert problem.message == (
        "Node load 'Load', input name: there is no file \"tiny.safetensors\" in the folder checkpoints."
    )
    assert problem.fix == "Did you mean sd1/tiny.safetensors?"


def test_a_file_name_may_be_written_with_either_slash() -> None:
    files = FolderFiles({"checkpoints": ["sd1/tiny.safetensors"]})
    assert sentences(picture(load={"name": "sd1\\tiny.safetensors"}), files=files) == []


def test_a_port_that_leads_nowhere_is_a_problem() -> None:
    ports = {
        "ok": Port("text", input="text"),
        "gone": Port("99", input="text"),
        "typo": Port("text", input="txet"),
        "out": Port("save", output="IMAGE"),
        "both": Port("text"),
    }
    problems = validate(replace(picture(), ports=ports), TOYS)
    assert {problem.code for problem in problems} == {"dangling_port"}
    assert sorted(problem.message.split(":")[0] for problem in problems) == [
        "Port both",
        "Port gone",
        "Port out",
        "Port typo",
    ]


def test_a_deprecated_node_type_is_a_warning_with_its_advice() -> None:
    old = replace(spec(show), id="Old", deprecated="use Show")
    (problem,) = validate(Workflow({"1": Node("Old", {"value": 1})}), TOYS.with_specs([old]))
    assert (problem.code, problem.fix, problem.severity) == ("deprecated_node", "Use Show.", "warning")


@pytest.mark.parametrize(
    ("node", "input", "value"),
    [
        ("sample", "steps", 3.9),
        ("sample", "steps", "40"),
        ("sample", "cfg", "7.5"),
        ("save", "overwrite", "false"),
        ("save", "prefix", 7),
        ("empty", "width", 513),
        ("sample", "extra", 1),
    ],
)
def test_an_imported_workflow_gets_warnings_for_what_its_own_engine_accepts(
    node: str, input: str, value: Any
) -> None:
    problem = only(lenient(picture(**{node: {input: value}})))
    assert (problem.node, problem.input, problem.severity) == (node, input, "warning")


@pytest.mark.parametrize(
    ("input", "value"), [("steps", "many"), ("steps", None), ("steps", 0), ("sampler", "x")]
)
def test_an_imported_workflow_is_refused_what_its_own_engine_refuses(input: str, value: Any) -> None:
    assert only(lenient(picture(sample={input: value}))).severity == "error"


def test_a_node_types_own_check_is_asked_when_its_values_are_sound() -> None:
    def in_order(low: int, high: int) -> str | None:
        return "low is above high." if low > high else None

    @node("Range", output=True, check=in_order)
    def between(low: int = 0, high: int = 9) -> None:
        """Take a range."""

    registry = TOYS.with_specs([spec(between)])
    assert sentences(Workflow({"1": Node("Range", {"low": 10})}), registry) == [
        "Node 1 'Range': low is above high."
    ]
    assert sentences(Workflow({"1": Node("Range", {"low": 9})}), registry) == []
    linked = {"a": Node("Add", {"a": 99}), "1": Node("Range", {"low": Link("a", "INT")})}
    assert sentences(Workflow(linked), registry) == []


def test_a_check_that_fails_is_a_problem_and_not_a_crash() -> None:
    broken = replace(spec(show), check=lambda literals, types, node: 1 / 0)
    registry = Registry([broken])
    assert "ZeroDivisionError" in sentences(Workflow({"1": Node("Show", {"value": 1})}), registry)[0]


def test_a_type_that_no_node_gives_may_be_written() -> None:
    @node("Paint", output=True)
    def paint(colour: Annotated[Thing, Socket("COLOUR")]) -> None:
        """Use a colour, which a widget of a plugin edits."""

    assert (
        sentences(Workflow({"1": Node("Paint", {"colour": {"r": 1}})}), TOYS.with_specs([spec(paint)])) == []
    )


def test_an_input_with_nothing_to_choose_from_says_so() -> None:
    @node("Pick", output=True)
    def pick(name: Annotated[str, Choice(())]) -> None:
        """Pick one of none."""

    registry = Registry([spec(pick)])
    assert (
        "there is nothing to choose from"
        in sentences(Workflow({"1": Node("Pick", {"name": "a"})}), registry)[0]
    )


def test_many_problems_are_counted_and_not_all_listed() -> None:
    problems = validate(Workflow({str(n): Node("Save") for n in range(3000)}), TOYS)
    assert len(problems) < 1100
    assert "more" in problems[-1].message


def test_validating_changes_nothing() -> None:
    workflow = lenient(picture(sample={"steps": "7"}))
    before = repr(workflow)
    validate(workflow, TOYS)
    assert repr(workflow) == before


class FolderFiles:
    """Files that exist by name alone."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self._known = known

    def names(self, kind: str) -> list[str]:
        return self._known.get(kind, [])

    def find(self, kind: str, name: str) -> Any:
        return name if name in self.names(kind) else None

    def identity(self, kind: str, name: str) -> str:
        return name

    def folder(self, kind: str) -> Any:
        return kind

    def folders(self, kind: str) -> Any:
        return [kind]
