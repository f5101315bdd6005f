"""What is opened and saved loses nothing: values, titles, places, looks, groups, notes, subgraphs."""

import json
from pathlib import Path
from typing import Any

import pytest

from compat.formats.api_writer import write_api
from compat.formats.editor_reader import read_editor
from compat.formats.editor_writer import write_editor
from compat.formats.values import OLD_CONTROLS
from graph.document_json import load_workflow, parse_workflow, write_workflow
from nodes import registry
from tests.compat.drawn import Json, canvas, drawn, slot, wire
from tests.compat.toys import NO_REFERENCE, REFERENCE, TOYS

TYPES = registry()
SHIPPED = sorted((Path(__file__).parents[3] / "workflows").glob("*.json"))
FIELD = sorted(
    path
    for folder in ("editor-workflows", "templates")
    for path in (REFERENCE / folder).glob("*.json")
    if not path.name.endswith(".api.json")
)
shipped = pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
field = pytest.mark.parametrize("path", FIELD, ids=[path.stem for path in FIELD])

NODE_KEYS = ("type", "mode", "title", "color", "bgcolor", "shape")


def round_trip(document: Json, types: Any = TYPES) -> Json:
    """A document of the editor as it comes back, having been a text of ours in between."""
    text = write_workflow(read_editor(document, types))
    return write_editor(parse_workflow(text), types)


def told(graph: Json) -> Json:
    """What a canvas of the editor says to a person, whatever numbers its links and orders have."""
    definitions = graph.get("definitions", {}).get("subgraphs", [])
    return {
        "nodes": {str(node["id"]): node_told(node) for node in graph["nodes"] if not is_note(node)},
        "notes": sorted(note_told(node) for node in graph["nodes"] if is_note(node)),
        "links": sorted(ends(graph)),
        "groups": [group_told(group) for group in graph.get("groups", [])],
        "reroutes": bends(graph),
        "inputs": [boundary_told(item) for item in graph.get("inputs", [])],
        "outputs": [boundary_told(item) for item in graph.get("outputs", [])],
        "borders": [graph.get(key, {}).get("bounding") for key in ("inputNode", "outputNode")],
        "name": graph.get("name"),
        "subgraphs": {item["id"]: told(item) for item in definitions},
        "view": graph.get("extra", {}).get("ds"),
    }


def is_note(node: Json) -> bool:
    return node["type"] in ("Note", "MarkdownNote")


def node_told(node: Json) -> Json:
    properties = {key: value for key, value in node.get("properties", {}).items() if key != "darkroom"}
    properties.pop("Node name for S&R", None)
    slots = node.get("inputs", [])
    labels = {item["name"]: item["label"] for item in slots if item.get("label") not in (None, item["name"])}
    looks = {key: node.get(key) or None for key in NODE_KEYS}
    place = [numbers(node["pos"]), numbers(node["size"])]
    return {
        **looks,
        "values": [OLD_CONTROLS[item] if item is True else item for item in node.get("widgets_values") or []],
        "place": place,
        "flags": node.get("flags") or {},
        "properties": properties,
        "labels": labels,
    }


def note_told(node: Json) -> str:
    place = [*numbers(node["pos"]), *numbers(node["size"])]
    looks = [node.get(key) for key in ("title", "color", "bgcolor")]
    return json.dumps([node["type"], node["widgets_values"], place, looks])


def numbers(value: Any) -> list[float]:
    return [float(item) for item in (value.values() if isinstance(value, dict) else value)][:2]


def group_told(group: Json) -> Json:
    return {key: value for key, value in group.items() if key != "id"}


def boundary_told(item: Json) -> Json:
    return {key: value for key, value in item.items() if key != "linkIds"}


def link_rows(graph: Json) -> list[list[Any]]:
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "parentId")
    return [[item.get(key) for key in keys] if isinstance(item, dict) else item for item in graph["links"]]


def ends(graph: Json) -> list[str]:
    """Every link by the node and output it comes from and the node and name of the input it ends at."""
    names = {
        (str(node["id"]), item["link"]): item["name"]
        for node in graph["nodes"]
        for item in node.get("inputs", [])
        if item.get("link") is not None
    }
    return [
        f"{row[1]}.{row[2]} -> {row[3]}.{names.get((str(row[3]), row[0]), row[4])}"
        for row in link_rows(graph)
    ]


def bends(graph: Json) -> list[Json]:
    """The reroutes that only bend links, with the ends of those."""
    extra = graph.get("extra", {})
    by_id = dict(zip((row[0] for row in link_rows(graph)), ends(graph), strict=True))
    last = {item["id"]: item["parentId"] for item in extra.get("linkExtensions", [])}
    last |= {row[0]: row[5] for row in link_rows(graph) if len(row) > 5 and isinstance(row[5], int)}
    found = [*extra.get("reroutes", []), *graph.get("reroutes", [])]
    links = [{"end": by_id[link], "last": reroute} for link, reroute in last.items()]
    return [{**item, "linkIds": sorted(by_id[link] for link in item["linkIds"])} for item in found] + links


def test_there_are_files_of_both_kinds() -> None:
    assert len(SHIPPED) >= 20


@shipped
def test_a_shipped_workflow_is_saved_with_the_bytes_it_was_read_from(path: Path) -> None:
    text = path.read_bytes()
    assert write_workflow(parse_workflow(text)).encode() == text


@shipped
def test_a_shipped_workflow_loses_nothing_in_the_editors_format(path: Path) -> None:
    written = write_editor(load_workflow(path), TYPES)
    assert told(round_trip(written, TYPES)) == told(written)


@pytest.mark.skipif(not FIELD, reason=NO_REFERENCE)
@field
def test_a_workflow_of_the_editor_comes_back_whole(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    before, after = told(document), told(round_trip(document, TYPES))
    for id, node in before["nodes"].items():
        if not node["values"]:  # very old files leave out what is the default
            after["nodes"][id]["values"] = []
    assert after == before


@pytest.mark.skipif(not FIELD, reason=NO_REFERENCE)
@field
def test_a_workflow_of_the_editor_is_our_document_with_the_same_bytes_each_time(path: Path) -> None:
    text = write_workflow(read_editor(json.loads(path.read_text("utf-8")), TYPES))
    assert write_workflow(parse_workflow(text)) == text


IDS = ("0946b557-ca0f-4437-8604-a5e757c8f13e", "1447afb1-ff2c-4bc8-bc99-2ea91e70ade7")


def placed(id: int, type: str, values: Any = None, inputs: list[Json] | None = None, **more: Any) -> Json:
    place = {"pos": [id * 100.0, id * 10.0], "size": [210.0, 50.0 + id]}
    return drawn(id, type, values, inputs, **{**place, "flags": {}, "mode": 0, "properties": {}, **more})


def row(id: int, origin: int, slot: int, target: int, end: int, reroute: int | None = None) -> Json:
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    found: Json = dict(zip(names, (id, origin, slot, target, end, "*"), strict=True))
    return found if reroute is None else {**found, "parentId": reroute}


def gives(type: str, *links: int) -> list[Json]:
    return [{"name": type, "type": type, "links": list(links)}]


def group_drawn(title: str) -> Json:
    looks = {"color": "#111", "font_size": 24, "flags": {}}
    return {"id": 1, "title": title, "bounding": [0.0, 0.0, 9.0, 9.0], **looks}


def definition(id: str, name: str, nodes: list[Json], links: list[Json], **more: Any) -> Json:
    """A subgraph with an IMAGE and a STRING going in and an IMAGE coming out."""
    ends = [("image", "IMAGE"), ("prefix", "STRING"), ("IMAGE", "IMAGE")]
    slots: list[Json] = [
        {"id": f"{id[:-1]}{number}", "name": name, "type": type, "linkIds": []}
        for number, (name, type) in enumerate(ends)
    ]
    slots[1]["label"] = "File name"
    return {
        "id": id,
        "version": 1,
        "revision": 3,
        "name": name,
        "config": {},
        "state": {"lastGroupId": 0, "lastNodeId": 9, "lastLinkId": 9, "lastRerouteId": 1},
        "inputNode": {"id": -10, "bounding": [-300.0, 0.0, 120.0, 80.0]},
        "outputNode": {"id": -20, "bounding": [900.0, 0.0, 120.0, 60.0]},
        "inputs": slots[:2],
        "outputs": slots[2:],
        "widgets": [],
        "nodes": nodes,
        "links": links,
        "groups": [group_drawn("Within")],
        "extra": {},
        **more,
    }


INNER = definition(
    IDS[0],
    "Invert and save",
    [
        placed(2, "Invert", [], [slot("image", "IMAGE", 1)], title="Turned", outputs=gives("IMAGE", 2, 3)),
        placed(
            3,
            "Save",
            ["inside"],
            [slot("images", "IMAGE", 2), slot("filename_prefix", "STRING", 4, True)],
            mode=4,
        ),
        placed(4, "MarkdownNote", ["# within"], title="Mind"),
    ],
    [row(1, -10, 0, 2, 0, 1), row(2, 2, 0, 3, 0), row(3, 2, 0, -20, 0), row(4, -10, 1, 3, 1)],
    reroutes=[{"id": 1, "pos": [5, 6], "linkIds": [1]}],
)
OUTER = definition(
    IDS[1],
    "Around",
    [
        placed(
            9,
            IDS[0],
            ["deep"],
            [slot("image", "IMAGE", 1), {**slot("prefix", "STRING", 2, True), "label": "File name"}],
            outputs=gives("IMAGE", 3),
        ),
        placed(8, "Reroute", None, [slot("", "*", 3)], outputs=[{"name": "", "type": "IMAGE", "links": [4]}]),
    ],
    [row(1, -10, 0, 9, 0), row(2, -10, 1, 9, 1), row(3, 9, 0, 8, 0), row(4, 8, 0, -20, 0)],
)
WHOLE = canvas(
    [
        placed(1, "Blank", [64, 32], [slot("width", "INT", 4, True)], outputs=gives("IMAGE", 1, 2)),
        placed(
            5,
            IDS[1],
            ["mine"],
            [slot("image", "IMAGE", 1), {**slot("prefix", "STRING", None, True), "label": "File name"}],
            mode=2,
            title="Twice",
            color="#223",
        ),
        placed(
            6,
            IDS[0],
            ["by proxy", "plain"],
            [slot("image", "IMAGE", 2), {**slot("prefix", "STRING", None, True), "label": "File name"}],
            properties={"proxyWidgets": [["3", "filename_prefix"], ["-1", "prefix"]]},
        ),
        placed(
            7,
            "PrimitiveNode",
            [96, "increment", ""],
            outputs=[{"name": "INT", "type": "INT", "widget": {"name": "width"}, "links": [4]}],
        ),
    ],
    [wire(1, 1, 0, 5, 0), wire(2, 1, 0, 6, 0), wire(4, 7, 0, 1, 0)],
    definitions={"subgraphs": [INNER, OUTER]},
    extra={
        "ds": {"scale": 1, "offset": [0, 0]},
        "linkExtensions": [{"id": 2, "parentId": 2}],
        "reroutes": [
            {"id": 1, "pos": [1, 2], "linkIds": [2]},
            {"id": 2, "parentId": 1, "pos": [3, 4], "linkIds": [2]},
        ],
    },
)


def test_subgraphs_reroutes_primitives_and_proxies_come_back_whole() -> None:
    assert told(round_trip(WHOLE, TOYS)) == told(WHOLE)


def test_our_document_of_them_is_the_same_after_a_trip_to_the_editor() -> None:
    ours = parse_workflow(write_workflow(read_editor(WHOLE, TOYS)))
    again = parse_workflow(write_workflow(read_editor(write_editor(ours, TOYS), TOYS)))
    assert again == ours


def test_what_they_run_as_is_the_same_before_and_after() -> None:
    before = write_api(read_editor(WHOLE, TOYS), TOYS)
    assert write_api(read_editor(round_trip(WHOLE, TOYS), TOYS), TOYS) == before
    assert before["1"]["inputs"]["width"] == 96
    assert before["5:9:2"]["inputs"] == {"image": ["1", 0]}
