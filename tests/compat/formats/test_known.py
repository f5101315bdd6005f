import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.formats.known import API, EDITOR, FORMATS
from graph.formats import DARKROOM, Format, format_text, read_any
from graph.problems import WorkflowError
from tests.compat.toys import TOYS

BLANK_API = {"1": {"class_type": "Blank", "inputs": {"width": 64}}}
BLANK_EDITOR = {"nodes": [{"id": 1, "type": "Blank", "widgets_values": [64]}], "links": []}
BLANK_OURS = {"format": "darkroom/1", "nodes": {"1": {"type": "Blank", "inputs": {"width": 64}}}}


@pytest.mark.parametrize(
    "data", [BLANK_API, BLANK_EDITOR, BLANK_OURS, {"prompt": BLANK_API}, {"workflow": BLANK_EDITOR}]
)
def test_every_format_is_recognised(data: dict[str, Any]) -> None:
    node = read_any(json.dumps(data), FORMATS, TOYS).nodes["1"]
    assert (node.type, dict(node.inputs)) == ("Blank", {"width": 64})


@pytest.mark.parametrize("source", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("target", FORMATS, ids=lambda form: form.name)
def test_every_format_becomes_every_other(source: Format, target: Format) -> None:
    blank = read_any(BLANK_OURS, FORMATS, TOYS)
    middle = read_any(format_text(source, blank, TOYS), FORMATS, TOYS)
    end = read_any(format_text(target, middle, TOYS), FORMATS, TOYS)
    assert end.nodes["1"].inputs["width"] == 64


def test_an_api_workflow_may_have_a_node_called_format_or_nodes() -> None:
    data = {"format": BLANK_API["1"], "nodes": BLANK_API["1"]}
    assert list(read_any(data, FORMATS, TOYS).nodes) == ["format", "nodes"]


WORDS = """nodes links id type class_type inputs link name widget widgets_values pos size mode groups bounding
definitions subgraphs inputNode outputs properties proxyWidgets darkroom extra groupNodes title 1 2 origin_id
origin_slot target_id target_slot __value__ _meta prompt workflow format config ports lock unset place was
Blank Sampler Reroute PrimitiveNode Note s workflow>s fixed -10 external index visible input output"""
ODD = (None, True, False, 0, 1, 2, 3, -1, -10, 10**30, 0.5, 1e300, "", "x", "a.b", "{a|b}", "%date:y%")
TYPES = ("Blank", "Sampler", "Mixed", "Load", "Reroute", "PrimitiveNode", "Note", "s", "t", "workflow>s", "?")


class Dice(random.Random):
    """Makes JSON that is nearly, but not quite, a workflow."""

    def junk(self, depth: int = 3) -> Any:
        kind = self.choice("vvvlo") if depth else "v"
        if kind == "l":
            return [self.junk(depth - 1) for _ in range(self.randrange(4))]
        if kind == "o":
            return {self.choice(WORDS.split()): self.junk(depth - 1) for _ in range(self.randrange(5))}
        return self.choice((*ODD, *WORDS.split()))

    def mostly(self, value: Any) -> Any:
        return self.junk() if self.random() < 0.08 else value

    def slot(self) -> Any:
        name = self.choice(("width", "image", "seed", "images", "s"))
        found = {
            "name": self.mostly(name),
            "link": self.mostly(self.randrange(5)),
            "type": self.mostly("IMAGE"),
        }
        return self.mostly({**found, "widget": {"name": name}} if self.random() < 0.4 else found)

    def slots(self) -> Any:
        return self.mostly([self.slot() for _ in range(self.randrange(3))])

    def node(self, id: int) -> Any:
        ours = {
            "darkroom": {"id": self.junk(), "inputs": self.junk(), "unset": self.junk(), "place": self.junk()}
        }
        found = {
            "id": self.mostly(id),
            "type": self.mostly(self.choice(TYPES)),
            "mode": self.choice((0, 2, 4)),
        }
        found |= {"inputs": self.slots(), "outputs": self.slots(), "widgets_values": self.junk(2)}
        found |= {"pos": self.mostly([id, 2]), "properties": self.mostly(ours), "index": id}
        return self.mostly(found)

    def canvas(self) -> Any:
        ends = (-10, -20, 0, 1, 2)
        links = [
            [n, self.choice(ends), self.randrange(2), self.choice(ends), 0] for n in range(self.randrange(5))
        ]
        groups = [{"title": self.junk(1), "bounding": self.junk(1)}]
        return {"nodes": [self.node(n) for n in range(self.randrange(4))], "links": links, "groups": groups}

    def editor(self) -> Any:
        inner = [
            {**self.canvas(), "id": name, "inputs": self.slots(), "outputs": self.slots()} for name in "st"
        ]
        groups = {"s": {**self.canvas(), "external": self.junk(), "config": self.junk()}}
        extra = {"groupNodes": self.mostly(groups), "darkroom": self.junk()}
        return {
            **self.canvas(),
            "definitions": self.mostly({"subgraphs": inner}),
            "extra": self.mostly(extra),
        }

    def api(self) -> Any:
        values = {
            "width": self.mostly(["0", 0]),
            "text": self.junk(2),
            "image": ["1", self.choice((0, 9, -1))],
        }
        entries = {str(n): {"class_type": self.choice(TYPES), "inputs": values} for n in range(3)}
        return {id: self.mostly({**entry, "_meta": self.junk(1)}) for id, entry in entries.items()}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**40), st.sampled_from(["editor", "api", "junk"]))
def test_nothing_but_a_problem_comes_of_any_json(seed: int, kind: str) -> None:
    data = getattr(Dice(seed), kind)()
    for form in (EDITOR, API):
        try:
            workflow = form.read(data, TOYS)
            for other in (EDITOR, API, DARKROOM):
                json.dumps(other.write(workflow, TOYS))
        except WorkflowError as error:
            assert all(problem.message.endswith((".", "?")) for problem in error.problems)
