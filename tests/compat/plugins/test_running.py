"""Packs' nodes at work: values, lists, lazy inputs, hidden inputs, expansion, blockers, caches, checks."""

import time
from pathlib import Path

import pytest

from compat.formats.api_reader import read_api
from compat.object_info import object_info
from graph.events import Event, NodeFinished, NodeLog
from graph.executor import execute
from graph.memory_store import MemoryStore
from graph.plan import plan
from graph.registry import Registry
from graph.validation import validate
from tests.compat.plugins.packs import ANY, SHOW, Shelf, ran, shown

HEAD = "import math\n" + ANY + SHOW


def load(shelf: Shelf, code: str, *names: str) -> Registry:
    """All node types with a pack of these classes and Show."""
    listed = ", ".join(f"'{name}': {name}" for name in (*names, "Show"))
    shelf.pack("pack", HEAD + code + f"\nNODE_CLASS_MAPPINGS = {{{listed}}}\n")
    types = shelf.types()
    assert all(name in types for name in names)
    return types


def show(link: list[object]) -> dict[str, object]:
    return {"class_type": "Show", "inputs": {"value": link}}


NUMBERS = """
class Numbers:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"count": ("INT", {"default": 3})}}
    RETURN_TYPES = ("INT", "INT")
    OUTPUT_IS_LIST = (True, False)
    FUNCTION = "make"
    def make(self, count):
        return list(range(count)), count
class Add:
    INPUT_TYPES = lambda: {"required": {"a": ("INT,FLOAT", {}), "b": ("INT", {"default": 1})},
                           "optional": {"c": ("INT", {"default": 100})}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "add"
    def add(self, a, b, c=1000, **more):
        return [a + b + c + sum(more.values())]
class Sum:
    @staticmethod
    def INPUT_TYPES():
        return {"required": {"values": ("INT", {"forceInput": True}), "times": ("INT", {"default": 2})}}
    RETURN_TYPES = ("INT",)
    INPUT_IS_LIST = True
    FUNCTION = "sum"
    def sum(self, values, times):
        assert isinstance(times, list)
        return (sum(values) * times[0],)
"""


def test_lists_fan_out_and_are_gathered_and_optional_inputs_that_miss_are_left_out(shelf: Shelf) -> None:
    types = load(shelf, NUMBERS, "Numbers", "Add", "Sum")
    prompt = {
        "n": {"class_type": "Numbers", "inputs": {"count": 3}},
        "a": {"class_type": "Add", "inputs": {"a": ["n", 0], "b": 10}},
        "s": {"class_type": "Sum", "inputs": {"values": ["a", 0], "times": 2}},
        "show a": show(["a", 0]),
        "show s": show(["s", 0]),
        "show n": show(["n", 1]),
    }
    texts = shown(types, prompt, shelf.home)
    assert sorted(texts) == sorted(["1010", "1011", "1012", "6066", "3"])


def test_undeclared_links_are_passed_and_undeclared_constants_are_not(shelf: Shelf) -> None:
    types = load(shelf, NUMBERS, "Numbers", "Add")
    inputs = {"a": 1, "b": 1, "c": 1, "extra": ["n", 1], "loose": 5000}
    prompt = {
        "n": {"class_type": "Numbers", "inputs": {"count": 7}},
        "a": {"class_type": "Add", "inputs": inputs},
        "show": show(["a", 0]),
    }
    assert shown(types, prompt, shelf.home) == ["10"]


LAZY = """
class Choose:
    @classmethod
    def INPUT_TYPES(cls):
        lazy = {"lazy": True}
        return {"required": {"first": ("BOOLEAN", {"default": True}), "a": (ANY, lazy), "b": (ANY, lazy)}}
    RETURN_TYPES = (ANY,)
    FUNCTION = "choose"
    def check_lazy_status(self, first, a, b):
        return ["a"] if first else ["b"]
    def choose(self, first, a=None, b=None):
        return (a if first else b,)
class Fails:
    @classmethod
    def INPUT_TYPES(cls):
        return {}
    RETURN_TYPES = ("INT",)
    FUNCTION = "fail"
    def fail(self):
        raise ValueError("never asked for")
class Five(Fails):
    def fail(self):
        return (5,)
"""


def test_lazy_inputs_that_are_not_needed_never_run(shelf: Shelf) -> None:
    types = load(shelf, LAZY, "Choose", "Fails", "Five")
    prompt = {
        "five": {"class_type": "Five", "inputs": {}},
        "bad": {"class_type": "Fails", "inputs": {}},
        "c": {"class_type": "Choose", "inputs": {"first": True, "a": ["five", 0], "b": ["bad", 0]}},
        "show": show(["c", 0]),
    }
    assert shown(types, prompt, shelf.home) == ["5"]


HIDDEN = """
class Knows:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"raw": (ANY, {"rawLink": True})},
                "hidden": {"me": "UNIQUE_ID", "prompt": "PROMPT",
                           "png": "EXTRA_PNGINFO", "graph": "DYNPROMPT"}}
    RETURN_TYPES = ("STRING",)
    FUNCTION = "tell"
    def tell(self, raw, me, prompt, png, graph):
        node = graph.get_node(me)
        return (f"{raw} {me} {sorted(prompt)} {node['class_type']} {node['inputs']['raw']} "
                f"{len(png['workflow']['nodes'])} {graph.get_display_node_id(me)} {graph.has_node('no')}",)
class KnowsLists(Knows):
    INPUT_IS_LIST = True
    def tell(self, raw, me, prompt, png, graph):
        return (f"{raw} {me} {type(prompt[0]).__name__}",)
"""


def test_hidden_inputs_and_raw_links_arrive_as_comfyui_gives_them(shelf: Shelf) -> None:
    types = load(shelf, HIDDEN + LAZY, "Knows", "KnowsLists", "Five")
    prompt = {
        "5": {"class_type": "Five", "inputs": {}},
        "k": {"class_type": "Knows", "inputs": {"raw": ["5", 0]}},
        "l": {"class_type": "KnowsLists", "inputs": {"raw": ["5", 0]}},
        "show": show(["k", 0]),
        "show lists": show(["l", 0]),
    }
    texts = shown(types, prompt, shelf.home)
    assert "\"['5', 0] k ['5', 'k', 'l', 'show', 'show lists'] Knows ['5', 0] 5 k False\"" in texts
    assert "\"[['5', 0]] ['l'] dict\"" in texts


EXPAND = """
from comfy_execution.graph_utils import GraphBuilder
from comfy_execution.graph import ExecutionBlocker
class Repeat:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("INT", {}), "times": ("INT", {"default": 3})}}
    RETURN_TYPES = ("INT", "STRING")
    FUNCTION = "go"
    def go(self, value, times):
        graph = GraphBuilder()
        link = graph.node("Add", a=value, b=1, c=0).out(0)
        if times > 1:
            again = graph.node("Repeat", value=link, times=times - 1)
            link = again.out(0)
        return {"result": (link, "plain"), "expand": graph.finalize()}
class Stop:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"why": ("STRING", {"default": ""})}}
    RETURN_TYPES = (ANY,)
    FUNCTION = "stop"
    def stop(self, why):
        return (ExecutionBlocker(why or None),)
"""


def test_a_node_that_returns_a_graph_is_that_graph_however_deep(shelf: Shelf) -> None:
    types = load(shelf, NUMBERS + EXPAND, "Add", "Repeat")
    prompt = {
        "r": {"class_type": "Repeat", "inputs": {"value": 10, "times": 4}},
        "show": show(["r", 0]),
        "show text": show(["r", 1]),
    }
    assert sorted(shown(types, prompt, shelf.home)) == ["'plain'", "14"]


def test_a_blocker_stops_what_depends_on_it_and_the_run_succeeds(shelf: Shelf) -> None:
    types = load(shelf, NUMBERS + EXPAND, "Add", "Stop")
    events = list[Event]()
    prompt = {
        "stop": {"class_type": "Stop", "inputs": {"why": "no face found"}},
        "quiet": {"class_type": "Stop", "inputs": {"why": ""}},
        "add": {"class_type": "Add", "inputs": {"a": ["stop", 0], "b": 1}},
        "show": show(["add", 0]),
        "show quiet": show(["quiet", 0]),
        "other": {"class_type": "Add", "inputs": {"a": 1, "b": 1, "c": 0}},
        "show other": show(["other", 0]),
    }
    result = ran(types, prompt, shelf.home, events)
    assert result.state == "done" and result.outputs["show other"]["text"] == ["2"]
    assert [event.message for event in events if isinstance(event, NodeLog)] == ["no face found"]
    blocked = {e.node for e in events if isinstance(e, NodeFinished) and e.verdict == "blocked"}
    assert {"add", "show", "show quiet"} <= blocked


CACHED = """
class Counts:
    made = 0
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"mark": ("STRING", {})}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "count"
    @classmethod
    def IS_CHANGED(cls, mark):
        return float("nan") if mark == "always" else mark
    def __init__(self):
        self.calls = 0
    def count(self, mark):
        self.calls += 1
        return (self.calls,)
"""


@pytest.mark.parametrize(("mark", "last"), [("same", "1"), ("always", "3")])
def test_is_changed_decides_whether_a_node_runs_again_and_its_instance_stays(
    shelf: Shelf, mark: str, last: str
) -> None:
    types = load(shelf, CACHED, "Counts")
    prompt = {"c": {"class_type": "Counts", "inputs": {"mark": mark}}, "show": show(["c", 0])}
    workflow, memory = read_api(prompt, types), MemoryStore()
    runs = [execute(plan(workflow, types), types, memory=memory) for _ in range(3)]
    assert runs[-1].outputs["show"]["text"] == [last]


CHECKED = """
class Checks:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"even": ("INT", {"default": 2, "max": 4}), "name": (["a", "b"],)},
                "optional": {"any": ("IMAGE",)}, "hidden": {"id": "UNIQUE_ID", "graph": "PROMPT"}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"
    @classmethod
    def VALIDATE_INPUTS(cls, even, input_types, id, graph):
        if input_types.get("any", "INT") != "INT":
            return "any must be a number"
        return True if even % 2 == 0 else "even must be even"
    def run(self, even, name, id, graph, any=None):
        return (even,)
"""


def test_validate_inputs_is_told_which_node_it_checks(shelf: Shelf) -> None:
    code = """
class Told:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}, "hidden": {"me": "UNIQUE_ID", "prompt": "PROMPT"}}
    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    @classmethod
    def VALIDATE_INPUTS(cls, me, prompt):
        return f"I am {me!r} of {prompt}"
    def run(self, me, prompt):
        return ()
"""
    types = load(shelf, code, "Told")
    workflow = read_api({"12": {"class_type": "Told", "inputs": {}}}, types)
    (problem,) = validate(workflow, types)
    assert "I am '12' of {}" in problem.message


def test_validate_inputs_refuses_with_its_own_words_and_replaces_the_usual_checks(shelf: Shelf) -> None:
    types = load(shelf, CHECKED + LAZY, "Checks", "Five")

    def problems(**inputs: object) -> list[str]:
        prompt = {
            "five": {"class_type": "Five", "inputs": {}},
            "c": {"class_type": "Checks", "inputs": inputs},
            "show": show(["c", 0]),
        }
        workflow = read_api(prompt, types)
        return [item.message for item in validate(workflow, types) if item.severity == "error"]

    assert problems(even=8, name="a") == []  # above max, which the class checks itself
    assert problems(even=2, name="a", any=["five", 0]) == []  # no link types are checked but by the class
    assert "even must be even" in problems(even=3, name="a")[0]
    assert "name" in problems(even=2, name="c")[0]


MISBEHAVING = """
import sys
class Mutates:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",)}}
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    def run(self, image):
        image.mul_(0)
        return (image,)
class Exits:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",)}}
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    def run(self, image):
        sys.exit(1)
class Scalar:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",)}}
    RETURN_TYPES = ("FLOAT", "STRING")
    FUNCTION = "run"
    def run(self, image):
        return (float(image.mean()),)
"""


def test_a_node_that_changes_its_input_or_exits_is_named_and_the_others_go_on(shelf: Shelf) -> None:
    types = load(shelf, MISBEHAVING, "Mutates", "Exits", "Scalar")
    events = list[Event]()
    prompt = {
        "white": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "color": 16777215}},
        "mean": {"class_type": "Scalar", "inputs": {"image": ["white", 0]}},
        "show": show(["mean", 0]),
        "missing": show(["mean", 1]),
        "mutates": {"class_type": "Mutates", "inputs": {"image": ["white", 0]}},
        "show mutated": show(["mutates", 0]),
        "exits": {"class_type": "Exits", "inputs": {"image": ["white", 0]}},
        "show exit": show(["exits", 0]),
    }  # fmt: skip
    result = ran(types, prompt, shelf.home, events)
    assert result.outputs["show"]["text"] == ["1.0"] and result.outputs["missing"]["text"] == ["None"]
    assert [(error.node, error.message) for error in result.errors] == [
        ("exits", "Node exits (Exits): It tried to end the program (exit code 1).")
    ]
    said = [event.message for event in events if isinstance(event, NodeLog)]
    assert any("mutates" in text and "'image'" in text for text in said)


V3 = """
from comfy_api.latest import ComfyExtension, io, ui
class Twice(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="Twice", display_name="Two of It", category="new", description="Doubles.",
            is_output_node=True, search_aliases=["double"], something_newer=True,
            inputs=[io.Int.Input("n", default=4, min=0, max=9, display_mode=io.NumberDisplay.slider, newer=1),
                    io.Combo.Input("how", options=["add", "shift"], optional=True)],
            outputs=[io.Int.Output("n", display_name="doubled", tooltip="two of it"),
                     io.Custom("MINE").Output()],
            hidden=[io.Hidden.unique_id])
    @classmethod
    def validate_inputs(cls, n):
        return True if n != 7 else "seven is too many"
    @classmethod
    async def execute(cls, n, how="add"):
        return io.NodeOutput(n * 2, cls.hidden.unique_id, ui=ui.PreviewText(f"{n} {how}"))
class Grows(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        grow = io.Autogrow.TemplatePrefix(io.Int.Input("v"), prefix="v", min=1, max=3)
        return io.Schema("Grows", inputs=[io.Autogrow.Input("vs", template=grow)], outputs=[io.Int.Output()])
    @classmethod
    def execute(cls, vs):
        return io.NodeOutput(sum(vs.values()))
class All(ComfyExtension):
    async def get_node_list(self):
        return [Twice, Grows]
async def comfy_entrypoint():
    return All()
"""


def test_nodes_of_the_newer_interface_run_and_say_what_they_are(shelf: Shelf) -> None:
    shelf.pack("new", V3)
    shelf.pack("old", HEAD + "\nNODE_CLASS_MAPPINGS = {'Show': Show}")
    types = shelf.types()
    prompt = {
        "t": {"class_type": "Twice", "inputs": {"n": 4}},
        "g": {"class_type": "Grows", "inputs": {"vs.v0": ["t", 0], "vs.v1": 1}},
        "show": show(["g", 0]),
        "me": show(["t", 1]),
    }
    result = ran(types, prompt, shelf.home)
    texts = {node: list(ui["text"]) for node, ui in result.outputs.items()}
    assert texts == {"t": ["4 add"], "show": ["9"], "me": ["'t'"]}
    spec = types.get("Twice")
    assert spec is not None
    info = object_info(spec, types, lambda kind: ())
    slider = {"default": 4, "min": 0, "max": 9, "display": "slider", "newer": 1}
    assert info["input"]["required"]["n"] == ["INT", slider]
    assert info["input"]["optional"]["how"] == ["COMBO", {"multiselect": False, "options": ["add", "shift"]}]
    assert info["input"]["hidden"]["unique_id"] == ["UNIQUE_ID"]
    assert (info["output"], info["output_name"]) == (["INT", "MINE"], ["doubled", "MINE"])
    assert info["display_name"] == "Two of It" and info["output_node"] and spec.is_async
    assert spec.check is not None and spec.check({"n": 7}, {}) == "seven is too many"


def test_async_functions_of_older_classes_overlap(shelf: Shelf) -> None:
    code = """
import asyncio
class Waits:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"n": ("INT", {})}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "wait"
    async def wait(self, n):
        await asyncio.sleep(0.4)
        return (n,)
"""
    types = load(shelf, code, "Waits")
    prompt = {str(n): {"class_type": "Waits", "inputs": {"n": n}} for n in range(4)}
    prompt |= {f"show {n}": show([str(n), 0]) for n in range(4)}
    began = time.perf_counter()
    assert sorted(shown(types, prompt, shelf.home)) == ["0", "1", "2", "3"]
    assert time.perf_counter() - began < 3 * 0.4


def test_ui_results_reach_the_job_as_plain_values(shelf: Shelf, tmp_path: Path) -> None:
    code = """
import torch
class Tells:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}
    RETURN_TYPES = ()
    FUNCTION = "tell"
    OUTPUT_NODE = True
    def tell(self):
        return {"ui": {"value": (torch.tensor(2.5), float("inf")), "mine": {"a": 1}, "text": "abc"}}
"""
    types = load(shelf, code, "Tells")
    result = ran(types, {"t": {"class_type": "Tells", "inputs": {}}}, shelf.home)
    assert result.outputs["t"] == {"value": [2.5, None], "mine": [{"a": 1}], "text": ["a", "b", "c"]}


def test_outputs_that_output_is_list_does_not_tell_of_are_none(shelf: Shelf) -> None:
    code = """
class Pair:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}
    RETURN_TYPES = ("INT", "INT")
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "pair"
    def pair(self):
        return [1, 2], 3
"""
    types = load(shelf, code, "Pair")
    prompt = {"p": {"class_type": "Pair", "inputs": {}}, "a": show(["p", 0]), "b": show(["p", 1])}
    result = ran(types, prompt, shelf.home)
    assert [result.outputs[node]["text"] for node in "ab"] == [["1", "2"], ["None"]]
