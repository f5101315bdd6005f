import pytest

from compat.formats.api_writer import write_api
from compat.formats.editor_reader import read_editor, recognises_editor
from graph.document import Link, Node, Workflow
from graph.flat import flat
from graph.problems import WorkflowError
from tests.compat.drawn import Json, canvas, defining, drawn, slot, subgraph, wire
from tests.compat.toys import TOYS


def read(nodes: list[Json], links: list[object] | None = None, **more: object) -> dict[str, Node]:
    return dict(flat(read_editor(canvas(nodes, links, **more), TOYS), TOYS).nodes)


def messages(data: object) -> list[str]:
    with pytest.raises(WorkflowError) as caught:
        read_editor(data, TOYS)
    return [problem.message for problem in caught.value.problems]


BLANK = drawn(1, "Blank", [64, 32])
SAVE = drawn(4, "Save", ["out"], [slot("images", "IMAGE", 9)])


def test_links_and_widgets_become_inputs_by_name() -> None:
    nodes = read([BLANK, SAVE], [wire(9, 1, 0, 4, 0)])
    assert nodes["1"].inputs == {"width": 64, "height": 32}
    assert nodes["4"].inputs == {"images": Link("1", "IMAGE"), "filename_prefix": "out"}


def test_links_may_be_objects_and_places_too() -> None:
    link = {"id": 9, "origin_id": 1, "origin_slot": 0, "target_id": 4, "target_slot": 0, "type": "IMAGE"}
    placed = {**BLANK, "pos": {"0": 5, "1": 6}, "size": {"0": 70, "1": 80}}
    workflow = read_editor(canvas([placed, SAVE], [link], version=1), TOYS)
    assert workflow.nodes["4"].inputs["images"] == Link("1", "IMAGE")
    assert workflow.layout == {"1": [5, 6, 70, 80]}


def test_a_linked_widget_keeps_its_value_aside_and_the_link_wins() -> None:
    save = drawn(4, "Save", ["kept"], [slot("images", "IMAGE"), slot("filename_prefix", "STRING", 9, True)])
    node = read([drawn(2, "Strange", outputs=[]), save], [wire(9, 2, 1, 4, 1)])["4"]
    assert node.inputs == {"filename_prefix": Link("2", "output 1")}
    assert node.extra["hidden_values"] == {"filename_prefix": "kept"}


def test_an_output_that_is_not_there_keeps_its_number() -> None:
    assert read([BLANK, SAVE], [wire(9, 1, 3, 4, 0)])["4"].inputs["images"] == Link("1", "output 3")


def test_a_link_that_is_not_in_the_table_is_none() -> None:
    assert "images" not in read([BLANK, SAVE])["4"].inputs


def test_modes_are_kept() -> None:
    nodes = read([drawn(1, "Blank", mode=2), drawn(2, "Blank", mode=4), drawn(3, "Blank", mode=1)])
    assert [node.mode for node in nodes.values()] == ["mute", "bypass", "run"]


def test_titles_colours_and_properties_are_kept() -> None:
    properties = {"Node name for S&R": "Blank", "ver": "1"}
    more = {"title": "Mine", "color": "#123", "flags": {"collapsed": True}, "properties": properties}
    node = read([drawn(1, "Blank", **more)])["1"]
    assert node.title == "Mine"
    assert node.extra == {"properties": {"ver": "1"}, "color": "#123", "flags": {"collapsed": True}}


def test_a_title_that_is_the_types_is_none_of_its_own() -> None:
    assert read([drawn(1, "Checkpoint", title="Load it")])["1"].title == ""


def test_reroutes_are_seen_through() -> None:
    reroutes = [drawn(n, "Reroute", None, [slot("", "*", n)], mode=2) for n in (2, 3)]
    nodes = read([BLANK, *reroutes, SAVE], [wire(2, 1, 0, 2, 0), wire(3, 2, 0, 3, 0), wire(9, 3, 0, 4, 0)])
    assert nodes["4"].inputs["images"] == Link("1", "IMAGE")
    assert list(nodes) == ["1", "4"]


def test_reroutes_in_a_circle_give_nothing() -> None:
    reroutes = [drawn(n, "Reroute", None, [slot("", "*", n)]) for n in (2, 3)]
    nodes = read([*reroutes, SAVE], [wire(2, 3, 0, 2, 0), wire(3, 2, 0, 3, 0), wire(9, 3, 0, 4, 0)])
    assert nodes["4"].inputs == {"filename_prefix": "out"}


def test_native_reroutes_are_only_drawing() -> None:
    extra = {
        "reroutes": [{"id": 1, "pos": [0, 0], "linkIds": [9]}],
        "linkExtensions": [{"id": 9, "parentId": 1}],
    }
    workflow = read_editor(canvas([BLANK, SAVE], [wire(9, 1, 0, 4, 0)], extra=extra), TOYS)
    assert workflow.nodes["4"].inputs["images"] == Link("1", "IMAGE")
    assert "editor" not in workflow.extra


def test_a_primitive_gives_its_value_and_control_also_through_a_reroute() -> None:
    sampler = drawn(3, "Sampler", [1, "fixed", 20, 8, "euler"], [slot("seed", "INT", 6, True)])
    nodes = read(
        [
            drawn(1, "PrimitiveNode", [77, "randomize", ""]),
            drawn(2, "Reroute", None, [slot("", "*", 5)]),
            sampler,
        ],
        [wire(5, 1, 0, 2, 0), wire(6, 2, 0, 3, 0)],
    )
    assert nodes["3"].inputs == {"seed": 77, "steps": 20, "cfg": 8, "method": "euler"}
    assert nodes["3"].extra["control"] == {"seed": "randomize"}


def test_a_primitive_says_nothing_to_a_socket() -> None:
    nodes = read([drawn(1, "PrimitiveNode", [77]), SAVE], [wire(9, 1, 0, 4, 0)])
    assert nodes["4"].inputs == {"filename_prefix": "out"}


def test_notes_and_groups_are_kept() -> None:
    note = drawn(7, "MarkdownNote", ["# hi"], pos=[1, 2], size=[30, 40], color="#432", title="Read")
    group = {"id": 1, "title": "All", "bounding": [0, 1, 2, 3], "color": "#111", "flags": {}}
    workflow = read_editor(canvas([note], groups=[group]), TOYS)
    expected = {"text": "# hi", "at": [1, 2, 30, 40], "markdown": True, "title": "Read", "color": "#432"}
    assert (workflow.nodes, workflow.notes) == ({}, (expected,))
    assert workflow.groups == ({"title": "All", "bounds": [0, 1, 2, 3], "color": "#111"},)


def test_an_unknown_node_takes_its_names_from_the_file() -> None:
    inputs = [slot("a", "IMAGE", 9), slot("x", "INT", None, True), slot("y", "STRING", None, True)]
    node = read([BLANK, drawn(2, "Strange", [5, "fixed", "t"], inputs)], [wire(9, 1, 0, 2, 0)])["2"]
    assert node.inputs == {"a": Link("1", "IMAGE"), "x": 5, "y": "t"}
    assert node.extra["control"] == {"x": "fixed"}


def test_values_of_an_unknown_node_that_no_one_can_name_are_kept() -> None:
    assert read([drawn(2, "Strange", [5, "t"])])["2"].extra["widgets_values"] == [5, "t"]


INNER = subgraph(
    "crop",
    [
        drawn(2, "Invert", None, [slot("image", "IMAGE", 1)]),
        drawn(3, "Save", ["inner"], [slot("images", "IMAGE", 2), slot("filename_prefix", "STRING", 4, True)]),
    ],
    [[1, -10, 0, 2, 0], [2, 2, 0, 3, 0], [3, 2, 0, -20, 0], [4, -10, 1, 3, 1]],
    "IMAGE STRING",
    "IMAGE",
)


def instance(
    id: int, link: int | None, values: list[object] | None, widget: bool = True, **more: object
) -> Json:
    inputs = [slot("IMAGE", "IMAGE", link), *([slot("STRING", "STRING", None, True)] if widget else [])]
    return drawn(id, "crop", values, inputs, **{**more, "outputs": [{"name": "IMAGE", "type": "IMAGE"}]})


def test_a_subgraph_becomes_its_nodes_with_ids_by_path() -> None:
    nodes = read(
        [BLANK, instance(5, 8, ["mine"]), SAVE], [wire(8, 1, 0, 5, 0), wire(9, 5, 0, 4, 0)], **defining(INNER)
    )
    assert list(nodes) == ["1", "4", "5:2", "5:3"]
    assert nodes["5:2"].inputs == {"image": Link("1", "IMAGE")}
    assert nodes["5:3"].inputs == {"images": Link("5:2", "IMAGE"), "filename_prefix": "mine"}
    assert nodes["4"].inputs["images"] == Link("5:2", "IMAGE")


def test_every_instance_has_its_own_values() -> None:
    nodes = read(
        [instance(5, None, ["one"]), instance(6, None, ["two"], False), instance(7, None, [])],
        **defining(INNER),
    )
    assert [nodes[f"{id}:3"].inputs["filename_prefix"] for id in (5, 6, 7)] == ["one", "two", "inner"]


def test_values_shown_by_proxy_reach_the_inner_widget() -> None:
    shown = {"proxyWidgets": [["3", "filename_prefix"]]}
    nodes = read([instance(5, None, ["by proxy"], properties=shown)], **defining(INNER))
    assert nodes["5:3"].inputs["filename_prefix"] == "by proxy"


def test_a_bypassed_instance_is_passed_by_and_its_nodes_stay() -> None:
    nodes = read(
        [BLANK, instance(5, 8, ["mine"], mode=4), SAVE],
        [wire(8, 1, 0, 5, 0), wire(9, 5, 0, 4, 0)],
        **defining(INNER),
    )
    assert nodes["4"].inputs["images"] == Link("1", "IMAGE")
    assert nodes["5:2"].mode == "run"


def test_a_muted_instance_leaves_its_nodes_as_they_are() -> None:
    nodes = read([instance(5, None, ["mine"], mode=2), SAVE], [wire(9, 5, 0, 4, 0)], **defining(INNER))
    assert nodes["4"].inputs["images"] == Link("5:2", "IMAGE")


OUTER = subgraph(
    "frame",
    [drawn(9, "crop", [], [slot("IMAGE", "IMAGE", 1), slot("STRING", "STRING", 2, True)])],
    [[1, -10, 0, 9, 0], [2, -10, 1, 9, 1], [3, 9, 0, -20, 0]],
    "IMAGE STRING",
    "IMAGE",
)


def test_subgraphs_within_subgraphs_are_expanded_wherever_they_are_defined() -> None:
    nested = {**OUTER, **defining(INNER)}
    outer = drawn(5, "frame", ["deep"], [slot("IMAGE", "IMAGE", 8), slot("STRING", "STRING", None, True)])
    nodes = read([BLANK, outer, SAVE], [wire(8, 1, 0, 5, 0), wire(9, 5, 0, 4, 0)], **defining(nested))
    assert nodes["5:9:3"].inputs == {"images": Link("5:9:2", "IMAGE"), "filename_prefix": "deep"}
    assert nodes["4"].inputs["images"] == Link("5:9:2", "IMAGE")
    assert nodes["5:9:2"].inputs == {"image": Link("1", "IMAGE")}


def test_a_subgraph_in_itself_is_a_problem() -> None:
    loop = subgraph("a", [drawn(1, "b", [])], [])
    back = subgraph("b", [drawn(1, "a", [])], [])
    assert messages(canvas([drawn(1, "a", [])], **defining(loop, back))) == [
        "Subgraph the a contains itself."
    ]


def test_subgraphs_that_multiply_without_end_are_a_problem() -> None:
    twice = [subgraph(f"s{n}", [drawn(i, f"s{n + 1}", []) for i in range(10)], []) for n in range(8)]
    found = messages(canvas([drawn(1, "s0", [])], **defining(*twice)))
    assert found == ["With its subgraphs expanded the workflow has more than 200000 nodes."]


def test_five_hundred_levels_of_subgraphs_are_expanded() -> None:
    chain = [
        subgraph(f"s{n}", [drawn(1, f"s{n + 1}", [])], [[1, 1, 0, -20, 0]], "", "IMAGE") for n in range(500)
    ]
    chain.append(subgraph("s500", [BLANK], [[1, 1, 0, -20, 0]], "", "IMAGE"))
    nodes = read([drawn(1, "s0", []), SAVE], [wire(9, 1, 0, 4, 0)], **defining(*chain))
    assert nodes["4"].inputs["images"] == Link(":".join(["1"] * 502), "IMAGE")


def test_what_lies_in_a_subgraph_stays_where_it_lies_there() -> None:
    inner = subgraph(
        "s", [drawn(2, "Blank", pos=[100, 50], size=[10, 10]), drawn(3, "Note", ["n"], pos=[110, 90])], []
    )
    workflow = read_editor(canvas([drawn(5, "s", [], pos=[1000, 2000])], **defining(inner)), TOYS)
    assert workflow.layout == {"5": [1000, 2000]}
    inside = workflow.subgraphs["s"]
    assert (inside.title, inside.layout) == ("the s", {"2": [100, 50, 10, 10]})
    assert inside.notes == ({"text": "n", "at": [110, 90]},)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (canvas([drawn(1, "Blank"), drawn(1, "Blank")]), "Two nodes have the id 1."),
        (canvas([{"id": 1}]), "Node 1 has no type."),
        (canvas([{"type": "Blank"}]), "Node Blank has no id."),
        ({"nodes": [5]}, "A node is a number."),
        (canvas([BLANK], [[1, 2]]), "A link cannot be read."),
        ({"nodes": [], "links": "x"}, 'The "links" are a text, not a list.'),
        (canvas([], **defining(subgraph("s", [{}], []))), "In subgraph the s: A node is an object."),
    ],
)
def test_what_cannot_be_read_is_a_sentence(data: Json, message: str) -> None:
    assert messages(data) == [message]


@pytest.mark.parametrize("data", [None, [], "x", {}, {"nodes": {}}, {"format": "darkroom/1", "nodes": []}])
def test_other_data_is_not_taken_for_it(data: object) -> None:
    assert not recognises_editor(data)


def test_dynamic_prompts_and_macros_stay_in_the_text() -> None:
    encode = drawn(1, "Encode", ["a {b|c} %date:yyyy%"])
    workflow = read_editor(canvas([encode]), TOYS)
    assert workflow.nodes["1"].inputs == {"text": "a {b|c} %date:yyyy%"}
    assert write_api(workflow, TOYS)["1"]["inputs"]["text"] in ("a b %date:yyyy%", "a c %date:yyyy%")


def test_five_thousand_reroutes_in_a_row_are_seen_through() -> None:
    count = 5_000
    nodes = [
        BLANK,
        *(drawn(n, "Reroute", None, [slot("", "*", n)]) for n in range(2, count)),
        drawn("s", "Save", []),
    ]
    nodes[-1]["inputs"] = [slot("images", "IMAGE", count)]
    links = [[n, n - 1, 0, n, 0, "*"] for n in range(2, count + 1)]
    workflow: Workflow = flat(read_editor(canvas(nodes, links), TOYS), TOYS)
    assert workflow.nodes["s"].inputs == {"images": Link("1", "IMAGE")}
